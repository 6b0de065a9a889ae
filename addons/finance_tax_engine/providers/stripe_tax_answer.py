"""Stripe's calculations and transactions, read strictly."""

from dataclasses import dataclass
from decimal import Decimal

from odoo.addons.finance_connector_base.providers.errors import ContractBroken

from ..canonical import tax as canonical
from ..canonical.tax import JurisdictionTax, ZeroReason
from .stripe_tax_money import major

ZERO = Decimal(0)
LEVELS = {
    "country": "country",
    "state": "state",
    "county": "county",
    "city": "city",
    "district": "special",
}
# tax_breakdown.taxability_reason: why a line has no tax; None says nothing about zero by itself.
REASONS = {
    "customer_exempt": canonical.EXEMPT,
    "not_collecting": canonical.NOT_REGISTERED,
    "not_subject_to_tax": canonical.NOT_TAXABLE,
    "not_supported": canonical.UNKNOWN,
    "portion_product_exempt": None,
    "portion_reduced_rated": None,
    "portion_standard_rated": None,
    "product_exempt": canonical.NOT_TAXABLE,
    "product_exempt_holiday": canonical.NOT_TAXABLE,
    "proportionally_rated": None,
    "reduced_rated": None,
    "reverse_charge": canonical.REVERSE_CHARGE,
    "standard_rated": None,
    "taxable_basis_reduced": None,
    "zero_rated": canonical.NOT_TAXABLE,
}
# What stands for most kinds of tax and needs no mention in a jurisdiction's code.
USUAL_TYPES = {"sales_tax", "vat", "gst", "hst"}


def broken(words: str, field: str) -> ContractBroken:
    """Return the failure "Stripe …" of an answer that is not what was asked."""
    return ContractBroken(f"Stripe {words}", code="contract", field=field)


class CalculationReader:
    """Reads a calculation against what was asked; whatever does not fit is `ContractBroken`."""

    def __init__(self, document, asked):
        self.currency = document.currency
        self.asked = {one.reference: one for one in asked if not one.shipping}
        self.shipping = next((one for one in asked if one.shipping), None)

    def taxes(self, answer, items):
        """Return ([`JurisdictionTax`], [`ZeroReason`]) of all lines.

        answer: the calculation. items: its lines, of all pages.
        """
        currency = answer.text("currency").upper()
        if currency != self.currency:
            raise broken(f"answered in {currency}, asked was {self.currency}", "currency")
        parts = [(self._of(item), item) for item in items]
        if sorted(one.reference for one, _item in parts) != sorted(self.asked):
            raise broken("does not answer each line once", "line_items")
        if self.shipping:
            parts.append((self.shipping, answer.object("shipping_cost")))
        taxes, reasons = [], []
        for one, part in parts:
            rows, why = self._line(one, part)
            taxes += rows
            reasons += why
        self._check_total(answer, taxes)
        return taxes, reasons

    def _check_total(self, answer, taxes):
        total = sum((tax.amount for tax in taxes), ZERO)
        said = major(answer.integer("tax_amount_exclusive"), self.currency)
        if total != said or answer.integer("tax_amount_inclusive"):
            raise broken(f"says {said}, its lines come to {total}", "tax_amount_exclusive")
        lines = [*self.asked.values(), *([self.shipping] if self.shipping else [])]
        net = sum((major(one.amount, self.currency) for one in lines), ZERO)
        if major(answer.integer("amount_total"), self.currency) != net + total:
            raise broken(f"has another total than {net} and {total} of tax", "amount_total")

    def _of(self, item):
        reference = item.text("reference")
        if reference not in self.asked:
            raise broken(f"answered for a line not asked: {reference[:60]}", "line_items")
        return self.asked[reference]

    def _line(self, one, part):
        if part.integer("amount") != one.amount:
            raise broken(f"changed the amount of line {one.line.number}", "line_items.amount")
        details = part.list("tax_breakdown", default=[])
        rows = [self._row(one, detail) for detail in details]
        tax = sum((row.amount for row in rows), ZERO)
        if tax != major(part.integer("amount_tax"), self.currency):
            words = f"gives parts of line {one.line.number} that do not add up to its tax"
            raise broken(words, "line_items.amount_tax")
        reasons = [detail.choice("taxability_reason", REASONS) for detail in details]
        # a tax that is too small for a cent is no exemption
        taxed = not one.amount or any(row.rate and row.taxable for row in rows)
        return rows, [] if taxed else [_why(one, reasons, details)]

    def _row(self, one, detail):
        place = detail.object("jurisdiction")
        rate = detail.object("tax_rate_details", default=None)
        kind = rate.text("tax_type") if rate else ""
        name = place.text("display_name")
        taxable = major(detail.integer("taxable_amount"), self.currency)
        return JurisdictionTax(
            line=one.line.number,
            kind=place.choice("level", LEVELS),
            # Stripe has no codes of jurisdictions
            code=name if not kind or kind in USUAL_TYPES else f"{name} {kind}",
            name=name,
            country=place.text("country"),
            region=place.text("state", default=""),
            rate=rate.decimal("percentage_decimal") / 100 if rate else ZERO,
            taxable=taxable,
            amount=major(detail.integer("amount"), self.currency),
            exempt=major(one.amount, self.currency) - taxable,
            tax_name=rate.text("display_name") if rate else "",
        )


def _why(one, reasons, details):
    said = dict.fromkeys(detail.text("taxability_reason") for detail in details)
    reason = next(filter(None, reasons), canonical.UNKNOWN)
    return ZeroReason(one.line.number, reason, ", ".join(said))


@dataclass(frozen=True)
class Recorded:
    """What a transaction comes to; a reversal's amounts are negative. lines: {reference: tax}."""

    engine_id: str
    reference: str
    currency: str
    amount: Decimal
    tax: Decimal
    lines: dict

    @classmethod
    def of(cls, answer, items):
        """Read a transaction; items are its lines, of all pages."""
        currency = answer.text("currency").upper()
        if len({part.text("id") for part in items}) < len(items):
            raise broken("gives a line twice", "line_items.id")
        shipping = answer.object("shipping_cost", default=None)
        parts = [*items, *([shipping] if shipping else [])]
        return cls(
            answer.text("id"),
            answer.text("reference"),
            currency,
            sum((major(part.integer("amount"), currency) for part in parts), ZERO),
            sum((major(part.integer("amount_tax"), currency) for part in parts), ZERO),
            {part.text("reference"): major(part.integer("amount_tax"), currency) for part in items},
        )

    def check_totals(self, document, taxes, asked):
        """Compare with the document; it is recorded already, so a difference is a fault.

        taxes: what is booked, None where that is not known.
        """
        amount = sum((major(one.amount, document.currency) for one in asked), ZERO)
        if self.currency != document.currency or abs(self.amount) != amount:
            words = f"recorded {self.amount} {self.currency} instead of {amount}"
            raise broken(f"{words} {document.currency}", "line_items.amount")
        here = abs(self.tax) if taxes is None else sum((tax.amount for tax in taxes), ZERO)
        if abs(self.tax) != here:
            words = f"recorded {self.tax} of tax, booked is {here}"
            raise broken(words, "line_items.amount_tax")

    def check_lines(self, taxes, asked):
        """Compare the tax of each line with the books."""
        booked = {}
        for tax in taxes:
            booked[tax.line] = booked.get(tax.line, ZERO) + tax.amount
        for one in asked:
            here = booked.get(one.line.number, ZERO)
            if not one.shipping and self.lines.get(one.reference) != here:
                words = f"recorded line {one.line.number} with another tax than {here}"
                raise broken(words, "line_items.amount_tax")
