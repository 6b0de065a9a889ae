"""The language that invoices and tax engines meet in.

Signs: amounts of an invoice and of a credit note are both positive here, as they are on an Odoo
invoice line; ``kind`` says which of the two it is, and the provider turns the sign where its vendor
wants negative returns. A discount line is negative in both. Amounts are `Decimal` in the currency
of the document, dates are business dates of the company.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

INVOICE = "invoice"
REFUND = "refund"

# What an engine says of a document.
QUOTED = "quoted"  # calculated, not kept
SAVED = "saved"  # kept, not yet to be declared
RECORDED = "recorded"  # kept, and declared with the next return
VOIDED = "voided"  # kept as void, never declared
ABSENT = "absent"  # the engine has no such document

JURISDICTION_KINDS = ("country", "state", "county", "city", "special")


@dataclass(frozen=True)
class Address:
    """A postal address. region and country are ISO 3166 codes (region without the country)."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True)
class TaxLine:
    """One line to tax.

    number: identifies the line in the answer; engines return results by it, never by product.
    amount: extended amount without tax, net of discounts. quantity: always positive.
    description: for people; not part of what the tax depends on.
    """

    number: str
    amount: Decimal
    quantity: Decimal
    item_code: str = ""
    tax_code: str = ""
    description: str = ""


@dataclass(frozen=True)
class TaxDocument:
    """An invoice or credit note to tax or to record.

    code: the name under which the engine keeps it; empty for a question that is not kept.
    seller: the engine's code of the selling company. date: document date.
    tax_date: date of the rates when it is another one (the original's date on a credit note).
    exchange_rate: value of one unit of ``currency`` in the company's currency, None when equal.
    exemption_number and entity_use_code: at most one of the two is sent to an engine.
    original_code: the recorded document that a credit note takes back.
    """

    kind: str
    seller: str
    customer: str
    currency: str
    date: date
    ship_from: Address
    ship_to: Address
    lines: tuple[TaxLine, ...]
    code: str = ""
    tax_date: date | None = None
    exemption_number: str = ""
    entity_use_code: str = ""
    vat_number: str = ""
    reference: str = ""
    exchange_rate: Decimal | None = None
    original_code: str = ""

    def content(self) -> "TaxDocument":
        """Return only what the tax depends on: two documents of equal content have equal tax.

        Names, references and the exchange rate are left out, so that renaming a line or a new
        rate costs no question.
        """
        return replace(
            self,
            code="",
            reference="",
            exchange_rate=None,
            original_code="",
            lines=tuple(replace(line, description="") for line in self.lines),
        )


@dataclass(frozen=True)
class TaxReference:
    """Names a document at the engine."""

    kind: str
    seller: str
    code: str


@dataclass(frozen=True)
class JurisdictionTax:
    """The tax of one authority on one line.

    line: number of the line. kind: one of `JURISDICTION_KINDS`. rate: a fraction (0.0625).
    taxable and amount may be zero where the line or the customer is exempt.
    """

    line: str
    kind: str
    code: str
    name: str
    country: str
    region: str
    rate: Decimal
    taxable: Decimal
    amount: Decimal
    exempt: Decimal = Decimal(0)
    tax_name: str = ""

    @property
    def key(self) -> str:
        """Return what tells this tax from all others: where, who, and the rate.

        A county's code is unique only inside its state, and the same authority has several rates.
        """
        rate = format(self.rate.normalize(), "f")
        return "/".join((self.country, self.region, self.kind, self.code, rate))


@dataclass(frozen=True)
class TaxResult:
    """What an engine answered about a document.

    status: one of QUOTED, SAVED, RECORDED, VOIDED, ABSENT. The sum of ``taxes`` is ``total_tax``.
    messages: the engine's remarks, in its own words.
    """

    code: str
    status: str
    currency: str
    total_tax: Decimal
    total_taxable: Decimal
    total_exempt: Decimal
    taxes: tuple[JurisdictionTax, ...] = ()
    messages: tuple[str, ...] = ()
    engine_id: str = ""

    def by_key(self) -> dict[str, Decimal]:
        """Return the tax per `JurisdictionTax.key`, without those that come to nothing."""
        totals: dict[str, Decimal] = {}
        for tax in self.taxes:
            totals[tax.key] = totals.get(tax.key, Decimal(0)) + tax.amount
        return {key: amount for key, amount in totals.items() if amount}
