"""Avalara AvaTax REST v2: the whole vendor.

Contract: the published OpenAPI description "AvaTax API v2" and the pages of
developer.avalara.com/avatax (errors, voiding documents, client headers).
"""

import json
from decimal import Decimal

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Rejected,
    Transient,
)

from ..canonical import tax as canonical
from ..canonical.tax import JurisdictionTax, TaxDocument, TaxReference, TaxResult
from .engine import TaxEngine

ZERO = Decimal(0)
API_VERSION = "v2"
CLIENT = "Finance Connect; 19.0.1.0.0; Python; 19.0.1.0.0; Odoo"

# CreateTransactionModel.type: what is kept ends with "Invoice", what is not with "Order".
QUOTE_TYPES = {canonical.INVOICE: "SalesOrder", canonical.REFUND: "ReturnOrder"}
RECORD_TYPES = {canonical.INVOICE: "SalesInvoice", canonical.REFUND: "ReturnInvoice"}

# TransactionModel.status.
STATUSES = {
    "Temporary": canonical.QUOTED,
    "Saved": canonical.SAVED,
    "Posted": canonical.SAVED,
    "Committed": canonical.RECORDED,
    "Cancelled": canonical.VOIDED,
}
TYPES = {
    "SalesOrder": 1,
    "SalesInvoice": 1,
    # Returns come back negative; canonical amounts of a credit note are positive.
    "ReturnOrder": -1,
    "ReturnInvoice": -1,
}
# TransactionLineDetailModel.jurisdictionType, and the older jurisType.
KINDS = {
    "Country": "country",
    "State": "state",
    "County": "county",
    "City": "city",
    "Special": "special",
}
KIND_CODES = {"CNT": "country", "STA": "state", "CTY": "county", "CIT": "city", "STJ": "special"}

# Lengths of CreateTransactionModel, LineItemModel and AddressLocationInfo.
LENGTHS = {
    "code": 50,
    "customerCode": 50,
    "itemCode": 50,
    "taxCode": 25,
    "exemptionNo": 25,
    "entityUseCode": 25,
    "businessIdentificationNo": 25,
    "description": 2048,
    "referenceCode": 1024,
    "line1": 100,
    "line2": 100,
    "city": 50,
    "postalCode": 11,
}

# How a code is written inside a URL (descriptions of the /transactions/{transactionCode} calls).
ESCAPES = {
    "/": "_-ava2f-_",
    "+": "_-ava2b-_",
    "?": "_-ava3f-_",
    "%": "_-ava25-_",
    "#": "_-ava23-_",
    " ": "%20",
}

NOT_FOUND = "EntityNotFoundError"
AUTH_CODES = {
    "AuthenticationException",
    "AuthenticationIncomplete",
    "AuthorizationException",
    "InvalidLicenseKey",
}


