"""What tax Stripe calculates: sales tax of the United States, VAT of Europe, nothing elsewhere."""

from datetime import UTC, datetime
from decimal import Decimal

from .. import us_tax, vat
from .core import fail, new_id, now
from .products import PRODUCTS, SHIPPING

__all__ = ["CURRENCIES", "calculate", "minor_steps"]

D = Decimal
ZERO = D(0)
HOME = "DE"
DEFAULT_CODE = "txcd_99999999"

#: Currency → number of decimals of Stripe's amounts (docs.stripe.com/currencies).
CURRENCIES = {
    "AUD": 2,
    "BHD": 3,
    "CAD": 2,
    "CHF": 2,
    "CLP": 0,
    "EUR": 2,
    "GBP": 2,
    "HUF": 2,
    "ISK": 2,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "NZD": 2,
    "PLN": 2,
    "SEK": 2,
    "TND": 3,
    "TWD": 2,
    "USD": 2,
    "VND": 0,
}
LEVELS = {"STA": "state", "CTY": "county", "CIT": "city", "STJ": "district"}


def minor_steps(currency):
    """Return what amounts of a currency must be a multiple of, in smallest units."""
    return {"ISK": 100}.get(currency, 10 if CURRENCIES[currency] == 3 else 1)


def calculate(asked):
    """Return the amounts of a calculation, without id and dates; ``items`` are its lines."""
    currency = asked["currency"].upper()
    scale = D(10) ** CURRENCIES[currency]
    unit = D(minor_steps(currency)) / scale
    details = asked.get("customer_details", {})
    country = details.get("address", {}).get("country", "")
    day = datetime.fromtimestamp(asked.get("tax_date", now()), UTC).date().isoformat()
    parts = [(line, line.get("tax_code") or DEFAULT_CODE) for line in asked["line_items"]]
    shipping = asked.get("shipping_cost")
    if shipping:
        parts.append((shipping, shipping.get("tax_code") or SHIPPING))
    make = _sales_tax if country == "US" else _vat if country in vat.RATES else _not_collecting
    rows = make(parts, scale, unit, details, day)
    items = [
        _item(line, code, breakdown, scale)
        for (line, code), breakdown in zip(parts, rows, strict=True)
    ]
    cost = items.pop() if shipping else None
    if cost:
        kept = ("amount", "amount_tax", "tax_behavior", "tax_code", "tax_breakdown")
        cost = {name: cost[name] for name in kept}
    return _totals(items, cost, details) | {
        "currency": asked["currency"],
        "customer_details": _customer(details),
        "items": items,
        "shipping_cost": cost,
    }


def _item(line, code, breakdown, scale):
    return {
        "id": new_id("tax_li"),
        "object": "tax.calculation_line_item",
        "amount": line.get("amount", 0),
        "amount_tax": sum(row["amount"] for row in breakdown),
        "livemode": False,
        "product": line.get("product"),
        "quantity": line.get("quantity", 1),
        "reference": line.get("reference"),
        "tax_behavior": line.get("tax_behavior", "exclusive"),
        "tax_breakdown": breakdown,
        "tax_code": code,
    }


def _totals(items, cost, details):
    parts = [*items, *([cost] if cost else [])]
    tax = {"exclusive": 0, "inclusive": 0}
    groups = {}
    for part in parts:
        tax[part["tax_behavior"]] += part["amount_tax"]
        for row in part["tax_breakdown"]:
            key = _group_key(row, part["tax_behavior"])
            group = groups.setdefault(key, {"amount": 0, "taxable_amount": 0})
            group["amount"] += row["amount"]
            group["taxable_amount"] += row["taxable_amount"]
    return {
        "amount_total": sum(part["amount"] for part in parts) + tax["exclusive"],
        "tax_amount_exclusive": tax["exclusive"],
        "tax_amount_inclusive": tax["inclusive"],
        "tax_breakdown": [_group(key, sums) for key, sums in groups.items()],
    }


def _group_key(row, behavior):
    rate = row["tax_rate_details"] or {}
    place = row["jurisdiction"]
    return (
        place["country"],
        place["state"],
        rate.get("percentage_decimal", "0.0"),
        rate.get("tax_type"),
        row["taxability_reason"],
        behavior == "inclusive",
    )


def _group(key, sums):
    country, state, percentage, kind, reason, inclusive = key
    return sums | {
        "inclusive": inclusive,
        "tax_rate_details": {
            "country": country,
            "percentage_decimal": percentage,
            "state": state,
            "tax_type": kind,
        },
        "taxability_reason": reason,
    }


