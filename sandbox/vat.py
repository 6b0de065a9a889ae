"""Value added tax of a few countries: standard and reduced rates as of 2026, shares of products.

Shared by the vendors that calculate tax outside the United States. Amounts are exact
:class:`~decimal.Decimal`; every line is rounded half up to the currency's smallest unit.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

__all__ = ["EU", "RATES", "VatLine", "is_eu_number", "vat_line"]

D = Decimal

#: Country → (name, {rate class: rate}); "standard" is always there.
RATES = {
    "AT": ("Austria", {"standard": D("0.20"), "food": D("0.10"), "books": D("0.10")}),
    "BE": ("Belgium", {"standard": D("0.21"), "food": D("0.06"), "books": D("0.06")}),
    "DE": ("Germany", {"standard": D("0.19"), "food": D("0.07"), "books": D("0.07")}),
    "ES": ("Spain", {"standard": D("0.21"), "food": D("0.10"), "books": D("0.04")}),
    "FR": ("France", {"standard": D("0.20"), "food": D("0.055"), "books": D("0.055")}),
    "GB": ("United Kingdom", {"standard": D("0.20"), "food": D(0), "books": D(0)}),
    "GR": ("Greece", {"standard": D("0.24"), "food": D("0.13"), "books": D("0.06")}),
    "IE": ("Ireland", {"standard": D("0.23"), "food": D(0), "books": D("0.09")}),
    "IT": ("Italy", {"standard": D("0.22"), "food": D("0.10"), "books": D("0.04")}),
    "NL": ("Netherlands", {"standard": D("0.21"), "food": D("0.09"), "books": D("0.09")}),
    "PL": ("Poland", {"standard": D("0.23"), "food": D("0.05"), "books": D("0.05")}),
    "SE": ("Sweden", {"standard": D("0.25"), "food": D("0.12"), "books": D("0.06")}),
}
#: Member states of the European Union in :data:`RATES`.
EU = set(RATES) - {"GB"}


@dataclass(frozen=True, slots=True)
class VatLine:
    """The tax of one line: ``amount`` is without tax; rate class is a key of the rates."""

    amount: Decimal
    rate_class: str
    rate: Decimal
    tax: Decimal


def vat_line(country, rate_class, amount, unit, included=False):
    """Return the :class:`VatLine` of an amount; with ``included`` the tax is inside it."""
    rates = RATES[country][1]
    name = rate_class if rate_class in rates else "standard"
    rate = rates[name]
    if included:
        net = (amount / (1 + rate)).quantize(unit, ROUND_HALF_UP)
        return VatLine(net, name, rate, amount - net)
    return VatLine(amount, name, rate, (amount * rate).quantize(unit, ROUND_HALF_UP))


def is_eu_number(value):
    """Tell whether a VAT number has the form of a member state's."""
    text = value.upper()
    country = {"EL": "GR"}.get(text[:2], text[:2])
    return country in EU and 4 <= len(text) <= 14 and text.isalnum()