class AvaTax(TaxEngine):
    """Avalara AvaTax REST v2."""

    code, label = "avatax", "Avalara AvaTax"
    hosts = {
        "sandbox": "https://sandbox-rest.avatax.com",
        "production": "https://rest.avatax.com",
    }
    api_version = API_VERSION
    settings = (
        Setting("account_id", "Account ID", help="Settings > License and API keys at Avalara"),
        Setting("license_key", "License key", secret=True),
    )
    company_settings = (
        Setting(
            "company_code",
            "Company code",
            help="The code of this company at Avalara",
            check=r".{1,50}",
        ),
    )
    seller_setting = "company_code"
    capabilities = frozenset({"lookup"})
    timeouts = (3.0, 15.0)
    concurrency = 8

    # === WHAT AN ENGINE OFFERS === #

    def ping(self) -> str:
        """Return words about the account (GET /utilities/ping, which answers 200 in any case)."""
        answer = self._answer(self.send("GET", "/api/v2/utilities/ping"), "ping")
        if not answer.boolean("authenticated"):
            raise AuthFailed("AvaTax answers, but refuses the account ID or the license key")
        account = answer.integer("authenticatedAccountId", default=None)
        return f"AvaTax {answer.text('version')}, account {account or self._setting('account_id')}"

    def quote(self, document: TaxDocument) -> TaxResult:
        """Calculate without keeping: a transaction of a type that ends with "Order"."""
        model = transaction(document, QUOTE_TYPES[document.kind])
        payload = self.send(
            "POST", "/api/v2/transactions/create", json=model, params={"$include": "Details"}
        )
        return self._result(payload, document, {canonical.QUOTED})

    def commit(self, document: TaxDocument) -> TaxResult:
        """Create or replace the transaction and commit it, in one call that may be repeated."""
        model = transaction(document, RECORD_TYPES[document.kind]) | {"commit": True}
        payload = self.send(
            "POST",
            "/api/v2/transactions/createoradjust",
            json={"createTransactionModel": model},
            params={"$include": "Details"},
        )
        return self._result(payload, document, {canonical.RECORDED})

    def void(self, reference: TaxReference) -> TaxResult:
        """Void with reason DocVoided; a transaction that is void or absent already is no error."""
        try:
            payload = self.send(
                "POST",
                f"{_path(reference)}/void",
                json={"code": "DocVoided"},
                params={"documentType": RECORD_TYPES[reference.kind]},
            )
        except Rejected:
            found = self.lookup(reference)
            if found is None:
                return _absent(reference)
            if found.status != canonical.VOIDED:
                raise
            return found
        return self._result(payload, reference, {canonical.VOIDED})

    def lookup(self, reference: TaxReference) -> TaxResult | None:
        """Read the transaction of this code and type."""
        try:
            payload = self.send(
                "GET",
                _path(reference),
                params={"documentType": RECORD_TYPES[reference.kind], "$include": "Details"},
            )
        except Rejected as error:
            if error.status == 404 or error.code == NOT_FOUND:
                return None
            raise
        return self._result(payload, reference, set(STATUSES.values()))

    # === HOOKS === #

    def headers(self):
        """Return the header that Avalara's certification asks of every client."""
        return {"X-Avalara-Client": CLIENT}

    def authorize(self, request):
        """HTTP Basic with account ID and license key."""
        request.auth = (self._setting("account_id"), self._setting("license_key"))

    def classify(self, response):
        """Turn ``{"error": {"code", "message", "details": [...]}}`` into an error class."""
        error = _error_of(response.body)
        if error is None:
            return None
        code, words, fault = error
        details = {"code": code, "status": response.status}
        if response.status in (401, 403) or code in AUTH_CODES:
            return AuthFailed(f"AvaTax: {words}", **details)
        if response.status == 429 or response.status >= 500 or fault == "Server":
            # Every call of ours that changes something may be repeated, so nothing is uncertain.
            return Transient(f"AvaTax: {words}", **details)
        return Rejected(words, **details)

    # === READING === #

    def _setting(self, name):
        return self.config.settings.get(name, "")

    def _answer(self, payload, where):
        return Answer(payload, where=where, version=API_VERSION)

    def _result(self, payload, asked, expected):
        answer = self._answer(payload, "transaction")
        sign = answer.choice("type", TYPES)
        status = answer.choice("status", STATUSES)
        if status not in expected:
            raise ContractBroken(
                f"AvaTax answered with status {answer.text('status')}",
                field="transaction.status",
                version=API_VERSION,
            )
        taxes = tuple(
            tax for line in answer.list("lines", default=[]) for tax in _line_taxes(line, sign)
        )
        result = TaxResult(
            code=asked.code and answer.text("code"),
            status=status,
            currency=answer.text("currencyCode"),
            total_tax=_amount(answer, "totalTax", sign),
            total_taxable=_amount(answer, "totalTaxable", sign),
            total_exempt=_amount(answer, "totalExempt", sign),
            taxes=taxes,
            messages=tuple(_words_of(message) for message in answer.list("messages", default=[])),
            engine_id=str(answer.integer("id", default=0) or ""),
        )
        if isinstance(asked, TaxDocument):
            _check_complete(result, asked)
        return result


# === REQUEST === #


def transaction(document: TaxDocument, kind: str) -> dict:
    """Return the CreateTransactionModel of ``document`` with type ``kind``."""
    sign = TYPES[kind]
    model = {
        "type": kind,
        "companyCode": document.seller,
        "code": document.code,
        "date": document.date.isoformat(),
        "customerCode": document.customer,
        "currencyCode": document.currency,
        "businessIdentificationNo": document.vat_number,
        "referenceCode": document.original_code or document.reference,
        "exchangeRate": document.exchange_rate,
        "addresses": {
            "shipFrom": _address(document.ship_from),
            "shipTo": _address(document.ship_to),
        },
        "lines": [_line(line, sign) for line in document.lines],
        **_exemption(document),
    }
    if document.tax_date:
        model["taxOverride"] = {
            "type": "TaxDate",
            "taxDate": document.tax_date.isoformat(),
            "reason": "Return",
        }
    return _filled(model)


