"""What TaxJar calculated, read strictly."""

from dataclasses import dataclass, replace
from decimal import Decimal

from odoo.addons.finance_connector_base.providers.errors import ContractBroken

from ..canonical import tax as canonical
from ..canonical.shares import split
from ..canonical.tax import JurisdictionTax, TaxResult, ZeroReason
from .taxjar_order import CENT, EXEMPTIONS

ZERO = Decimal(0)


@dataclass(frozen=True)
class Part:
    """The fields of one kind of tax: in the breakdown of a line, and of the whole order."""

    kind: str
    taxable: str
    rate: str
    tax: str
    order_tax: str
    tax_name: str = ""


PARTS = (
    Part(
        "state",
        "state_taxable_amount",
        "state_sales_tax_rate",
        "state_amount",
        "state_tax_collectable",
    ),
    Part(
        "county",
        "county_taxable_amount",
        "county_tax_rate",
        "county_amount",
        "county_tax_collectable",
    ),
    Part("city", "city_taxable_amount", "city_tax_rate", "city_amount", "city_tax_collectable"),
    Part(
        "special",
        "special_district_taxable_amount",
        "special_tax_rate",
        "special_district_amount",
        "special_district_tax_collectable",
    ),
    Part(
        "country",
        "country_taxable_amount",
        "country_tax_rate",
        "country_tax_collectable",
        "country_tax_collectable",
    ),
    # Canada
    Part("country", "gst_taxable_amount", "gst_tax_rate", "gst", "gst", "GST"),
    Part("state", "pst_taxable_amount", "pst_tax_rate", "pst", "pst", "PST"),
    Part("state", "qst_taxable_amount", "qst_tax_rate", "qst", "qst", "QST"),
)
# Shipping has the fields of a line, but for this one.
OF_SHIPPING = {"special_district_taxable_amount": "special_taxable_amount"}


def broken(words: str, field: str) -> ContractBroken:
    """Return the failure "TaxJar …" of an answer that is not what was asked."""
    return ContractBroken(f"TaxJar {words}", code="contract", field=field)


