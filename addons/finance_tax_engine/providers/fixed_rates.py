"""Tax from a table of rates, with no vendor outside.

The table comes as plain values in ``config.data``: ``{"table": RateTable, "decimals": {currency:
digits}}``. Odoo keeps what is recorded (``finance.tax.document``), so there is nothing to look up
or to list here.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from odoo.addons.finance_connector_base.providers.errors import Rejected

from ..canonical import tax as canonical
from ..canonical.tax import (
    Address,
    JurisdictionTax,
    Nexus,
    TaxCode,
    TaxDocument,
    TaxReference,
    TaxResult,
    ZeroReason,
)
from .engine import TaxEngine

ZERO = Decimal(0)
MOST_CODES = 100


@dataclass(frozen=True)
class Rate:
    """One row: what an authority takes at a place, from ``start`` to ``end`` (both included).

    country: ISO 3166. region, city, tax_code: "" = all. zip_from, zip_to: the first and last postal
    code, or beginnings of them, "" = open. kind: one of ``canonical.tax.JURISDICTION_KINDS``. rate: a
    fraction (0.0625). zero_reason: why nothing is due where the rate is 0. reverse_charge: customers
    of another country who have a VAT number owe the tax themselves.
    """

    country: str
    kind: str
    name: str
    rate: Decimal
    code: str = ""
    region: str = ""
    city: str = ""
    zip_from: str = ""
    zip_to: str = ""
    tax_code: str = ""
    start: date | None = None
    end: date | None = None
    zero_reason: str = canonical.NOT_TAXABLE
    reverse_charge: bool = False

    def applies(self, address: Address, day: date) -> bool:
        """Tell whether the row holds at an address on a day."""
        return (
            (self.start is None or self.start <= day)
            and (self.end is None or day <= self.end)
            and self.region in ("", address.region)
            and (not self.city or _same(self.city, address.city))
            and self._holds_zip(_compact(address.postal_code))
        )

    def _holds_zip(self, postal_code):
        first, last = _compact(self.zip_from), _compact(self.zip_to)
        if not first and not last:
            return True
        return bool(postal_code) and (
            postal_code[: len(first)] >= first and (not last or postal_code[: len(last)] <= last)
        )

    @property
    def precision(self) -> tuple:
        """Return how narrow the row is: of one authority's rows the narrowest counts."""
        return tuple(
            map(bool, (self.tax_code, self.zip_from or self.zip_to, self.city, self.region))
        )


class RateTable:
    """The rates of a company. version: tells one content of the table from another."""

    def __init__(self, rates=(), version=""):
        self.rates = tuple(rates)
        self.version = version
        self._by_country = defaultdict(list)
        for rate in self.rates:
            self._by_country[rate.country].append(rate)

    def at(self, address: Address, day: date) -> list[Rate]:
        """Return the rows that hold at an address on a day, of all tax codes."""
        return [rate for rate in self._by_country[address.country] if rate.applies(address, day)]


def chosen(rates: list[Rate], tax_code: str) -> list[Rate]:
    """Return the rows that count for a tax code: one of each authority, the narrowest.

    Raises Rejected when two are equally narrow: the table says two things at once.
    """
    authorities = defaultdict(list)
    for rate in rates:
        if not rate.tax_code or _same(rate.tax_code, tax_code):
            authorities[rate.kind, rate.code or rate.name].append(rate)
    found = []
    for rows in authorities.values():
        first, *others = sorted(rows, key=lambda rate: rate.precision, reverse=True)
        if others and others[0].precision == first.precision:
            raise Rejected(
                f"The table of rates has two rows for {first.name} that hold at once:"
                f" {first.rate:%} and {others[0].rate:%}. Correct their places or dates",
                code="ambiguous",
            )
        found.append(first)
    return sorted(found, key=lambda rate: canonical.JURISDICTION_KINDS.index(rate.kind))


