"""What a request must have and may have."""

from datetime import date
from decimal import Decimal

from .accounts import COMPANIES, find_company
from .documents import ADJUSTMENT_REASONS, INVOICE_TYPES, ORDER_TYPES
from .errors import fail

#: Longest text of a field, from the contract.
MAX_LENGTH = {
    "code": 50,
    "companyCode": 50,
    "customerCode": 50,
    "purchaseOrderNo": 50,
    "salespersonCode": 25,
    "exemptionNo": 25,
    "entityUseCode": 25,
    "businessIdentificationNo": 25,
    "reportingLocationCode": 50,
    "currencyCode": 3,
    "number": 50,
    "itemCode": 50,
    "taxCode": 25,
    "ref1": 250,
    "ref2": 250,
    "referenceCode": 1024,
    "description": 2096,
}
CREATE_FIELDS = set(
    "code lines type companyCode date salespersonCode customerCode customerUsageType entityUseCode "
    "discount purchaseOrderNo exemptionNo addresses parameters userDefinedFields referenceCode "
    "reportingLocationCode commit batchCode taxOverride currencyCode serviceMode exchangeRate "
    "exchangeRateEffectiveDate exchangeRateCurrencyCode posLaneCode businessIdentificationNo "
    "isSellerImporterOfRecord description email debugLevel customerSupplierName dataSourceId "
    "deliveryTerms".split()
)
LINE_FIELDS = set(
    "number quantity amount addresses taxCode customerUsageType entityUseCode itemCode "
    "exemptionCode discounted taxIncluded revenueAccount ref1 ref2 description "
    "businessIdentificationNo taxOverride parameters userDefinedFields hsCode merchantSellerId "
    "merchantSellerIdentifier marketplaceLiabilityType originationDocumentId originationSite "
    "category summary".split()
)
ADDRESS_FIELDS = {"line1", "line2", "line3", "city", "region", "postalCode", "country"}


class Checks:
    """Refuses what the vendor refuses, and remarks on what it ignores."""

    def _check(self, request, model):
        """Refuse what the vendor refuses; return the company code."""
        self._unknown(request, model, CREATE_FIELDS)
        for name in ("customerCode", "date"):
            if not model.get(name):
                raise fail("ValueRequiredError", name)
        lines = model.get("lines")
        if not lines:
            raise fail("MissingLine")
        _check_lengths(model)
        check_date(model["date"], "date")
        kind = model.get("type") or "SalesOrder"
        if kind not in ORDER_TYPES and kind not in INVOICE_TYPES:
            raise fail("InvalidEnumValue", "type")
        numbers = set()
        for index, line in enumerate(lines, 1):
            self._check_line(request, line, str(line.get("number") or index), numbers)
        self._remark_signs(request, kind, lines)
        return find_company(model.get("companyCode") or next(iter(COMPANIES)), "body")

    def _check_line(self, request, line, number, numbers):
        self._unknown(request, line, LINE_FIELDS)
        if not isinstance(line.get("amount"), int | Decimal):
            raise fail(
                "ValueRequiredError" if "amount" not in line else "InvalidDecimalValue", "amount"
            )
        _check_lengths(line)
        if number in numbers:
            raise fail("GetTaxError", "Duplicate line number.", sub_code="DuplicateLineNoError")
        numbers.add(number)

    def _remark_signs(self, request, kind, lines):
        total = sum(line["amount"] for line in lines)
        if kind.startswith("Return") and total > 0:
            self.warn(request, "a return whose amounts are positive")
        elif kind.startswith("Sales") and total < 0:
            self.warn(request, "a sale whose amounts are negative")

    def _unknown(self, request, model, known):
        for name in model.keys() - known:
            self.warn(request, f"unknown field {name}")


def read_body(request):
    """Return the JSON object that was sent."""
    try:
        body = request.json()
    except ValueError as error:
        raise fail("JsonFormatError", description=str(error)) from None
    if not isinstance(body, dict):
        raise fail(
            "ModelRequiredException",
            description="Please verify that your request included a request body in valid JSON "
            "format.",
        )
    return body


def read_list(request):
    """Return the JSON list of objects that was sent."""
    try:
        body = request.json()
    except ValueError as error:
        raise fail("JsonFormatError", description=str(error)) from None
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise fail("ModelRequiredException")
    return body


def _check_lengths(model):
    for name in model.keys() & MAX_LENGTH.keys():
        if isinstance(model[name], str) and len(model[name]) > MAX_LENGTH[name]:
            raise fail("StringLengthError", name)


def check_date(value, name):
    """Refuse what does not start with an ISO date."""
    try:
        date.fromisoformat(str(value)[:10])
    except ValueError:
        raise fail("ValueRequiredError", name, description=f"{name} is not a date") from None


def adjustment(body, default="NotAdjusted"):
    """Return reason and description of an adjustment as fields of the answer."""
    reason = body.get("adjustmentReason") or default
    if reason not in ADJUSTMENT_REASONS:
        raise fail("InvalidEnumValue", "adjustmentReason")
    return {
        "adjustmentReason": reason,
        "adjustmentDescription": body.get("adjustmentDescription") or "",
    }