class TaxReader:
    """Reads the answer of POST /taxes against what was asked: a document and its `Order`."""

    def __init__(self, document, order, answer):
        self.document = document
        self.order = order
        self.answer = answer
        to = document.ship_to
        places = answer.object("jurisdictions", default=None)
        self.names = {
            name: places.text(name, default="") if places else ""
            for name in ("country", "state", "county", "city")
        }
        self.country = self.names["country"] or to.country
        self.region = self.names["state"] or to.region

    def result(self) -> TaxResult:
        """Return the result; whatever does not fit together is `ContractBroken`."""
        total = self.answer.decimal("amount_to_collect")
        breakdown = self.answer.object("breakdown", default=None)
        has_nexus = self.answer.boolean("has_nexus")
        taxes = self._taxes(breakdown) if breakdown and has_nexus else []
        if sum((tax.amount for tax in taxes), ZERO) != total:
            raise broken("gives parts that do not add up to amount_to_collect", "breakdown")
        return TaxResult(
            code="",
            status=canonical.QUOTED,
            currency=self.document.currency,
            total_tax=total,
            **taxable(self.document, taxes),
            taxes=tuple(taxes),
            reasons=tuple(self._reasons(taxes, has_nexus)),
        )

    def _taxes(self, breakdown):
        items = {item.line.number: item for item in self.order.items}
        rows = [(_text_of(row, "id"), row) for row in breakdown.list("line_items", default=[])]
        if sorted(number for number, _row in rows) != sorted(items):
            raise broken("does not answer each line once", "breakdown.line_items.id")
        taxes = []
        for number, row in rows:
            taxes += self._line(row, number, items[number].amount)
        shipping = breakdown.object("shipping", default=None)
        if shipping and self.order.freight:
            taxes += self._shipping(shipping)
        for part in PARTS:
            taxes = _fitted(breakdown, part, taxes)
        return taxes

    def _line(self, row, number, amount):
        parts = (self._part(row, part, number, amount) for part in PARTS)
        taxes = [tax for tax in parts if tax]
        said = row.decimal("tax_collectable")
        if abs(sum((tax.amount for tax in taxes), ZERO) - said) > CENT * len(taxes):
            words = f"gives parts of line {number} that do not add up"
            raise broken(words, "line_items.tax_collectable")
        return taxes

    def _part(self, row, part, number, amount):
        rate = row.decimal(part.rate, default=ZERO)
        tax = row.decimal(part.tax, default=ZERO)
        if not rate and not tax:
            return None
        name = part.taxable if part.taxable in row.payload else OF_SHIPPING.get(part.taxable)
        base = row.decimal(name or part.taxable)
        authority = self._authority(part)
        return JurisdictionTax(
            line=number,
            kind=part.kind,
            # TaxJar has no codes of jurisdictions
            code=f"{authority} {part.tax_name}" if part.tax_name else authority,
            name=authority,
            country=self.country,
            region="" if part.kind == "country" else self.region,
            rate=rate,
            taxable=base,
            amount=tax,
            exempt=amount - base,
            tax_name=part.tax_name,
        )

    def _authority(self, part):
        if part.kind == "special":
            return f"{self.region} special districts"
        own = {"country": self.country, "state": self.region}.get(part.kind)
        return own or self.names.get(part.kind) or part.kind

    def _shipping(self, row):
        """Return the taxes of the shipping, shared out to the lines that it consists of."""
        freight = self.order.freight
        taxes = self._line(row, next(iter(freight)), self.order.shipping)
        shared = []
        for tax in taxes:
            amounts, bases, rest = (
                split(whole, freight, CENT) for whole in (tax.amount, tax.taxable, tax.exempt)
            )
            shared += [
                replace(
                    tax, line=line, amount=amounts[line], taxable=bases[line], exempt=rest[line]
                )
                for line in freight
            ]
        return shared

    def _reasons(self, taxes, has_nexus):
        # a tax that is too small for a cent is no exemption
        taxed = {tax.line for tax in taxes if tax.taxable and tax.rate}
        exemption = self.answer.text("exemption_type", default="")
        reason, words = canonical.NOT_TAXABLE, ""
        if not has_nexus:
            reason = canonical.NO_NEXUS
        elif exemption in EXEMPTIONS:
            reason, words = canonical.EXEMPT, exemption
        for line in self.document.lines:
            if line.number not in taxed and line.amount > 0:
                yield ZeroReason(line.number, reason, words)


def _fitted(breakdown, part, taxes):
    """Make the lines add up to the order's own tax of one kind.

    TaxJar rounds lines and order each by itself, and the order's amounts are what is collected and
    declared. Only cents of rounding go to the largest line; more is a broken answer.
    """
    said = breakdown.decimal(part.order_tax, default=None)
    mine = [tax for tax in taxes if (tax.kind, tax.tax_name) == (part.kind, part.tax_name)]
    if said is None or not mine and not said:
        return taxes
    gap = said - sum((tax.amount for tax in mine), ZERO)
    if abs(gap) > CENT * len(mine):
        words = f"gives lines that do not add up to its {part.order_tax}"
        raise broken(words, f"breakdown.{part.order_tax}")
    if not gap:
        return taxes
    largest = max(mine, key=lambda tax: tax.amount)
    return [replace(tax, amount=tax.amount + gap) if tax is largest else tax for tax in taxes]


def taxable(document, taxes) -> dict:
    """Return total_taxable and total_exempt of a document with these taxes."""
    by_line = {}
    for tax in taxes:
        by_line[tax.line] = max(by_line.get(tax.line, ZERO), tax.taxable)
    base = sum(by_line.values(), ZERO)
    whole = sum((line.amount for line in document.lines), ZERO)
    return {"total_taxable": base, "total_exempt": whole - base}


def _text_of(answer, name):
    value = answer.payload.get(name)
    return str(value) if isinstance(value, int) else answer.text(name)
