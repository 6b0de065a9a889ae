"""POST /taxes: what sales tax is to be collected."""

from decimal import ROUND_HALF_UP, Decimal

from .. import us_tax, vat
from ..vendor import Response
from .words import fail, money, read_body

__all__ = ["CANADA", "EUROPE", "Taxes", "check_place"]

D = Decimal
ZERO = D(0)
CENT = D("0.01")

#: Province → {tax: rate}.
CANADA = {
    "BC": {"gst": D("0.05"), "pst": D("0.07")},
    "ON": {"gst": D("0.05"), "pst": D("0.08")},
    "QC": {"gst": D("0.05"), "qst": D("0.09975")},
}
#: Countries of Europe with nexus.
EUROPE = ("DE", "FR", "GB")
#: TaxJar's product tax codes → those of sandbox.us_tax.
PRODUCTS = {
    "": "P0000000",
    "20010": "PC040100",
    "40030": "PF050001",
    "30070": "SD020800",
    "19000": "SP140000",
    "99999": "NT",
}
EXEMPT = ("wholesale", "government", "other")
EXEMPTIONS = (*EXEMPT, "marketplace", "non_exempt")
_PLACE = [
    f"{way}_{part}" for way in ("from", "to") for part in "country zip state city street".split()
]
_FIELDS = {
    *_PLACE,
    "amount",
    "shipping",
    "customer_id",
    "exemption_type",
    "nexus_addresses",
    "line_items",
}
_LINE_FIELDS = {"id", "quantity", "product_tax_code", "unit_price", "discount"}
#: Kind of jurisdiction in us_tax → (prefix of fields, rate of a line, tax of a line).
KINDS = {
    "STA": ("state", "state_sales_tax_rate", "state_amount"),
    "CTY": ("county", "county_tax_rate", "county_amount"),
    "CIT": ("city", "city_tax_rate", "city_amount"),
    "STJ": ("special_district", "special_tax_rate", "special_district_amount"),
}


class Taxes:
    """The calculation."""

    routes = (("POST", "/v2/taxes", "taxes"),)

    def taxes(self, request):
        """POST /v2/taxes."""
        body = read_body(request)
        self._check_taxes(request, body)
        self.estimates += 1
        lines = [_line(index, line) for index, line in enumerate(body.get("line_items") or [], 1)]
        if not lines:
            lines = [("", money(body, "amount"), "")]
        shipping = money(body, "shipping")
        answer = {
            "order_total_amount": sum((amount for _n, amount, _c in lines), ZERO) + shipping,
            "shipping": shipping,
            "taxable_amount": ZERO,
            "amount_to_collect": ZERO,
            "rate": ZERO,
            "has_nexus": False,
            "freight_taxable": False,
            "tax_source": None,
        }
        if body.get("exemption_type"):
            answer["exemption_type"] = body["exemption_type"]
        table = _table(body)
        if table:
            exempt = body.get("exemption_type") in EXEMPT
            answer |= table.answer(lines, shipping, exempt, bool(body.get("line_items")))
        return Response(200, {"tax": answer})

    def _check_taxes(self, request, body):
        for name in body.keys() - _FIELDS:
            self.remark(request, f"unknown field {name}")
        check_place(body)
        if body.get("exemption_type") not in (None, *EXEMPTIONS):
            raise fail(400, "exemption_type is not valid")
        if body.get("amount") is None and not body.get("line_items"):
            raise fail(406, "Either amount or line_items must be given")
        if not body.get("from_country") and not body.get("nexus_addresses"):
            raise fail(400, "No from address, no nexus address, and no address on file")
        for line in body.get("line_items") or ():
            for name in line.keys() - _LINE_FIELDS:
                self.remark(request, f"unknown field line_items.{name}")
            if line.get("product_tax_code", "") not in PRODUCTS:
                self.remark(request, f"unknown product tax code {line['product_tax_code']}")
        _check_sum(body)