def escape_code(code: str) -> str:
    """Return ``code`` as it stands in a URL path of AvaTax.

    >>> escape_code("INV/2026/00001-3f2a90bc")
    'INV_-ava2f-_2026_-ava2f-_00001-3f2a90bc'
    """
    return "".join(ESCAPES.get(character, character) for character in code)


def _path(reference):
    return (
        f"/api/v2/companies/{escape_code(reference.seller)}"
        f"/transactions/{escape_code(reference.code)}"
    )


def _line(line, sign):
    return _filled(
        {
            "number": line.number,
            "amount": sign * line.amount,
            "quantity": abs(line.quantity),
            "itemCode": line.item_code,
            "taxCode": line.tax_code,
            "description": line.description,
            "taxIncluded": False,
        }
    )


def _address(address):
    return _filled(
        {
            "line1": address.line1,
            "line2": address.line2,
            "city": address.city,
            "region": address.region,
            "postalCode": address.postal_code,
            "country": address.country,
        }
    )


def _exemption(document):
    # An exemption number makes everything exempt, so the finer entity use code wins.
    if document.entity_use_code:
        return {"entityUseCode": document.entity_use_code}
    return {"exemptionNo": document.exemption_number}


def _filled(model):
    return {
        name: value[: LENGTHS.get(name)] if isinstance(value, str) else value
        for name, value in model.items()
        if value not in (None, "")
    }


# === ANSWER === #


def _line_taxes(line, sign):
    number = line.text("lineNumber")
    taxes = [_detail(detail, number, sign) for detail in line.list("details", default=[])]
    if sum((tax.amount for tax in taxes), ZERO) != _amount(line, "tax", sign):
        raise ContractBroken(
            f"AvaTax: the details of line {number} do not add up to its tax",
            field="transaction.lines.tax",
            version=API_VERSION,
        )
    return taxes


def _detail(detail, number, sign):
    kind = detail.choice("jurisdictionType", KINDS, default=None)
    return JurisdictionTax(
        line=number,
        kind=kind or detail.choice("jurisType", KIND_CODES),
        code=detail.text("jurisCode"),
        name=detail.text("jurisName"),
        country=detail.text("country"),
        region=detail.text("region", default=""),
        rate=detail.decimal("rate"),
        taxable=_amount(detail, "taxableAmount", sign),
        amount=_amount(detail, "tax", sign),
        exempt=_amount(detail, "exemptAmount", sign, default=ZERO)
        + _amount(detail, "nonTaxableAmount", sign, default=ZERO),
        tax_name=detail.text("taxName", default=""),
    )


def _check_complete(result, document):
    answered = sum((tax.amount for tax in result.taxes), ZERO)
    if answered != result.total_tax:
        raise ContractBroken(
            f"AvaTax: the lines come to {answered}, the total says {result.total_tax}",
            field="transaction.totalTax",
            version=API_VERSION,
        )
    unknown = {tax.line for tax in result.taxes} - {line.number for line in document.lines}
    if unknown:
        raise ContractBroken(
            f"AvaTax answered for a line that was not asked: {', '.join(sorted(unknown))}",
            field="transaction.lines.lineNumber",
            version=API_VERSION,
        )
    if result.currency != document.currency:
        raise ContractBroken(
            f"AvaTax answered in {result.currency}, asked was {document.currency}",
            field="transaction.currencyCode",
            version=API_VERSION,
        )


def _words_of(message):
    parts = (message.text("summary", default=""), message.text("details", default=""))
    return ": ".join(dict.fromkeys(part for part in parts if part))


def _absent(reference):
    return TaxResult(reference.code, canonical.ABSENT, "", ZERO, ZERO, ZERO)


def _amount(answer, name, sign, **default):
    amount = answer.decimal(name, **default)
    # adding zero takes the sign off a negative zero
    return sign * amount + ZERO


def _error_of(body):
    """Return (code, words, fault) of an AvaTax error body, None when it is not one."""
    try:
        error = json.loads(body)["error"]
        details = error.get("details") or [{}]
        first = details[0]
        words = [error.get("message"), first.get("description"), first.get("message")]
        return (
            str(first.get("code") or error.get("code") or ""),
            " ".join(dict.fromkeys(str(part) for part in words if part)) or "no reason given",
            first.get("faultCode", ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
