"""A document as Stripe's tax API is asked about it."""

from dataclasses import dataclass

from odoo.addons.finance_connector_base.providers.errors import Rejected

from ..canonical.shares import without_discount_lines
from ..canonical.tax import TaxDocument, TaxLine
from .stripe_tax_money import minor, unit

SHIPPING = "txcd_92010001"
# Values of customer_details.taxability_override that take tax off.
OVERRIDES = ("customer_exempt", "reverse_charge")

# customer_details.tax_ids.type by the country that a VAT number begins with.
_EU = "AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI"
TAX_ID_TYPES = dict.fromkeys(_EU.split(), "eu_vat") | {
    "GB": "gb_vat",
    "CH": "ch_vat",
    "IS": "is_vat",
    "LI": "li_uid",
    "NO": "no_vat",
}
# The same by the country of the customer, for numbers that don't begin with one.
NATIONAL_TYPES = {
    "AE": "ae_trn",
    "AU": "au_abn",
    "CA": "ca_bn",
    "CL": "cl_tin",
    "IN": "in_gst",
    "JP": "jp_trn",
    "KR": "kr_brn",
    "MX": "mx_rfc",
    "NZ": "nz_gst",
    "SA": "sa_vat",
    "SG": "sg_gst",
    "TH": "th_vat",
    "ZA": "za_vat",
}


@dataclass(frozen=True)
class AskedLine:
    """One line as Stripe gets it: amount in smallest units, reference unique in the document.

    shipping: it goes as the shipping cost, which has no reference.
    """

    line: TaxLine
    amount: int
    reference: str
    shipping: bool = False


def asked_lines(document: TaxDocument) -> list[AskedLine]:
    """Return the lines as Stripe gets them, discount lines taken off the others.

    The first line with Stripe's tax code for shipping is the shipping cost, unless it is alone.
    """
    try:
        lines = without_discount_lines(document.lines, unit(document.currency))
    except ValueError:
        raise Rejected(
            "Stripe Tax can't calculate a document whose discounts come to more than its lines",
            code="negative",
        ) from None
    shipping = next((line for line in lines if line.tax_code == SHIPPING), None)
    return [
        AskedLine(
            line,
            minor(line.amount, document.currency),
            # number and item: unique, and telling in Stripe's exports
            f"{line.number}:{line.item_code}"[:500],
            shipping=line is shipping and len(lines) > 1,
        )
        for line in lines
    ]


def calculation(document: TaxDocument, asked: list[AskedLine], tax_date: int | None) -> dict:
    """Return the fields of POST /v1/tax/calculations."""
    address = document.ship_to
    shipping = next((one for one in asked if one.shipping), None)
    return {
        "currency": document.currency.lower(),
        "tax_date": tax_date,
        "customer_details": {
            "address_source": "shipping",
            "address": {
                "line1": address.line1,
                "line2": address.line2,
                "city": address.city,
                "state": address.region,
                "postal_code": address.postal_code,
                "country": address.country,
            },
            "tax_ids": tax_ids(document.vat_number, document.ship_to.country),
            "taxability_override": _override(document),
        },
        "line_items": [_item(one) for one in asked if not one.shipping],
        "shipping_cost": shipping
        and {"amount": shipping.amount, "tax_code": SHIPPING, "tax_behavior": "exclusive"},
        "expand": ["line_items.data.tax_breakdown", "shipping_cost.tax_breakdown"],
    }


def _item(one):
    quantity = one.line.quantity
    whole = quantity > 0 and quantity == quantity.to_integral_value()
    return {
        "amount": one.amount,
        "quantity": int(quantity) if whole else None,
        "reference": one.reference,
        "tax_behavior": "exclusive",
        "tax_code": one.line.tax_code,
    }


def _override(document):
    if document.entity_use_code in OVERRIDES:
        return document.entity_use_code
    exempt = document.entity_use_code or document.exemption_number
    return "customer_exempt" if exempt else "none"


def tax_ids(number: str, country: str) -> list[dict]:
    """Return customer_details.tax_ids for a VAT number; empty where Stripe has no type for it.

    >>> tax_ids("GR 094259216", "GR"), tax_ids("U12345678", "AT")
    ([{'type': 'eu_vat', 'value': 'EL094259216'}], [{'type': 'eu_vat', 'value': 'ATU12345678'}])
    """
    number = "".join(number.split()).upper()
    if not number:
        return []
    prefix, own = (_vat_country(code) for code in (number[:2], country))
    kind = TAX_ID_TYPES.get(prefix)
    if kind == "eu_vat":
        return [{"type": kind, "value": prefix + number[2:]}]
    if not kind and TAX_ID_TYPES.get(own) == "eu_vat":
        return [{"type": "eu_vat", "value": own + number}]
    kind = kind or TAX_ID_TYPES.get(own) or NATIONAL_TYPES.get(country)
    return [{"type": kind, "value": number}] if kind else []


def _vat_country(code):
    return "EL" if code == "GR" else code


def form(values: dict) -> dict:
    """Return nested values as the fields of a form, in Stripe's notation; empty ones left out.

    >>> form({"a": {"b": 1}, "c": [{"d": "x"}, {"d": "y"}], "e": None, "f": ["g"]})
    {'a[b]': '1', 'c[0][d]': 'x', 'c[1][d]': 'y', 'f[0]': 'g'}
    """
    fields = {}
    for name, value in values.items():
        _put(fields, name, value)
    return fields


def _put(fields, name, value):
    if isinstance(value, dict):
        for key, item in value.items():
            _put(fields, f"{name}[{key}]", item)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _put(fields, f"{name}[{position}]", item)
    elif value not in (None, ""):
        fields[name] = str(value)
