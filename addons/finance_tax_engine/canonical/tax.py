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

# Codes of a `Rejected` that every engine uses for the same thing, whatever its own word is.
LOCKED = "locked"  # the document was filed with a return and takes no change
AMOUNTS_CHANGED = "amounts_changed"  # the tax would no longer be what is booked

# Why a recorded document is replaced.
ADJUSTMENT_REASONS = (
    "sourcing",
    "ledger",
    "exempt",
    "price",
    "returned",
    "exchanged",
    "bad_debt",
    "offline",
    "other",
)

# Why a line has no tax.
NO_NEXUS = "no_nexus"  # the seller has nothing to do with the place
NOT_REGISTERED = "not_registered"  # the seller is not registered for tax there
EXEMPT = "exempt"  # the customer or this sale to him is exempt
NOT_TAXABLE = "not_taxable"  # the place does not tax such a product, or taxes it at 0 %
REVERSE_CHARGE = "reverse_charge"  # the customer owes the tax
UNKNOWN = "unknown"  # the engine does not say; also: an address that it can't find

# What an engine says of an address.
VALID = "valid"
CORRECTED = "corrected"


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
    amount: extended amount net of discounts, without tax unless ``tax_included``. quantity: always
    positive. description: for people; not part of what the tax depends on. gtin: the product's
    worldwide number (UPC, EAN; 8 to 14 digits), None when it has none. tax_included: the tax is
    inside the amount and is to be taken out; None stands for no.
    """

    number: str
    amount: Decimal
    quantity: Decimal
    item_code: str = ""
    tax_code: str = ""
    description: str = ""
    gtin: str | None = None
    tax_included: bool | None = None


@dataclass(frozen=True)
class TaxDocument:
    """An invoice or credit note to tax or to record.

    code: the name under which the engine keeps it; empty for a question that is not kept.
    seller: the engine's code of the selling company. date: document date.
    tax_date: date of the rates when it is another one (the original's date on a credit note).
    exchange_rate: value of one unit of ``currency`` in the company's currency, None when equal.
    exemption_number and entity_use_code: at most one of the two is sent to an engine.
    original_code: the recorded document that a credit note takes back; original_id: the engine's own
    id of it. quote_id: `TaxResult.engine_id` of the quote that the booked amounts come from, for
    engines that record a quote. booked: the tax as it stands in the books, for engines that are
    told it. basis: version of what an engine without a vendor calculates from.
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
    quote_id: str | None = None
    original_id: str | None = None
    booked: tuple["JurisdictionTax", ...] | None = None
    basis: str | None = None

    def content(self) -> "TaxDocument":
        """Return only what the tax depends on: two documents of equal content have equal tax.

        Names, references, the quote, what is booked and the exchange rate are left out, so that
        renaming a line or a new rate costs no question.
        """
        return replace(
            self,
            code="",
            reference="",
            exchange_rate=None,
            original_code="",
            quote_id=None,
            original_id=None,
            booked=None,
            lines=tuple(replace(line, description="") for line in self.lines),
        )

    def booked_by_key(self) -> dict[str, Decimal]:
        """Return what is booked per `JurisdictionTax.key`, without what comes to nothing."""
        return sum_by_key(self.booked or ())


@dataclass(frozen=True)
class TaxAdjustment:
    """A recorded document to be replaced under its code.

    reason: one of `ADJUSTMENT_REASONS`. words: why, for people.
    """

    document: TaxDocument
    reason: str
    words: str = ""


@dataclass(frozen=True)
class TaxReference:
    """Names a document at the engine.

    engine_id: the engine's own id of it, where a code alone can't find it.
    """

    kind: str
    seller: str
    code: str
    engine_id: str = ""


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


def sum_by_key(taxes) -> dict[str, Decimal]:
    """Return the amounts of taxes per `JurisdictionTax.key`, without those that come to nothing."""
    totals: dict[str, Decimal] = {}
    for tax in taxes:
        totals[tax.key] = totals.get(tax.key, Decimal(0)) + tax.amount
    return {key: amount for key, amount in totals.items() if amount}


@dataclass(frozen=True)
class ZeroReason:
    """Why a line has no tax.

    line: number of the line. code: NO_NEXUS, NOT_REGISTERED, EXEMPT, NOT_TAXABLE, REVERSE_CHARGE or
    UNKNOWN. words: what the engine says more: the place, the number or use code of the exemption,
    the tax code of the product; "" when it says nothing.
    """

    line: str
    code: str
    words: str = ""


@dataclass(frozen=True)
class TaxResult:
    """What an engine answered about a document.

    status: one of QUOTED, SAVED, RECORDED, VOIDED, ABSENT. The sum of ``taxes`` is ``total_tax``.
    messages: the engine's remarks, in its own words. engine_id: the engine's own id of the quote or
    of the document. reasons: one for each line without tax. locked: filed, takes no change.
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
    reasons: tuple[ZeroReason, ...] = ()
    locked: bool = False

    def by_key(self) -> dict[str, Decimal]:
        """Return the tax per `JurisdictionTax.key`, without those that come to nothing."""
        return sum_by_key(self.taxes)


@dataclass(frozen=True)
class RecordedDocument:
    """One document that an engine keeps, as its list tells it.

    code: under which it is kept. kind: INVOICE or REFUND. status: SAVED, RECORDED or VOIDED.
    date: document date. total_amount (without tax) and total_tax: in ``currency``, with the signs
    of an invoice line, so positive on an ordinary credit note. by_key: tax per
    `JurisdictionTax.key` as `TaxResult.by_key` has it, None when the list does not say.
    """

    code: str
    kind: str
    status: str
    date: date
    currency: str
    total_amount: Decimal
    total_tax: Decimal
    by_key: dict[str, Decimal] | None = None
    locked: bool = False
    engine_id: str = ""


@dataclass(frozen=True)
class AddressAnswer:
    """What an engine knows of an address.

    status: VALID (``suggestion`` may differ in case or have a longer postal code), CORRECTED
    (``suggestion`` is how it should be written) or UNKNOWN. messages: the engine's own words.
    """

    status: str
    suggestion: Address | None = None
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nexus:
    """A place where the seller has to charge tax, as declared at the engine.

    kind: one of `JURISDICTION_KINDS`. region: ISO 3166-2 code without the country, "" for a
    country. start, end: first and last day, None when open.
    """

    country: str
    region: str
    kind: str
    code: str
    name: str
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class TaxCode:
    """A product category of an engine's list."""

    code: str
    description: str


@dataclass(frozen=True)
class EntityUseCode:
    """A reason for which customers are exempt. countries: ISO 3166 codes, empty = everywhere."""

    code: str
    name: str
    description: str = ""
    countries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Certificate:
    """An exemption certificate of a customer, as kept at the engine.

    country, region: where it holds. reason: the engine's words. valid: the engine would apply it
    today. start, end: first and last day, None when open.
    """

    engine_id: str
    number: str
    country: str
    region: str
    reason: str
    valid: bool
    start: date | None = None
    end: date | None = None
