"""AvaTax's models read into canonical values. The contract is named in ``avatax.py``.

Each function gets an `Answer`, which refuses what the contract does not promise.
"""

from datetime import date
from decimal import Decimal

from odoo.addons.finance_connector_base.providers.errors import ContractBroken

from ..canonical import tax as canonical
from ..canonical.tax import (
    Address,
    AddressAnswer,
    Certificate,
    JurisdictionTax,
    Nexus,
    RecordedDocument,
    ZeroReason,
    sum_by_key,
)
from .avatax_const import (
    API_VERSION,
    EXEMPT_RULE,
    KINDS,
    NEXUS_RULE,
    RECORDED_KINDS,
    SIGNS,
    STATUSES,
)

ZERO = Decimal(0)


def line_taxes(line, sign):
    """Return the `JurisdictionTax` values of a TransactionLineModel; ``sign`` is -1 on returns."""
    number = line.text("lineNumber")
    taxes = [_detail(detail, number, sign) for detail in line.list("details", default=[])]
    if sum((tax.amount for tax in taxes), ZERO) != amount(line, "tax", sign):
        raise ContractBroken(
            f"AvaTax: the details of line {number} do not add up to its tax",
            field="transaction.lines.tax",
            version=API_VERSION,
        )
    return taxes


def _detail(detail, number, sign):
    return JurisdictionTax(
        line=number,
        kind=detail.choice("jurisdictionType", KINDS, default=None)
        or detail.choice("jurisType", KINDS),
        code=detail.text("jurisCode"),
        name=detail.text("jurisName"),
        country=detail.text("country"),
        region=detail.text("region", default=""),
        rate=detail.decimal("rate"),
        taxable=amount(detail, "taxableAmount", sign),
        amount=amount(detail, "tax", sign),
        exempt=amount(detail, "exemptAmount", sign, default=ZERO)
        + amount(detail, "nonTaxableAmount", sign, default=ZERO),
        tax_name=detail.text("taxName", default=""),
    )


def zero_reason(line, messages):
    """Return the `ZeroReason` of a line without tax.

    None for a line that is taxed, that comes to nothing, or whose tax is less than half a cent.
    """
    if line.decimal("tax") or not line.decimal("lineAmount", default=Decimal(1)):
        return None
    number, details = line.text("lineNumber"), line.list("details", default=[])
    if any(one.decimal("taxableAmount") and one.decimal("rate") for one in details):
        return None
    if not details:
        return ZeroReason(number, canonical.UNKNOWN, " ".join(messages))
    rules = {one.text("nonTaxableType", default=""): one for one in details}
    if NEXUS_RULE in rules:
        return ZeroReason(number, canonical.NO_NEXUS, rules[NEXUS_RULE].text("jurisName"))
    if EXEMPT_RULE in rules or any(one.decimal("exemptAmount", default=ZERO) for one in details):
        given = line.text("exemptNo", default="") or line.text("entityUseCode", default="")
        return ZeroReason(number, canonical.EXEMPT, given)
    return ZeroReason(number, canonical.NOT_TAXABLE, line.text("taxCode", default=""))


def recorded_document(row):
    """Return the `RecordedDocument` of a TransactionModel with its summary."""
    sign = row.choice("type", SIGNS)
    taxes = [_summary(part, sign) for part in row.list("summary", default=[])]
    total = amount(row, "totalTax", sign)
    complete = sum((tax.amount for tax in taxes), ZERO) == total
    return RecordedDocument(
        code=row.text("code"),
        kind=row.choice("type", RECORDED_KINDS),
        status=row.choice("status", STATUSES),
        date=row.date("date"),
        currency=row.text("currencyCode"),
        total_amount=amount(row, "totalAmount", sign),
        total_tax=total,
        by_key=sum_by_key(taxes) if complete else None,
        locked=row.boolean("locked", default=False),
        engine_id=str(row.integer("id")),
    )


def _summary(part, sign):
    return JurisdictionTax(
        line="",
        kind=part.choice("jurisType", KINDS),
        code=part.text("jurisCode"),
        name=part.text("jurisName"),
        country=part.text("country"),
        region=part.text("region", default=""),
        rate=part.decimal("rate"),
        taxable=amount(part, "taxable", sign),
        amount=amount(part, "tax", sign),
    )


def address_answer(entered, answer):
    """Return the `AddressAnswer` of an AddressResolutionModel to the `Address` entered."""
    problems = answer.list("messages", default=[])
    words = tuple(map(words_of, problems))
    found = answer.list("validatedAddresses", default=[])
    failed = any(one.text("severity", default="") == "Error" for one in problems)
    if failed or not found or answer.text("resolutionQuality", default="") == "NotCoded":
        return AddressAnswer(canonical.UNKNOWN, messages=words)
    suggestion = Address(
        line1=found[0].text("line1", default=""),
        line2=found[0].text("line2", default=""),
        city=found[0].text("city", default=""),
        region=found[0].text("region", default=""),
        postal_code=found[0].text("postalCode", default=""),
        country=found[0].text("country", default=""),
    )
    same = _comparable(entered, suggestion) == _comparable(suggestion, entered)
    status = canonical.VALID if same else canonical.CORRECTED
    return AddressAnswer(status, suggestion, words)


def _comparable(address, other):
    """Return an address without what makes no difference: case, spaces, an added ZIP+4."""
    zip5 = address.postal_code.partition("-")[0]
    postal_code = zip5 if zip5 == other.postal_code.strip() else address.postal_code
    parts = (address.line1, address.line2, address.city, address.region, postal_code)
    return [" ".join(part.casefold().split()) for part in (*parts, address.country)]


def nexus(row):
    """Return the `Nexus` of a NexusModel."""
    kind = row.choice("jurisdictionTypeId", KINDS, default=None) or row.choice("jurisTypeId", KINDS)
    return Nexus(
        country=row.text("country"),
        region="" if kind == "country" else row.text("region"),
        kind=kind,
        code=row.text("jurisCode"),
        name=row.text("jurisName"),
        start=_day(row, "effectiveDate"),
        end=_day(row, "endDate"),
    )


def certificate(row):
    """Return the `Certificate` of a CertificateModel."""
    zone = row.object("exposureZone")
    reason = row.object("validatedExemptionReason", default=None) or row.object("exemptionReason")
    start, end = _day(row, "signedDate"), _day(row, "expirationDate")
    today = date.today()
    return Certificate(
        engine_id=str(row.integer("id")),
        number=row.text("exemptionNumber", default=""),
        country=zone.text("country", default=""),
        region=zone.text("region", default=""),
        reason=reason.text("name", default=""),
        valid=row.boolean("valid", default=False)
        and (start is None or start <= today)
        and (end is None or today <= end),
        start=start,
        end=end,
    )


def _day(row, name):
    """Return a date; the first and the last year of the calendar stand for no limit."""
    day = row.date(name, default=None)
    return None if day is None or day.year in (date.min.year, date.max.year) else day


def words_of(message):
    """Return the words of an AvaTaxMessage."""
    parts = (message.text("summary", default=""), message.text("details", default=""))
    return ": ".join(dict.fromkeys(part for part in parts if part))


def amount(answer, name, sign, **default):
    """Return a field as a canonical amount; ``sign`` is -1 on returns."""
    # adding zero takes the sign off a negative zero
    return sign * answer.decimal(name, **default) + ZERO