def check_place(body):
    """Refuse an address that is not complete, or whose ZIP code is in another state."""
    country = body.get("to_country")
    if not country:
        raise fail(406, "to_country is missing")
    if country == "US" and not body.get("to_zip"):
        raise fail(406, "to_zip is missing")
    if country in ("US", "CA") and not body.get("to_state"):
        raise fail(406, "to_state is missing")
    zip_code, state = str(body.get("to_zip") or ""), body.get("to_state")
    for place in us_tax.PLACES:
        prefixes = place.postal_prefixes
        if country == "US" and prefixes and zip_code.startswith(prefixes) and place.region != state:
            raise fail(400, f"to_zip {zip_code} is not used within to_state {state}")


def _check_sum(body):
    """Refuse an amount that is not that of the lines; a given amount is without shipping."""
    if body.get("amount") is None or not body.get("line_items"):
        return
    lines = sum((_line(i, line)[1] for i, line in enumerate(body["line_items"], 1)), ZERO)
    if lines != money(body, "amount"):
        raise fail(400, "amount doesn't equal sum of line_items")


def _line(index, line):
    """Return (id, amount, product tax code) of a line."""
    quantity = line.get("quantity", 1)
    if not isinstance(quantity, int):
        raise fail(400, "line_items.quantity must be an integer")
    amount = money(line, "unit_price", ZERO) * quantity - money(line, "discount", ZERO)
    return str(line.get("id", index)), amount, line.get("product_tax_code") or ""


def _table(body):
    """Return what taxes the destination, None without nexus."""
    country, state = body["to_country"], body.get("to_state")
    if country == "US":
        place = us_tax.find_place(country, state, body.get("to_city"), body.get("to_zip"))
        return None if place.why_no_tax else _States(place)
    if country == "CA" and state in CANADA:
        return _Canada(state, body.get("to_city"))
    return _Europe(country, body.get("to_city")) if country in EUROPE else None


class _Table:
    """Adds up what the lines of an order come to."""

    source = "destination"

    def answer(self, lines, shipping, exempt, by_line):
        """Return the fields of the answer; the breakdown only where lines were given."""
        rows = self.rows([*lines, ("", shipping, self.freight)], exempt)
        freight = rows.pop()
        parts = [*rows, freight]
        total = sum((row["tax_collectable"] for row in parts), ZERO)
        taxable = sum((row["taxable_amount"] for row in parts), ZERO)
        answer = {
            "taxable_amount": taxable,
            "amount_to_collect": total,
            "rate": (total / taxable).quantize(D("0.00001")) if taxable else ZERO,
            "has_nexus": True,
            "freight_taxable": bool(freight["taxable_amount"]) or self.freight_taxable(),
            "tax_source": self.source,
            "jurisdictions": self.places,
        }
        if not by_line:
            return answer
        breakdown = self.whole(parts)
        if freight["taxable_amount"]:
            breakdown["shipping"] = self.of_shipping(freight)
        breakdown["line_items"] = [
            {"id": line[0], **row} for line, row in zip(lines, rows, strict=True)
        ]
        return answer | {"breakdown": breakdown}

    def freight_taxable(self):
        """Tell whether shipping is taxed there at all."""
        return True

    def of_shipping(self, row):
        """Return the row of the shipping with the names that it has there."""
        return row

    def sums(self, parts, names):
        """Return the breakdown of the order: {name: sum of the lines' field}."""
        return {name: sum((row[field] for row in parts), ZERO) for name, field in names.items()}


