"""The calculation of one document: which tax each line has, and why it has none."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from .. import us_tax
from .accounts import COMPANIES
from .checks import check_date
from .errors import fail
from .models import AddressBook, transaction_model
from .nexus import place_of

D = Decimal
ZERO = D(0)

#: exemptReasonId where neither a certificate nor a lack of nexus says something else.
NO_REASON = 4
TAXABLE = "TAXABLE"


@dataclass(frozen=True, slots=True)
class Exemption:
    """Why a line is exempt: a number or use code of the request, or a certificate on file."""

    number: str = ""
    certificate_id: int = 0
    reason_id: int = NO_REASON


@dataclass(slots=True)
class TaxedLine:
    """One line of the request with its tax; ``calculated`` is the tax without overrides."""

    given: dict
    place: us_tax.Place
    has_nexus: bool
    exemption: Exemption | None
    discount: Decimal
    result: us_tax.LineTax
    calculated: Decimal = ZERO


class Calculation:
    """Turns one CreateTransactionModel into the TransactionModel that answers it."""

    def __init__(self, vendor, model, company, kind, code, document_id):
        self.vendor = vendor
        self.given = model
        self.company = company
        self.kind = kind
        self.code = code
        self.id = document_id
        self.currency = model.get("currencyCode") or COMPANIES[company][2]
        self.unit = us_tax.quantum(self.currency)
        override = model.get("taxOverride") or {}
        self.override = _known_override(override)
        self.tax_date = self._tax_date(override)
        self.addresses = AddressBook(vendor, document_id)
        self.messages = []

    def model(self):
        """Return the TransactionModel, in status Temporary."""
        discounts = _discounts(self.given, self.unit)
        pairs = zip(self.given["lines"], discounts, strict=True)
        lines = [self._tax(line, discount) for line, discount in pairs]
        results = [line.result for line in lines]
        us_tax.add_last_line_cents(results, self.unit)
        for line in lines:
            line.calculated = line.result.tax
        self._override_tax(results)
        return transaction_model(self, lines)

    def ship_to(self, line):
        """Return the destination of a line; refuse an incomplete one."""
        return _ship_to(line.get("addresses") or self.given.get("addresses"))

    def ship_from(self, line):
        """Return the origin of a line, its destination when there is none."""
        addresses = line.get("addresses") or self.given.get("addresses") or {}
        return addresses.get("shipFrom") or addresses.get("singleLocation") or self.ship_to(line)

    def _tax_date(self, override):
        if override.get("type") == "TaxDate" and override.get("taxDate"):
            check_date(override["taxDate"], "taxDate")
            return override["taxDate"][:10]
        return self.given["date"][:10]

    def _tax(self, line, discount):
        ship_to = self.ship_to(line)
        place, has_nexus = place_of(ship_to, self.vendor.nexus_of(self.company, self.tax_date))
        self.addresses.remember(self.ship_from(line))
        self.addresses.remember(ship_to)
        if place.why_no_tax:
            self._message("No tax", place.why_no_tax)
        exemption = self._exemption(line, place) if has_nexus else None
        result = us_tax.tax_line(
            D(line["amount"]) - discount,
            line.get("taxCode") or "P0000000",
            place,
            self.tax_date,
            self.unit,
            bool(exemption),
            bool(line.get("taxIncluded")),
        )
        return TaxedLine(line, place, has_nexus, exemption, discount, result)

    def _exemption(self, line, place):
        """Return why a line is exempt, None when it is not.

        A certificate on file comes before the number and the use code of the request
        (TransactionModel.exemptNo).
        """
        codes = [
            source.get("entityUseCode") or source.get("customerUsageType") or ""
            for source in (line, self.given)
        ]
        if any(_is_exemption(source) for source in (line, self.given)):
            return Exemption()
        if next(filter(None, codes), "") == TAXABLE:
            return None
        certificate = self.vendor.certificate_for(
            self.company, self.given["customerCode"], place, self.tax_date
        )
        if certificate:
            reason = certificate["exemptionReason"]["id"]
            return Exemption(certificate.get("exemptionNumber", ""), certificate["id"], reason)
        number = line.get("exemptionCode") or self.given.get("exemptionNo") or ""
        if number or any(code in us_tax.EXEMPT_USE_CODES for code in codes):
            return Exemption(number)
        return None

    def _override_tax(self, results):
        """Apply TaxAmount overrides of lines, else of the document, in proportion to the tax."""
        for line, result in zip(self.given["lines"], results, strict=True):
            override = line.get("taxOverride") or {}
            if _known_override(override) == "TaxAmount":
                _spread(D(override.get("taxAmount") or 0), result.shares, self.unit)
        if self.override == "TaxAmount":
            shares = [share for result in results for share in result.shares]
            _spread(D(self.given["taxOverride"].get("taxAmount") or 0), shares, self.unit)

    def _message(self, summary, details):
        message = {
            "summary": summary,
            "details": details,
            "refersTo": "Addresses",
            "severity": "Success",
            "source": "Avalara.AvaTax.Services.Tax",
        }
        if message not in self.messages:
            self.messages.append(message)


def _ship_to(addresses):
    addresses = addresses or {}
    found = addresses.get("shipTo") or addresses.get("singleLocation")
    if not found:
        raise fail("MissingAddress")
    country = (found.get("country") or "US").upper()
    complete = found.get("postalCode") or (found.get("city") and found.get("region"))
    located = "latitude" in found and "longitude" in found
    if country == "US" and not complete and not located and not found.get("locationCode"):
        raise fail(
            "GetTaxError",
            "Address (origin or destination) is incomplete or invalid.",
            sub_code="TaxAddressError",
            refers_to="Addresses",
        )
    return found


def _discounts(model, unit):
    """Return each line's part of the document discount, in proportion to the amounts."""
    lines, discount = model["lines"], D(model.get("discount") or 0)
    parts = [ZERO] * len(lines)
    if not discount:
        return parts
    chosen = [index for index, line in enumerate(lines) if line.get("discounted")]
    total = sum((D(lines[index]["amount"]) for index in chosen), ZERO)
    left = discount
    for index in chosen:
        last = index == chosen[-1]
        part = left if last else discount * D(lines[index]["amount"]) / (total or 1)
        parts[index] = part.quantize(unit, ROUND_HALF_UP)
        left -= parts[index]
    return parts


def _known_override(override):
    """Return the type of an override; refuse those that this stand-in does not know."""
    kind = override.get("type") or "None"
    if kind not in ("None", "TaxDate", "TaxAmount", "Exemption"):
        raise fail("GetTaxError", "Tax override cannot be applied.", sub_code="TaxOverrideError")
    return kind


def _is_exemption(source):
    return _known_override(source.get("taxOverride") or {}) == "Exemption"


def _spread(amount, shares, unit):
    """Give ``amount`` of tax to the shares in proportion to their tax; the rest to the first."""
    total = sum((share.tax for share in shares), ZERO)
    if not shares:
        return
    for share in shares:
        share.tax = (amount * share.tax / total).quantize(unit) if total else ZERO
    shares[0].tax += amount - sum((share.tax for share in shares), ZERO)