def _customer(details):
    address = details.get("address")
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {
        "address": address and {name: address.get(name) or None for name in names},
        "address_source": details.get("address_source"),
        "ip_address": details.get("ip_address"),
        "tax_ids": details.get("tax_ids", []),
        "taxability_override": details.get("taxability_override", "none"),
    }


# === BY PLACE === #


def _sales_tax(parts, scale, unit, details, day):
    address = details["address"]
    place = us_tax.find_place(
        "US", address.get("state"), address.get("city"), address.get("postal_code")
    )
    override = details.get("taxability_override", "none")
    lines = [
        us_tax.tax_line(
            D(line.get("amount", 0)) / scale,
            PRODUCTS[code][2],
            place,
            day,
            unit,
            exempt=override != "none",
            included=line.get("tax_behavior") == "inclusive",
        )
        for line, code in parts
    ]
    us_tax.add_last_line_cents(lines, unit)
    if not place.jurisdictions:
        return [[_nothing("US", place.region, "state", "not_collecting")] for _part in parts]
    return [
        [_share(share, place, override, line.amount, scale) for share in line.shares]
        for line in lines
    ]


def _share(share, place, override, amount, scale):
    jurisdiction = share.jurisdiction
    name = jurisdiction.name.title() + (" County" if jurisdiction.kind == "CTY" else "")
    row = {
        "amount": int(share.tax * scale),
        "jurisdiction": {
            "country": place.country,
            "display_name": name,
            "level": LEVELS[jurisdiction.kind],
            "state": place.region,
        },
        "sourcing": "destination",
        "tax_rate_details": {
            "display_name": "Sales and Use Tax",
            "percentage_decimal": _percent(share.rate),
            "tax_type": "sales_tax",
        },
        "taxability_reason": "standard_rated",
        "taxable_amount": int(share.taxable * scale),
    }
    if place.why_no_tax:
        return row | {"tax_rate_details": None, "taxability_reason": "not_subject_to_tax"}
    if override != "none":
        return row | {"tax_rate_details": None, "taxability_reason": override}
    if not share.taxable and amount:
        return row | {"tax_rate_details": None, "taxability_reason": "product_exempt"}
    if share.taxable != amount:
        return row | {"taxability_reason": "taxable_basis_reduced"}
    return row


def _vat(parts, scale, unit, details, _day):
    country = details["address"]["country"]
    reason = _no_vat_because(country, details)
    if reason:
        return [[_nothing(country, None, "country", reason)] for _part in parts]
    return [[_vat_row(line, code, country, scale, unit)] for line, code in parts]


def _no_vat_because(country, details):
    override = details.get("taxability_override", "none")
    if override != "none":
        return override
    for tax_id in details.get("tax_ids", []):
        if tax_id["type"] != "eu_vat":
            continue
        if not vat.is_eu_number(tax_id["value"]):
            words = f"Invalid value for eu_vat: {tax_id['value']}"
            raise fail(400, words, "tax_id_invalid", "customer_details[tax_ids]")
        if country in vat.EU and country != HOME:
            return "reverse_charge"
    return ""


def _vat_row(line, code, country, scale, unit):
    rate_class = PRODUCTS[code][3]
    if rate_class is None:
        return _nothing(country, None, "country", "product_exempt")
    included = line.get("tax_behavior") == "inclusive"
    found = vat.vat_line(country, rate_class, D(line.get("amount", 0)) / scale, unit, included)
    reasons = {"standard": "standard_rated"}
    return {
        "amount": int(found.tax * scale),
        "jurisdiction": {
            "country": country,
            "display_name": vat.RATES[country][0],
            "level": "country",
            "state": None,
        },
        "sourcing": "destination",
        "tax_rate_details": {
            "display_name": "VAT",
            "percentage_decimal": _percent(found.rate),
            "tax_type": "vat",
        },
        "taxability_reason": reasons.get(found.rate_class, "reduced_rated")
        if found.rate
        else "zero_rated",
        "taxable_amount": int(found.amount * scale),
    }


def _not_collecting(parts, _scale, _unit, details, _day):
    address = details["address"]
    row = _nothing(address["country"], address.get("state"), "country", "not_collecting")
    return [[row] for _part in parts]


def _nothing(country, state, level, reason):
    return {
        "amount": 0,
        "jurisdiction": {
            "country": country,
            "display_name": state or country,
            "level": level,
            "state": state or None,
        },
        "sourcing": "destination",
        "tax_rate_details": None,
        "taxability_reason": reason,
        "taxable_amount": 0,
    }


def _percent(rate):
    text = format((rate * 100).normalize(), "f")
    return text if "." in text else f"{text}.0"