class _States(_Table):
    freight = "FR020100"

    def __init__(self, place):
        self.place = place
        names = {one.kind: one.name for one in place.jurisdictions}
        self.places = {"country": "US", "state": place.region}
        self.places |= {"county": names.get("CTY", ""), "city": names.get("CIT", place.city)}

    def freight_taxable(self):
        return us_tax.taxable_share(self.freight, self.place.region, "STA") > 0

    def rows(self, lines, exempt):
        found = [
            us_tax.tax_line(
                amount,
                PRODUCTS.get(code, code if code == self.freight else "P0000000"),
                self.place,
                "9999-12-31",
                CENT,
                exempt=exempt,
            )
            for _number, amount, code in lines
        ]
        us_tax.add_last_line_cents(found[:-1], CENT)
        return [self._row(line) for line in found]

    def _row(self, line):
        row = {
            "taxable_amount": line.taxable,
            "tax_collectable": line.tax,
            "combined_tax_rate": sum((share.rate for share in line.shares), ZERO),
        }
        for kind, (name, rate, tax) in KINDS.items():
            shares = [share for share in line.shares if share.jurisdiction.kind == kind]
            row |= {
                f"{name}_taxable_amount": max((share.taxable for share in shares), default=ZERO),
                rate: sum((share.rate for share in shares), ZERO),
                tax: sum((share.tax for share in shares), ZERO),
            }
        return row

    def of_shipping(self, row):
        row = dict(row)
        row["special_taxable_amount"] = row.pop("special_district_taxable_amount")
        return row

    def whole(self, parts):
        names = {"taxable_amount": "taxable_amount", "tax_collectable": "tax_collectable"}
        rates = {"combined_tax_rate": parts[0]["combined_tax_rate"]}
        for name, rate, tax in KINDS.values():
            names[f"{name}_taxable_amount"] = f"{name}_taxable_amount"
            names[f"{name}_tax_collectable"] = tax
            rates["state_tax_rate" if name == "state" else rate] = parts[0][rate]
        return self.sums(parts, names) | rates


class _Canada(_Table):
    freight = "shipping"

    def __init__(self, province, city):
        self.rates = CANADA[province]
        self.places = {"country": "CA", "state": province, "city": (city or "").upper()}

    def rows(self, lines, exempt):
        return [self._row(ZERO if exempt else amount) for _number, amount, _code in lines]

    def _row(self, taxable):
        taxes = {
            name: (taxable * rate).quantize(CENT, ROUND_HALF_UP)
            for name, rate in self.rates.items()
        }
        row = {
            "taxable_amount": taxable,
            "tax_collectable": sum(taxes.values(), ZERO),
            "combined_tax_rate": sum(self.rates.values(), ZERO),
        }
        for name in ("gst", "pst", "qst"):
            row |= {
                f"{name}_taxable_amount": taxable if name in taxes else ZERO,
                f"{name}_tax_rate": self.rates.get(name, ZERO),
                name: taxes.get(name, ZERO),
            }
        return row

    def whole(self, parts):
        fields = ("taxable_amount", "tax_collectable")
        names = {name: name for name in fields}
        for name in ("gst", "pst", "qst"):
            names |= {name: name, f"{name}_taxable_amount": f"{name}_taxable_amount"}
        rates = ["combined_tax_rate", *(f"{name}_tax_rate" for name in ("gst", "pst", "qst"))]
        return self.sums(parts, names) | {name: parts[0][name] for name in rates}


class _Europe(_Table):
    freight = ""

    def __init__(self, country, city):
        self.country = country
        self.places = {"country": country, "city": (city or "").upper()}

    def rows(self, lines, exempt):
        return [self._row(ZERO if exempt else amount) for _number, amount, _code in lines]

    def _row(self, taxable):
        line = vat.vat_line(self.country, "standard", taxable, CENT)
        return {
            "taxable_amount": taxable,
            "tax_collectable": line.tax,
            "combined_tax_rate": line.rate,
            "country_taxable_amount": taxable,
            "country_tax_rate": line.rate,
            "country_tax_collectable": line.tax,
        }

    def whole(self, parts):
        names = ("taxable_amount", "tax_collectable", "country_taxable_amount")
        names = {name: name for name in (*names, "country_tax_collectable")}
        rates = ("combined_tax_rate", "country_tax_rate")
        return self.sums(parts, names) | {name: parts[0][name] for name in rates}