class FixedRates(TaxEngine):
    """Fixed rates from a table in Odoo.

    - **Rounding**: the tax of each authority is rounded half up on every line, to the smallest
      amount of the document's currency; what a document owes an authority is the sum of its lines.
    - **Prices with tax**: each authority's part is taken out and rounded likewise; what is left is
      the price without tax.
    - **Rates** are those of the tax date (a credit note: its invoice's), at the delivery address.
    - **No row** for a destination is no zero: the document is refused. A row with 0 % and a reason
      says that nothing is due.
    - **Exempt** customers (certificate number or entity use code) owe nothing anywhere.
    - **Recorded documents** are kept by Odoo: recording, adjusting and voiding always succeed.
    """

    code, label = "fixed_rates", "Fixed rates (table in Odoo)"
    offline = True
    capabilities = frozenset({"adjust", "nexus", "tax_codes"})
    takes_prices_with_tax = True

    def ping(self) -> str:
        """Return words about the table."""
        rates = self._table.rates
        if not rates:
            raise Rejected(
                "The table of rates is empty. Add rows under Finance Connect > Configuration > Tax"
                " Rates, or import them there",
                code="empty",
            )
        countries = sorted({rate.country for rate in rates})
        return f"{len(rates)} rates in {', '.join(countries)}"

    def quote(self, document: TaxDocument) -> TaxResult:
        """Calculate from the table."""
        day = document.tax_date or document.date
        rates = self._table.at(document.ship_to, day)
        taxes, reasons = [], []
        for line in document.lines:
            rows = chosen(rates, line.tax_code)
            if not rows:
                raise _no_rate(document.ship_to, day, line)
            parts = self._taxes(line, rows, document)
            taxes += parts
            if not any(tax.taxable for tax in parts) and line.amount:
                reasons.append(_why(line, rows, document))
        return self._result(document, canonical.QUOTED, taxes, reasons)

    def commit(self, document: TaxDocument) -> TaxResult:
        """Say that the document is recorded, with the tax that was booked."""
        if document.booked is not None:
            return self._result(document, canonical.RECORDED, document.booked)
        quoted = self.quote(document)
        return self._result(document, canonical.RECORDED, quoted.taxes, quoted.reasons)

    def adjust(self, document: TaxDocument, reason: str, words: str = "") -> TaxResult:
        """Say that the document is recorded anew."""
        return self.commit(document)

    def void(self, reference: TaxReference) -> TaxResult:
        """Say that the document is void."""
        return TaxResult(reference.code, canonical.VOIDED, "", ZERO, ZERO, ZERO)

    def nexus(self, seller: str) -> tuple[Nexus, ...]:
        """Return the places that the table has rates above zero for."""
        places = {}
        for rate in self._table.rates:
            if rate.rate:
                places.setdefault((rate.country, rate.region), []).append(rate)
        return tuple(
            Nexus(
                country=country,
                region=region,
                kind="state" if region else "country",
                code=region or country,
                name=region or country,
                start=_edge(min, [rate.start for rate in rates]),
                end=_edge(max, [rate.end for rate in rates]),
            )
            for (country, region), rates in sorted(places.items())
        )

    def tax_codes(self, text: str) -> tuple[TaxCode, ...]:
        """Return the tax codes of the table that have ``text`` in them."""
        codes = sorted({rate.tax_code for rate in self._table.rates if rate.tax_code})
        found = [TaxCode(code, code) for code in codes if text.lower() in code.lower()]
        return tuple(found[:MOST_CODES])

    # === CALCULATION === #

    @property
    def _table(self):
        return self.config.data.get("table") or RateTable()

    def _taxes(self, line, rows, document):
        """Return the `JurisdictionTax` of each row on a line."""
        digits = self.config.data.get("decimals", {}).get(document.currency, 2)
        unit = Decimal(1).scaleb(-digits)
        rates = [ZERO if _is_not_owed(row, document) else row.rate for row in rows]
        price = 1 + sum(rates) if line.tax_included else 1
        amounts = [(line.amount * rate / price).quantize(unit, ROUND_HALF_UP) for rate in rates]
        net = line.amount - sum(amounts) if line.tax_included else line.amount
        return [
            JurisdictionTax(
                line=line.number,
                kind=row.kind,
                code=row.code or row.name,
                name=row.name,
                country=row.country,
                region="" if row.kind == "country" else row.region,
                rate=row.rate,
                taxable=net if rate else ZERO,
                amount=amount,
                exempt=ZERO if rate else net,
            )
            for row, rate, amount in zip(rows, rates, amounts, strict=True)
        ]

    @staticmethod
    def _result(document, status, taxes, reasons=()):
        included = {line.number for line in document.lines if line.tax_included}
        by_line, inside = defaultdict(Decimal), ZERO
        for tax in taxes:
            by_line[tax.line] = max(by_line[tax.line], tax.taxable, key=abs)
            inside += tax.amount if tax.line in included else ZERO
        taxable = sum(by_line.values(), ZERO)
        return TaxResult(
            code=document.code if status == canonical.RECORDED else "",
            status=status,
            currency=document.currency,
            total_tax=sum((tax.amount for tax in taxes), ZERO),
            total_taxable=taxable,
            total_exempt=sum((line.amount for line in document.lines), ZERO) - inside - taxable,
            taxes=tuple(taxes),
            reasons=tuple(reasons),
        )


def _is_exempt(document):
    return bool(document.exemption_number or document.entity_use_code)


def _is_not_owed(row, document):
    return _is_exempt(document) or _is_reversed(row, document)


def _is_reversed(row, document):
    abroad = document.ship_from.country != document.ship_to.country
    return row.reverse_charge and abroad and bool(document.vat_number)


def _why(line, rows, document):
    if _is_exempt(document):
        words = document.entity_use_code or document.exemption_number
        return ZeroReason(line.number, canonical.EXEMPT, words)
    if any(_is_reversed(row, document) for row in rows):
        return ZeroReason(line.number, canonical.REVERSE_CHARGE, document.vat_number)
    return ZeroReason(line.number, rows[0].zero_reason, rows[0].name)


def _no_rate(address, day, line):
    place = ", ".join(
        part
        for part in (address.city, address.postal_code, address.region, address.country)
        if part
    )
    of = f" of tax code {line.tax_code}" if line.tax_code else ""
    return Rejected(
        f"The table of rates has no row for goods{of} delivered to {place} on {day}. Add one under"
        " Finance Connect > Configuration > Tax Rates, with 0 % and a reason where nothing is due",
        code="no_rate",
    )


def _edge(choose, days):
    return None if None in days else choose(days)


def _same(one, other):
    return one.strip().casefold() == other.strip().casefold()


def _compact(postal_code):
    return "".join(postal_code.split()).upper()
