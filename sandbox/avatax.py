"""Avalara AvaTax REST v2, transactions and what goes with them.

Contract: the published OpenAPI description (AvaTax API v2, ``specs/avalara/avatax_openapi.yaml``);
where it is silent, Avalara's own pages named below. Base URL: ``http://127.0.0.1:8099/avatax``.

Accounts: see :data:`CREDENTIALS` (all made up); companies: :data:`COMPANIES`. Tax arithmetic,
places and products: :mod:`sandbox.us_tax`.

What was decided where the contract leaves a choice
----------------------------------------------------
* A document is (company, type, code). Without ``documentType`` a request means ``SalesInvoice``
  (the parameter's description says so); only a GET also finds the one document of another type.
* ``create`` replaces a Saved or Posted document. On a Committed **or Cancelled** one it answers 400
  ``GetTaxError`` 300 with sub-code ``DocStatusError`` (Avalara, "What's a DocStatusError?": "AvaTax
  also treats a Cancelled transaction the same way").
* ``createoradjust`` on a Committed document adjusts: the old revision stays as ``Adjusted``, the
  new one has a new id and version + 1. On a **Cancelled** document it answers the same error 300:
  the code has to be freed by ``unvoid`` first, which gives back the status before the void (that is
  how integrations in the field work). On a locked one: ``CannotModifyLockedTransaction`` 1100.
* ``void`` follows the table of "Voiding documents": ``DocDeleted`` deletes what is not committed
  and voids what is; ``DocVoided`` voids; ``PostFailed`` and ``AdjustmentCancelled`` as there;
  ``Unspecified`` changes nothing. A second ``DocVoided``: ``TransactionAlreadyCancelled`` 198.
* ``commit`` of a document already committed answers error 300 as for create (SOAP: "CommitTax
  expects the DocStatus to be Posted"; unverified for REST, and the stricter reading).
* ``uncommit`` of a document that is not committed: ``DocumentNotCommitted`` 313; ``unvoid`` of one
  that is not cancelled: ``TransactionNotCancelled`` 1300.
* ``refund`` makes a committed ``ReturnInvoice`` whose tax is exactly the original's, negated.
* Without ``$include`` create, createoradjust, adjust and refund answer ``Summary,Addresses`` with
  lines and details; all others answer the header only.
* ``$include=ForceTimeout`` waits :data:`FORCE_TIMEOUT_SECONDS` (or the environment variable
  ``FINANCE_SANDBOX_FORCE_TIMEOUT``), records nothing and answers an error.
* The vendor ignores fields it does not know; so does this, but each one is kept as a warning in the
  state, as is a call without ``X-Avalara-Client`` (required for certification) and an amount whose
  sign does not fit the document type.
* Not here: multi-document, batches, certificates, audit, adding and deleting lines, nexus.
"""

import base64
import binascii
import os
import re
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import quote, unquote

from . import us_tax
from .vendor import Refusal, Response, Vendor

__all__ = ["COMPANIES", "CREDENTIALS", "AvaTax"]

D = Decimal
ZERO = D(0)

#: (account id or user, license key or password) → user name; two keys, to try a rotation.
CREDENTIALS = {
    ("1100000001", "SANDBOX-LICENSE-KEY-0001"): "sandbox.account",
    ("1100000001", "SANDBOX-LICENSE-KEY-0002"): "sandbox.account",
    ("sandbox.user@example.com", "sandbox-password"): "sandbox.user@example.com",
}
ACCOUNT_ID = 1100000001
USER_ID = 7001

#: Company code → (id, name, base currency). The first one is the account's default company.
COMPANIES = {
    "DEFAULT": (100001, "Sandbox Company", "USD"),
    "BRANCH": (100002, "Sandbox Branch", "USD"),
    "SECOND": (100003, "Second Sandbox Company", "USD"),
    "EUROPE": (100004, "Sandbox Company Europe", "EUR"),
}
FORCE_TIMEOUT_SECONDS = 30.0
MAX_PAGE = 1000

ORDER_TYPES = {
    "SalesOrder",
    "PurchaseOrder",
    "ReturnOrder",
    "InventoryTransferOrder",
    "ReverseChargeOrder",
    "CustomsOrder",
}
INVOICE_TYPES = {
    "SalesInvoice",
    "PurchaseInvoice",
    "ReturnInvoice",
    "InventoryTransferInvoice",
    "ReverseChargeInvoice",
    "CustomsInvoice",
}
REPLACEABLE = {"Saved", "Posted"}
ADJUSTMENT_REASONS = {
    "NotAdjusted",
    "SourcingIssue",
    "ReconciledWithGeneralLedger",
    "ExemptCertApplied",
    "PriceAdjusted",
    "ProductReturned",
    "ProductExchanged",
    "BadDebt",
    "Other",
    "Offline",
}

#: (void code, status) → new status; None = deleted, missing = DocStatusError ("Voiding documents").
VOID_TABLE = {
    ("DocDeleted", "Saved"): None,
    ("DocDeleted", "Posted"): None,
    ("DocDeleted", "Committed"): "Cancelled",
    ("DocDeleted", "Cancelled"): None,
    ("DocVoided", "Saved"): "Cancelled",
    ("DocVoided", "Posted"): "Cancelled",
    ("DocVoided", "Committed"): "Cancelled",
    ("PostFailed", "Posted"): "Saved",
}
VOID_CODES = {"Unspecified", "PostFailed", "DocDeleted", "DocVoided", "AdjustmentCancelled"}

#: Code → (number, HTTP status, message, severity): developer.avalara.com/avatax/errors.
ERRORS = {
    "EntityNotFoundError": (4, 404, "{0} not found.", "Error"),
    "ValueRequiredError": (5, 400, "Field {0} is required.", "Error"),
    "StringLengthError": (13, 400, "Field {0} is too long.", "Error"),
    "InvalidQueryField": (17, 400, "The field '{0}' cannot be used in a query.", "Error"),
    "MalformedFilterException": (182, 400, "The filter '{0}' is not understood.", "Error"),
    "AuthenticationException": (30, 401, "Authentication failed.", "Error"),
    "AuthenticationIncomplete": (34, 401, "Authentication Incomplete.", "Exception"),
    "ModelRequiredException": (38, 400, "A required model was not provided.", "Exception"),
    "JsonFormatError": (47, 400, "The request is not valid JSON.", "Exception"),
    "InvalidDecimalValue": (48, 400, "Field {0} is not a number.", "Error"),
    "InvalidEnumValue": (164, 400, "The value of {0} is not one of its values.", "Error"),
    "NotEnoughAddressesInfo": (176, 400, "Not enough address information.", "Error"),
    "CannotAdjustDocumentType": (195, 400, "Documents of type {0} cannot be adjusted.", "Error"),
    "TransactionAlreadyCancelled": (
        198,
        400,
        "The transaction has already been cancelled.",
        "Error",
    ),
    "InternalServerError": (209, 500, "An unexpected error occurred.", "Exception"),
    "GetTaxError": (300, 400, "{0}", "Error"),
    "MissingAddress": (304, 400, "An address is missing.", "Error"),
    "MissingLine": (311, 400, "A transaction needs at least one line.", "Error"),
    "DocumentNotCommitted": (313, 400, "The document is not committed.", "Error"),
    "ServerUnreachable": (500, 503, "The server is currently unreachable.", "Error"),
    "InvalidDocumentStatusForRefund": (
        700,
        400,
        "Document is not in a status to process refund",
        "Error",
    ),
    "RefundLinesRequired": (704, 400, "Refund lines are required for a partial refund.", "Error"),
    "LineNoOutOfRange": (707, 400, "Line {0} is not in the original document.", "Error"),
    "RefundPercentageOutOfRange": (708, 400, "Refund percentage out of range.", "Error"),
    "RefundPercentageMissing": (709, 400, "Refund percentage is missing.", "Error"),
    "CannotModifyLockedTransaction": (
        1100,
        400,
        "Modifying a locked document is not allowed.",
        "Error",
    ),
    "TransactionNotCancelled": (1300, 400, "The transaction is not cancelled.", "Error"),
    "TransactionAlreadyExists": (
        1303,
        400,
        "A transaction with this code and type already exists.",
        "Error",
    ),
    "DateMismatch": (1305, 400, "Mismatched document date value.", "Error"),
    "TotalAmountMismatch": (1307, 400, "Mismatched total amount value.", "Error"),
    "TotalTaxMismatch": (1308, 400, "Mismatched total tax value.", "Error"),
    "TransactionIsCommitted": (
        1313,
        400,
        "Committed transactions cannot be modified by this API.",
        "Error",
    ),
    "RateLimitExceededError": (1723, 429, "Too many requests.", "Error"),
}
TROUBLE = {429: "RateLimitExceededError", 500: "InternalServerError", 503: "ServerUnreachable"}

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
_CREATE_FIELDS = set(
    "code lines type companyCode date salespersonCode customerCode customerUsageType entityUseCode "
    "discount purchaseOrderNo exemptionNo addresses parameters userDefinedFields referenceCode "
    "reportingLocationCode commit batchCode taxOverride currencyCode serviceMode exchangeRate "
    "exchangeRateEffectiveDate exchangeRateCurrencyCode posLaneCode businessIdentificationNo "
    "isSellerImporterOfRecord description email debugLevel customerSupplierName dataSourceId "
    "deliveryTerms".split()
)
_LINE_FIELDS = set(
    "number quantity amount addresses taxCode customerUsageType entityUseCode itemCode "
    "exemptionCode discounted taxIncluded revenueAccount ref1 ref2 description "
    "businessIdentificationNo taxOverride parameters userDefinedFields hsCode merchantSellerId "
    "merchantSellerIdentifier marketplaceLiabilityType originationDocumentId originationSite "
    "category summary".split()
)
_ADDRESS_FIELDS = {"line1", "line2", "line3", "city", "region", "postalCode", "country"}
_KIND_NAMES = {"STA": "State", "CTY": "County", "CIT": "City", "STJ": "Special", "CNT": "Country"}
_AUTHORITY = {"STA": 45, "CTY": 45, "CIT": 45, "STJ": 45, "CNT": 45}
_NESTED = ("lines", "summary", "addresses", "locationTypes", "taxDetailsByTaxType")
#: Escapes of the contract for company and document codes in a URL.
_ESCAPES = {"2f": "/", "2b": "+", "3f": "?", "25": "%", "23": "#"}
_ESCAPE = re.compile(r"_-ava(2f|2b|3f|25|23)-_")


def fail(code, *values, description="", sub_code="", refers_to=""):
    """Return the Refusal with the vendor's error shape; ``values`` fill the message."""
    number, status, message, severity = ERRORS[code]
    return Refusal(
        Response(
            status,
            _error(
                code, message.format(*values), description, number, severity, sub_code, refers_to
            ),
        )
    )


def _error(code, message, description, number, severity, sub_code="", refers_to=""):
    server = code in ("InternalServerError", "ServerUnreachable")
    detail = {
        "code": code,
        "number": number,
        "message": message,
        "description": description or message,
        "faultCode": "Server" if server else "Client",
        "helpLink": f"http://developer.avalara.com/avatax/errors/{code}",
        "severity": severity,
    }
    if sub_code:
        detail["faultSubCode"] = sub_code
    if refers_to:
        detail["refersTo"] = refers_to
    error = {"code": code, "message": message, "target": "Unknown", "details": [detail]}
    return {"error": error}


def doc_status_error(expected="Saved|Posted"):
    """Return the refusal that AvaTax gives for a document in the wrong status."""
    return fail(
        "GetTaxError",
        "DocStatus is invalid for this operation.",
        description=f"Expected {expected}",
        sub_code="DocStatusError",
        refers_to="DocStatus",
    )


@dataclass
class Document:
    """The current revision of one recorded document, with what happened to it."""

    company: str
    type: str
    code: str
    model: dict
    request: dict
    locked: bool = False
    before_void: str = ""
    revisions: list = field(default_factory=list)
    history: list = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)

    @property
    def status(self):
        """Return the vendor's status of the current revision."""
        return self.model["status"]

    @property
    def key(self):
        """Return (company code, type, code)."""
        return (self.company, self.type, self.code)

    def set_status(self, status):
        """Change the status, and count a commitment."""
        self.model["status"] = status
        self.model["modifiedDate"] = _now()
        if status == "Committed":
            self.counts["committed"] += 1

    def as_state(self):
        """Return the document for assertions, as JSON values."""
        model = self.model
        return {
            "companyCode": self.company,
            "type": self.type,
            "code": self.code,
            "id": model["id"],
            "status": self.status,
            "version": model["version"],
            "locked": self.locked,
            "date": model["date"],
            "currencyCode": model["currencyCode"],
            "totalAmount": model["totalAmount"],
            "totalTax": model["totalTax"],
            "committed": self.counts["committed"],
            "created": self.counts["created"],
            "adjusted": self.counts["adjusted"],
            "voided": self.counts["voided"],
            "revisions": [_header(model) for model, _request in self.revisions],
            "history": self.history,
            "request": self.request,
        }


def _header(model):
    return {key: model[key] for key in ("id", "version", "status", "totalAmount", "totalTax")}


class AvaTax(Vendor):
    """The AvaTax stand-in; see the module's text for the rules."""

    prefix = "avatax"
    _transaction = "/api/v2/companies/{company}/transactions/{code}"
    routes = (
        ("POST", "/api/v2/transactions/createoradjust", "create_or_adjust"),
        ("POST", "/api/v2/transactions/create", "create"),
        ("POST", _transaction + "/commit", "commit"),
        ("POST", _transaction + "/void", "void"),
        ("GET", "/api/v2/utilities/ping", "ping"),
        ("GET", _transaction, "get"),
        ("GET", _transaction + "/types/{type}", "get"),
        ("GET", "/api/v2/companies/{company}/transactions", "list_documents"),
        ("GET", "/api/v2/transactions/{id}", "get_by_id"),
        ("POST", _transaction + "/adjust", "adjust"),
        ("POST", _transaction + "/refund", "refund"),
        ("POST", _transaction + "/uncommit", "uncommit"),
        ("POST", _transaction + "/unvoid", "unvoid"),
        ("POST", _transaction + "/lock", "lock_document"),
        ("POST", _transaction + "/verify", "verify"),
        ("POST", _transaction + "/changecode", "change_code"),
        ("POST", _transaction + "/settle", "settle"),
        ("GET", "/api/v2/companies", "companies"),
        ("GET", "/api/v2/definitions/taxcodes", "tax_codes"),
        ("GET", "/api/v2/addresses/resolve", "resolve_address"),
        ("POST", "/api/v2/addresses/resolve", "resolve_address"),
    )

    # === STATE === #

    def reset(self):
        """Forget all documents and warnings."""
        with self.lock:
            self.documents = {}
            self.deleted = []
            self.by_id = {}
            self.warnings = []
            self.estimates = 0
            # never an id of before a restart: a database that is kept remembers those
            self.last_id = time.time_ns() // 1000

    def state(self):
        """Return documents, deleted documents, number of estimates, and warnings."""
        with self.lock:
            return {
                "documents": [document.as_state() for document in self.documents.values()],
                "deleted": [document.as_state() for document in self.deleted],
                "estimates": self.estimates,
                "warnings": list(self.warnings),
            }

    def warn(self, request, sentence):
        """Keep a remark on a request that the vendor answers, but should not have been sent."""
        self.warnings.append({"request": request.number, "path": request.path, "warning": sentence})

    def next_id(self):
        """Return a new id, unique until the next reset."""
        self.last_id += 1
        return self.last_id

    # === HTTP === #

    def segment(self, raw):
        """Decode a path segment: percent encoding, then the vendor's own escapes."""
        return _ESCAPE.sub(lambda found: _ESCAPES[found.group(1)], unquote(raw))

    def trouble(self, status):
        """Return the vendor's error body for a fault switch."""
        code = TROUBLE.get(status, "InternalServerError")
        number, _status, message, severity = ERRORS[code]
        return _error(code, message, "", number, severity)

    def not_found(self, request):
        """Return the answer to an unknown address."""
        return fail("EntityNotFoundError", request.path).response

    def handle(self, request):
        """Ask for credentials (not for a ping); remark on a missing client header."""
        if not request.header("x-avalara-client"):
            with self.lock:
                self.warn(request, "header X-Avalara-Client is missing")
        try:
            if request.path != "/api/v2/utilities/ping":
                _authenticate(request)
            return super().handle(request)
        except Refusal as refusal:
            return refusal.response

    def answer_headers(self, request):
        """Return the request id, which Avalara's own client expects on every answer."""
        return {"x-correlation-id": f"sandbox-{request.number:08d}"}

    # === CREATE === #

    def ping(self, request):
        """GET /utilities/ping: never an error; says whether the credentials are good."""
        answer = {"version": "26.10.0.0", "authenticated": False, "authenticationType": "None"}
        try:
            name, kind = _authenticate(request)
        except Refusal:
            return Response(200, answer)
        answer |= {
            "authenticated": True,
            "authenticationType": kind,
            "authenticatedUserName": name,
            "authenticatedUserId": USER_ID,
            "authenticatedAccountId": ACCOUNT_ID,
        }
        return Response(200, answer)

    def create(self, request):
        """POST /transactions/create: estimate, or record unless the code is taken for good."""
        return self._create(request, _body(request), adjust=None)

    def create_or_adjust(self, request):
        """POST /transactions/createoradjust: as create, but a committed document is adjusted."""
        body = _body(request)
        self._unknown(
            request, body, {"adjustmentReason", "adjustmentDescription", "createTransactionModel"}
        )
        model = body.get("createTransactionModel")
        if not isinstance(model, dict):
            raise fail("ValueRequiredError", "createTransactionModel")
        return self._create(request, model, adjust=_adjustment(body, "Other"))

    def _create(self, request, model, adjust):
        if "ForceTimeout" in request.query.get("$include", ""):
            return _force_timeout()
        company = self._check(request, model)
        kind = model.get("type") or "SalesOrder"
        code = model.get("code") or str(uuid.uuid4())
        if kind in ORDER_TYPES:
            self.estimates += 1
            estimate = self._calculate(model, company, kind, code, 0)
            return _answer(request, estimate, "Summary,Addresses")
        document = self.documents.get((company, kind, code))
        if document is None or document.status in REPLACEABLE:
            document = self._record(document, model, company, kind, code)
            action = "create"
        elif adjust is None or document.status != "Committed":
            raise doc_status_error()
        else:
            self._adjust(document, model, adjust)
            action = "adjust"
        self._note(document, request, action)
        return _answer(request, document.model, "Summary,Addresses")

    def _record(self, document, model, company, kind, code):
        """Record a new document, or put a new content under an uncommitted one (same id)."""
        document_id = document.model["id"] if document else self.next_id()
        computed = self._calculate(model, company, kind, code, document_id)
        if document is None:
            document = self.documents[company, kind, code] = Document(
                company, kind, code, computed, model
            )
        else:
            computed["version"] = document.model["version"]
        document.model, document.request = computed, model
        self.by_id[document_id] = computed
        document.counts["created"] += 1
        document.set_status("Committed" if model.get("commit") else "Saved")
        return document

    def _adjust(self, document, model, adjustment):
        """Put a new revision over a committed document; the old one stays as Adjusted."""
        if document.locked:
            raise _locked(document)
        old = document.model
        new = self._calculate(model, document.company, document.type, document.code, self.next_id())
        new |= {"version": old["version"] + 1, **adjustment}
        old["status"] = "Adjusted"
        document.revisions.append((old, document.request))
        document.model, document.request = new, model
        self.by_id[new["id"]] = new
        document.counts["adjusted"] += 1
        document.set_status("Committed" if model.get("commit") else "Saved")

    def _note(self, document, request, action):
        document.history.append(
            {
                "at": _now(),
                "request": request.number,
                "action": action,
                "status": document.status,
                "version": document.model["version"],
                "totalTax": document.model["totalTax"],
            }
        )

    # === CHECKS === #

    def _check(self, request, model):
        """Refuse what the vendor refuses; return the company code."""
        self._unknown(request, model, _CREATE_FIELDS)
        for name in ("customerCode", "date"):
            if not model.get(name):
                raise fail("ValueRequiredError", name)
        lines = model.get("lines")
        if not lines:
            raise fail("MissingLine")
        _check_lengths(model)
        _check_date(model["date"], "date")
        kind = model.get("type") or "SalesOrder"
        if kind not in ORDER_TYPES and kind not in INVOICE_TYPES:
            raise fail("InvalidEnumValue", "type")
        numbers = set()
        for index, line in enumerate(lines, 1):
            self._check_line(request, line, str(line.get("number") or index), numbers)
        self._remark_signs(request, kind, lines)
        return _company(model.get("companyCode") or next(iter(COMPANIES)), "body")

    def _check_line(self, request, line, number, numbers):
        self._unknown(request, line, _LINE_FIELDS)
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

    # === CALCULATION === #

    def _calculate(self, model, company, kind, code, document_id):
        """Return the complete TransactionModel of a request, in status Temporary."""
        return _Calculation(self, model, company, kind, code, document_id).model()

    # === READ === #

    def get(self, request, company, code, type=""):
        """GET one document by code, and by type where given."""
        wanted = type or request.query.get("documentType", "")
        document = self._find(company, code, wanted)
        if document is None and not wanted:
            document = next(
                (
                    one
                    for one in self.documents.values()
                    if (one.company, one.code) == (company, code)
                ),
                None,
            )
        if document is None:
            raise fail("EntityNotFoundError", f"Transaction with code '{code}'")
        return _answer(request, document.model)

    def get_by_id(self, request, id):
        """GET exactly this revision, also after it was adjusted."""
        model = self.by_id.get(int(id)) if id.isdigit() else None
        if model is None:
            raise fail("EntityNotFoundError", f"Transaction with ID '{id}'")
        return _answer(request, model)

    def list_documents(self, request, company):
        """GET the current revisions of a company; without a date filter the last 30 days."""
        _company(company)
        query = request.query
        conditions = parse_filter(query.get("$filter", ""))
        if not any(name == "date" for name, _test in conditions):
            since = (date.today() - timedelta(days=30)).isoformat()
            conditions.append(("date", lambda value: value >= since))
        found = [
            document.model
            for document in self.documents.values()
            if document.company == company
            and all(test(_field(document.model, name)) for name, test in conditions)
        ]
        return _page(request, _sorted(found, query.get("$orderBy", "")), _included)

    def _find(self, company, code, kind):
        _company(company)
        return self.documents.get((company, kind or "SalesInvoice", code))

    def _target(self, request, company, code):
        """Return the document that a POST under its URL speaks of."""
        document = self._find(company, code, request.query.get("documentType", ""))
        if document is None:
            raise fail("EntityNotFoundError", f"Transaction with code '{code}'")
        return document

    def _open_target(self, request, company, code):
        document = self._target(request, company, code)
        if document.locked:
            raise _locked(document)
        return document

    # === CHANGES === #

    def commit(self, request, company, code):
        """POST …/commit ``{"commit": true}``."""
        body = _body(request)
        self._unknown(request, body, {"commit"})
        document = self._open_target(request, company, code)
        self._commit(document, body)
        self._note(document, request, "commit")
        return _answer(request, document.model)

    @staticmethod
    def _commit(document, body):
        if "commit" not in body:
            raise fail("ValueRequiredError", "commit")
        if document.status not in REPLACEABLE:
            raise doc_status_error()
        if body["commit"]:
            document.set_status("Committed")

    def uncommit(self, request, company, code):
        """POST …/uncommit: back to Saved."""
        document = self._open_target(request, company, code)
        if document.status != "Committed":
            raise fail("DocumentNotCommitted")
        document.set_status("Saved")
        self._note(document, request, "uncommit")
        return _answer(request, document.model)

    def void(self, request, company, code):
        """POST …/void ``{"code": "DocVoided"}`` by the vendor's table of codes and statuses."""
        body = _body(request)
        self._unknown(request, body, {"code"})
        reason = body.get("code")
        if not reason:
            raise fail("ValueRequiredError", "code")
        if reason not in VOID_CODES:
            raise fail("InvalidEnumValue", "code")
        document = self._open_target(request, company, code)
        self._void(document, reason)
        self._note(document, request, f"void {reason}")
        return _answer(request, document.model)

    def _void(self, document, reason):
        if reason == "Unspecified":
            return
        if reason == "AdjustmentCancelled":
            return self._cancel_adjustment(document)
        if reason == "DocVoided" and document.status == "Cancelled":
            raise fail(
                "TransactionAlreadyCancelled",
                description=f"The transaction '{document.code}' is already in a 'Cancelled' "
                "status. There is nothing to be done.",
            )
        try:
            status = VOID_TABLE[reason, document.status]
        except KeyError:
            raise doc_status_error("Posted") from None
        document.before_void = document.before_void or document.status
        document.counts["voided"] += 1
        document.set_status(status or "Cancelled")
        if status is None:
            self.deleted.append(self.documents.pop(document.key))

    @staticmethod
    def _cancel_adjustment(document):
        if document.status != "Committed" or not document.revisions:
            raise doc_status_error("Committed and adjusted")
        document.model, document.request = document.revisions.pop()
        document.set_status("Committed")

    def unvoid(self, request, company, code):
        """POST …/unvoid: back to the status before the void."""
        document = self._open_target(request, company, code)
        if document.status != "Cancelled":
            raise fail("TransactionNotCancelled")
        document.set_status(document.before_void)
        document.before_void = ""
        self._note(document, request, "unvoid")
        return _answer(request, document.model)

    def lock_document(self, request, company, code):
        """POST …/lock ``{"isLocked": true}``: as if it had been reported on a tax return."""
        body = _body(request)
        if "isLocked" not in body:
            raise fail("ValueRequiredError", "isLocked")
        document = self._target(request, company, code)
        if document.status != "Committed":
            raise fail("DocumentNotCommitted")
        document.locked = document.model["locked"] = bool(body["isLocked"])
        self._note(document, request, "lock" if document.locked else "unlock")
        return _answer(request, document.model)

    def adjust(self, request, company, code):
        """POST …/adjust ``{"adjustmentReason", "newTransaction"}`` on a committed document."""
        body = _body(request)
        self._unknown(
            request, body, {"adjustmentReason", "adjustmentDescription", "newTransaction"}
        )
        for name in ("adjustmentReason", "newTransaction"):
            if not body.get(name):
                raise fail("ValueRequiredError", name)
        model = body["newTransaction"]
        self._check(request, model)
        document = self._open_target(request, company, code)
        if document.status != "Committed":
            raise doc_status_error("Committed")
        self._adjust(document, model, _adjustment(body))
        self._note(document, request, "adjust")
        return _answer(request, document.model, "Summary,Addresses")

    def change_code(self, request, company, code):
        """POST …/changecode ``{"newCode"}`` while the document is not committed."""
        document = self._open_target(request, company, code)
        self._change_code(document, _body(request))
        self._note(document, request, "changecode")
        return _answer(request, document.model)

    def _change_code(self, document, body):
        new = body.get("newCode")
        if not new:
            raise fail("ValueRequiredError", "newCode")
        if len(new) > MAX_LENGTH["code"]:
            raise fail("StringLengthError", "newCode")
        if document.status not in REPLACEABLE:
            raise fail("TransactionIsCommitted")
        if (document.company, document.type, new) in self.documents:
            raise fail("TransactionAlreadyExists")
        del self.documents[document.key]
        document.code = document.model["code"] = new
        self.documents[document.key] = document

    def verify(self, request, company, code):
        """POST …/verify: compare date, total amount and total tax with what is recorded."""
        document = self._target(request, company, code)
        self._verify(document, _body(request))
        return _answer(request, document.model)

    @staticmethod
    def _verify(document, body):
        day = body.get("verifyTransactionDate")
        if day and day[:10] != document.model["date"]:
            raise fail("DateMismatch")
        for name, recorded, error in (
            ("verifyTotalAmount", "totalAmount", "TotalAmountMismatch"),
            ("verifyTotalTax", "totalTax", "TotalTaxMismatch"),
        ):
            if name in body and D(body[name]) != document.model[recorded]:
                raise fail(
                    error,
                    description=f"The {recorded} value in your Verify call [{body[name]}] does "
                    f"not match the transaction's {recorded} value [{document.model[recorded]}].",
                )

    def settle(self, request, company, code):
        """POST …/settle: verify, changecode and commit in one call, in this order."""
        body = _body(request)
        document = self._open_target(request, company, code)
        if body.get("verify"):
            self._verify(document, body["verify"])
        if body.get("changeCode"):
            self._change_code(document, body["changeCode"])
        if body.get("commit"):
            self._commit(document, body["commit"])
        self._note(document, request, "settle")
        return _answer(request, document.model)

    # === REFUND === #

    def refund(self, request, company, code):
        """POST …/refund: a committed ReturnInvoice with the original's tax, negated."""
        body = _body(request)
        self._unknown(
            request,
            body,
            {
                "refundTransactionCode",
                "refundDate",
                "refundType",
                "refundPercentage",
                "refundLines",
                "referenceCode",
            },
        )
        if not body.get("refundDate"):
            raise fail("ValueRequiredError", "refundDate")
        _check_date(body["refundDate"], "refundDate")
        original = self._target(request, company, code)
        if original.status != "Committed":
            raise fail(
                "InvalidDocumentStatusForRefund",
                description=f"The document status is {original.status}, we can only process "
                "refund on committed document.",
            )
        new_code = body.get("refundTransactionCode") or str(uuid.uuid4())
        if (company, "ReturnInvoice", new_code) in self.documents:
            raise doc_status_error()
        model = self._refund_model(original.model, body, new_code)
        document = Document(company, "ReturnInvoice", new_code, model, body)
        self.documents[document.key] = document
        self.by_id[model["id"]] = model
        document.counts["created"] += 1
        document.set_status("Committed")
        self._note(document, request, "refund")
        return _answer(request, model, "Summary,Addresses")

    def _refund_model(self, original, body, new_code):
        lines, share = _refund_choice(original, body)
        tax_only = body.get("refundType") == "TaxOnly"
        unit = us_tax.quantum(original["currencyCode"])
        new_id = self.next_id()
        refunded = [self._refund_line(line, share, unit, new_id, tax_only) for line in lines]
        return {
            **original,
            "id": new_id,
            "code": new_code,
            "type": "ReturnInvoice",
            "date": body["refundDate"][:10],
            "version": 1,
            "locked": False,
            "referenceCode": body.get("referenceCode") or original["code"],
            "taxOverrideType": "TaxAmount",
            "taxOverrideReason": "Refund",
            "lines": refunded,
            "addresses": [{**one, "transactionId": new_id} for one in original["addresses"]],
            **_totals(refunded),
        }

    def _refund_line(self, line, share, unit, document_id, tax_only):
        line_id = self.next_id()

        def part(amount):
            return (-amount * share).quantize(unit, ROUND_HALF_UP)

        details = [
            {
                **detail,
                "id": self.next_id(),
                "transactionLineId": line_id,
                "transactionId": document_id,
                **{name: part(D(detail[name])) for name in _REFUNDED_IN_DETAIL},
            }
            for detail in line["details"]
        ]
        tax = sum((detail["tax"] for detail in details), ZERO)
        return {
            **line,
            "id": line_id,
            "transactionId": document_id,
            "lineAmount": ZERO if tax_only else part(line["lineAmount"]),
            "discountAmount": part(line["discountAmount"]),
            "exemptAmount": ZERO if tax_only else part(line["exemptAmount"]),
            "taxableAmount": part(line["taxableAmount"]),
            "tax": tax,
            "taxCalculated": tax,
            "details": details,
        }

    # === DEFINITIONS AND ADDRESSES === #

    def companies(self, request):
        """GET /companies: the account's companies."""
        conditions = parse_filter(request.query.get("$filter", ""))
        found = [
            model
            for model in map(_company_model, COMPANIES)
            if all(test(_field(model, name)) for name, test in conditions)
        ]
        return _page(request, found)

    def tax_codes(self, request):
        """GET /definitions/taxcodes: the products of :mod:`sandbox.us_tax`."""
        conditions = parse_filter(request.query.get("$filter", ""))
        found = [
            model
            for model in map(_tax_code_model, enumerate(us_tax.PRODUCTS.items()))
            if all(test(_field(model, name)) for name, test in conditions)
        ]
        return _page(request, found)

    def resolve_address(self, request):
        """GET or POST /addresses/resolve: US and Canada only; others are answered by a message."""
        given = request.query if request.method == "GET" else _body(request)
        address = {name: given[name] for name in _ADDRESS_FIELDS if given.get(name)}
        line1, city, region = (address.get(name) for name in ("line1", "city", "region"))
        if not (address.get("postalCode") or (line1 and city and region)):
            raise fail("NotEnoughAddressesInfo")
        return Response(200, _resolution(address, given.get("textCase") or "Upper"))


# === CALCULATION OF ONE DOCUMENT === #

_REFUNDED_IN_DETAIL = (
    "taxableAmount",
    "nonTaxableAmount",
    "exemptAmount",
    "tax",
    "taxCalculated",
    "taxableUnits",
    "nonTaxableUnits",
    "exemptUnits",
    "reportingTaxableUnits",
    "reportingNonTaxableUnits",
    "reportingExemptUnits",
    "reportingTax",
    "reportingTaxCalculated",
)


class _Calculation:
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
        self.addresses = {}
        self.messages = []

    def _tax_date(self, override):
        if override.get("type") == "TaxDate" and override.get("taxDate"):
            _check_date(override["taxDate"], "taxDate")
            return override["taxDate"][:10]
        return self.given["date"][:10]

    def model(self):
        given_lines = self.given["lines"]
        discounts = _discounts(self.given, self.unit)
        prepared = [
            self._prepare(line, discount)
            for line, discount in zip(given_lines, discounts, strict=True)
        ]
        results = [result for _place, _exempt, result in prepared]
        us_tax.add_last_line_cents(results, self.unit)
        computed = [result.tax for result in results]
        self._override_tax(results)
        lines = [
            self._line(index, line, place, exempt, result, discount, calculated)
            for index, (line, (place, exempt, result), discount, calculated) in enumerate(
                zip(given_lines, prepared, discounts, computed, strict=True), 1
            )
        ]
        return self._header(lines, prepared[0][0])

    def _prepare(self, line, discount):
        """Return (place, exempt reason, tax) of one line."""
        addresses = line.get("addresses") or self.given.get("addresses")
        ship_to = _ship_to(addresses)
        place = us_tax.find_place(
            ship_to.get("country"),
            ship_to.get("region"),
            ship_to.get("city"),
            ship_to.get("postalCode"),
        )
        self._remember(_ship_from(addresses) or ship_to)
        self._remember(ship_to)
        if place.why_no_tax:
            self._message("No tax", place.why_no_tax)
        exempt = self._exempt(line)
        result = us_tax.tax_line(
            D(line["amount"]) - discount,
            line.get("taxCode") or "P0000000",
            place,
            self.tax_date,
            self.unit,
            bool(exempt),
            bool(line.get("taxIncluded")),
        )
        return place, exempt, result

    def _exempt(self, line):
        """Return why a line is exempt, or an empty text."""
        given = self.given
        for source in (line, given):
            if _known_override(source.get("taxOverride") or {}) == "Exemption":
                return "override"
            use_code = source.get("entityUseCode") or source.get("customerUsageType") or ""
            if use_code == "TAXABLE":
                return ""
            if use_code in us_tax.EXEMPT_USE_CODES:
                return use_code
        return line.get("exemptionCode") or given.get("exemptionNo") or ""

    def _override_tax(self, results):
        """Apply TaxAmount overrides of lines, else of the document, in proportion to the tax."""
        for line, result in zip(self.given["lines"], results, strict=True):
            override = line.get("taxOverride") or {}
            if _known_override(override) == "TaxAmount":
                _spread(D(override.get("taxAmount") or 0), result.shares, self.unit)
        if self.override == "TaxAmount":
            shares = [share for result in results for share in result.shares]
            _spread(D(self.given["taxOverride"].get("taxAmount") or 0), shares, self.unit)

    def _line(self, index, given, place, exempt, result, discount, calculated):
        line_id = self.vendor.next_id()
        ship_to = self._address_id(given, "ShipTo")
        taxable = result.taxable
        override = given.get("taxOverride") or {}
        quantity = given.get("quantity") or 1
        details = [self._detail(share, place, exempt, line_id, ship_to) for share in result.shares]
        line = {
            "id": line_id,
            "transactionId": self.id,
            "lineNumber": str(given.get("number") or index),
            "boundaryOverrideId": 0,
            "entityUseCode": given.get("entityUseCode") or self.given.get("entityUseCode") or "",
            "description": given.get("description") or "",
            "destinationAddressId": ship_to,
            "originAddressId": self._address_id(given, "ShipFrom"),
            "discountAmount": discount,
            "discountTypeId": 0,
            "exemptAmount": result.amount - taxable,
            "exemptCertId": 0,
            "exemptNo": self.given.get("exemptionNo") or given.get("exemptionCode") or "",
            "isItemTaxable": bool(taxable),
            "isSSTP": False,
            "itemCode": given.get("itemCode") or "",
            "lineAmount": result.amount + discount,
            "quantity": quantity,
            "ref1": given.get("ref1") or "",
            "ref2": given.get("ref2") or "",
            "reportingDate": self.given["date"][:10],
            "revAccount": given.get("revenueAccount") or "",
            "sourcing": "Destination",
            "tax": result.tax,
            "taxableAmount": taxable,
            "taxCalculated": calculated,
            "taxCode": given.get("taxCode") or "P0000000",
            "taxCodeId": 8087,
            "taxDate": self.tax_date,
            "taxEngine": "",
            "taxOverrideType": override.get("type") or "None",
            "businessIdentificationNo": given.get("businessIdentificationNo") or "",
            "taxOverrideAmount": D(override.get("taxAmount") or 0),
            "taxOverrideReason": override.get("reason") or "",
            "taxIncluded": bool(given.get("taxIncluded")),
            "details": details,
            "nonPassthroughDetails": [],
            "vatCode": "",
            "vatNumberTypeId": 0,
        }
        return line

    def _detail(self, share, place, exempt, line_id, address_id):
        jurisdiction = share.jurisdiction
        return {
            "id": self.vendor.next_id(),
            "transactionLineId": line_id,
            "transactionId": self.id,
            "addressId": address_id,
            "country": place.country,
            "region": place.region,
            "stateFIPS": place.jurisdictions[0].code,
            "exemptAmount": share.exempt,
            "exemptReasonId": 4 if exempt else 0,
            "inState": True,
            "jurisCode": jurisdiction.code,
            "jurisName": jurisdiction.name,
            "signatureCode": "",
            "stateAssignedNo": "",
            "jurisType": jurisdiction.kind,
            "jurisdictionType": _KIND_NAMES[jurisdiction.kind],
            "nonTaxableAmount": share.non_taxable,
            "nonTaxableRuleId": 0,
            "nonTaxableType": "RateRule",
            "rate": share.rate,
            "rateRuleId": 0,
            "rateSourceId": 3,
            "serCode": "",
            "sourcing": "Destination",
            "tax": share.tax,
            "taxableAmount": share.taxable,
            "taxType": "Sales",
            "taxSubTypeId": "S",
            "taxTypeGroupId": "SalesAndUse",
            "taxName": _tax_name(place, jurisdiction),
            "taxAuthorityTypeId": _AUTHORITY[jurisdiction.kind],
            "taxRegionId": 2127184,
            "taxCalculated": share.tax,
            "taxOverride": ZERO,
            "rateType": "General",
            "rateTypeCode": "G",
            "taxableUnits": share.taxable,
            "nonTaxableUnits": share.non_taxable,
            "exemptUnits": share.exempt,
            "unitOfBasis": "PerCurrencyUnit",
            "isNonPassThru": False,
            "isFee": False,
            "reportingTaxableUnits": share.taxable,
            "reportingNonTaxableUnits": share.non_taxable,
            "reportingExemptUnits": share.exempt,
            "reportingTax": share.tax,
            "reportingTaxCalculated": share.tax,
            "liabilityType": "Seller",
        }

    def _header(self, lines, place):
        given = self.given
        override = given.get("taxOverride") or {}
        day = given["date"][:10]
        addresses = list(self.addresses.values())
        customer = given["customerCode"]
        location = given.get("reportingLocationCode") or ""
        return {
            "id": self.id,
            "code": self.code,
            "companyId": COMPANIES[self.company][0],
            "date": day,
            "status": "Temporary",
            "type": self.kind,
            "batchCode": given.get("batchCode") or "",
            "currencyCode": self.currency,
            "exchangeRateCurrencyCode": given.get("exchangeRateCurrencyCode")
            or COMPANIES[self.company][2],
            "entityUseCode": given.get("entityUseCode") or "",
            "customerVendorCode": customer,
            "customerCode": customer,
            "exemptNo": given.get("exemptionNo") or "",
            "reconciled": False,
            "locationCode": location,
            "reportingLocationCode": location,
            "purchaseOrderNo": given.get("purchaseOrderNo") or "",
            "referenceCode": given.get("referenceCode") or "",
            "salespersonCode": given.get("salespersonCode") or "",
            "taxOverrideType": override.get("type") or "None",
            "taxOverrideAmount": D(override.get("taxAmount") or 0),
            "taxOverrideReason": override.get("reason") or "",
            "adjustmentReason": "NotAdjusted",
            "adjustmentDescription": "",
            "locked": False,
            "region": place.region,
            "country": place.country if len(place.country) == 2 else "US",
            "version": 1,
            "softwareVersion": "26.10.0.0",
            "originAddressId": addresses[0]["id"],
            "destinationAddressId": addresses[-1]["id"],
            "exchangeRateEffectiveDate": given.get("exchangeRateEffectiveDate") or day,
            "exchangeRate": D(given.get("exchangeRate") or 1),
            "isSellerImporterOfRecord": bool(given.get("isSellerImporterOfRecord")),
            "description": given.get("description") or "",
            "email": given.get("email") or "",
            "businessIdentificationNo": given.get("businessIdentificationNo") or "",
            "modifiedDate": _now(),
            "modifiedUserId": USER_ID,
            "taxDate": f"{self.tax_date}T00:00:00Z",
            "lines": lines,
            "addresses": addresses,
            "messages": self.messages,
            **_totals(lines),
        }

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

    def _remember(self, address):
        """Keep an address of the answer once; the first origin comes first."""
        key = _address_key(address)
        if key not in self.addresses:
            self.addresses[key] = {
                "id": self.vendor.next_id(),
                "transactionId": self.id,
                "boundaryLevel": "Address" if address.get("line1") else "Zip5",
                "line1": address.get("line1") or "",
                "line2": address.get("line2") or "",
                "line3": address.get("line3") or "",
                "city": address.get("city") or "",
                "region": address.get("region") or "",
                "postalCode": address.get("postalCode") or "",
                "country": address.get("country") or "US",
                "taxRegionId": 0,
            }

    def _address_id(self, line, kind):
        addresses = line.get("addresses") or self.given.get("addresses")
        ship_to = _ship_to(addresses)
        address = ship_to if kind == "ShipTo" else _ship_from(addresses) or ship_to
        return self.addresses[_address_key(address)]["id"]


def _address_key(address):
    return tuple(str(address.get(name) or "") for name in sorted(_ADDRESS_FIELDS))


def _ship_to(addresses):
    """Return the destination of a document or line; refuse an incomplete one."""
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


def _ship_from(addresses):
    return (addresses or {}).get("shipFrom") or (addresses or {}).get("singleLocation")


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


def _spread(amount, shares, unit):
    """Give ``amount`` of tax to the shares in proportion to their tax; the rest to the first."""
    total = sum((share.tax for share in shares), ZERO)
    if not shares:
        return
    for share in shares:
        share.tax = (amount * share.tax / total).quantize(unit) if total else ZERO
    shares[0].tax += amount - sum((share.tax for share in shares), ZERO)


def _totals(lines):
    """Return totals and summary of finished lines."""

    def total(name):
        return sum((line[name] for line in lines), ZERO)

    summary = {}
    for line in lines:
        for detail in line["details"]:
            _add_to_summary(summary, detail)
    taxable, exempt, tax = total("taxableAmount"), total("exemptAmount"), total("tax")
    return {
        "totalAmount": total("lineAmount"),
        "totalExempt": exempt,
        "totalDiscount": total("discountAmount"),
        "totalTax": tax,
        "totalTaxable": taxable,
        "totalTaxCalculated": total("taxCalculated"),
        "summary": list(summary.values()),
        "taxDetailsByTaxType": [
            {
                "taxType": "SalesAndUse",
                "totalTaxable": taxable,
                "totalExempt": exempt,
                "totalNonTaxable": ZERO,
                "totalTax": tax,
            }
        ],
    }


def _add_to_summary(summary, detail):
    key = (detail["region"], detail["jurisType"], detail["jurisCode"], detail["rate"])
    row = summary.get(key)
    if row is None:
        row = summary[key] = {
            "country": detail["country"],
            "region": detail["region"],
            "jurisType": detail["jurisdictionType"],
            "jurisCode": detail["jurisCode"],
            "jurisName": detail["jurisName"],
            "taxAuthorityType": detail["taxAuthorityTypeId"],
            "stateAssignedNo": "",
            "taxType": "Sales",
            "taxSubType": "S",
            "taxName": detail["taxName"],
            "rateType": "General",
            "rateTypeCode": "G",
            "taxable": ZERO,
            "rate": detail["rate"],
            "tax": ZERO,
            "taxCalculated": ZERO,
            "nonTaxable": ZERO,
            "exemption": ZERO,
        }
    row["taxable"] += detail["taxableAmount"]
    row["tax"] += detail["tax"]
    row["taxCalculated"] += detail["taxCalculated"]
    row["nonTaxable"] += detail["nonTaxableAmount"]
    row["exemption"] += detail["exemptAmount"]


def _tax_name(place, jurisdiction):
    kind = _KIND_NAMES[jurisdiction.kind].upper()
    if kind == "STATE":
        return f"{place.region} STATE TAX"
    return f"{place.region} {kind} TAX"


def _refund_choice(original, body):
    """Return (lines to refund, share of their amounts) for a refund request."""
    kind = body.get("refundType") or "Full"
    percentage = body.get("refundPercentage")
    lines = original["lines"]
    if kind == "Partial":
        wanted = body.get("refundLines") or []
        if not wanted:
            raise fail("RefundLinesRequired")
        numbers = {line["lineNumber"]: line for line in lines}
        for number in wanted:
            if number not in numbers:
                raise fail("LineNoOutOfRange", number)
        lines = [numbers[number] for number in wanted]
    elif kind not in ("Full", "TaxOnly", "Percentage"):
        raise fail("InvalidEnumValue", "refundType")
    if kind == "Percentage" and percentage is None:
        raise fail("RefundPercentageMissing")
    if percentage is None or kind in ("Full", "TaxOnly"):
        return lines, D(1)
    if not 0 < percentage <= 100:
        raise fail("RefundPercentageOutOfRange")
    return lines, D(percentage) / 100


# === REQUESTS AND ANSWERS === #


def _authenticate(request):
    """Return (user name, kind of authentication), or refuse with 401."""
    scheme, _space, secret = request.header("authorization").partition(" ")
    if scheme.lower() != "basic":
        raise fail(
            "AuthenticationIncomplete",
            description="You must provide an Authorization header of the type Basic or Bearer to "
            "authenticate correctly.",
        )
    try:
        user, _colon, password = base64.b64decode(secret, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = password = ""
    name = CREDENTIALS.get((user, password))
    if name is None:
        raise fail(
            "AuthenticationException",
            description="Missing authentication or unable to authenticate the user or the account.",
        )
    return name, "AccountIdLicenseKey" if user.isdigit() else "UsernamePassword"


def _body(request):
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


def _check_lengths(model):
    for name in model.keys() & MAX_LENGTH.keys():
        if isinstance(model[name], str) and len(model[name]) > MAX_LENGTH[name]:
            raise fail("StringLengthError", name)


def _check_date(value, name):
    try:
        date.fromisoformat(str(value)[:10])
    except ValueError:
        raise fail("ValueRequiredError", name, description=f"{name} is not a date") from None


def _company(code, where="path"):
    if code in COMPANIES:
        return code
    if where == "body":
        raise fail(
            "GetTaxError",
            "Company not found. Verify the CompanyCode.",
            sub_code="CompanyNotFoundError",
            refers_to="CompanyCode",
        )
    raise fail("EntityNotFoundError", f"Company with code '{code}'")


def _locked(document):
    return fail(
        "CannotModifyLockedTransaction",
        description=f"Document {document.code} is locked. Modification is not allowed.",
    )


def _adjustment(body, default="NotAdjusted"):
    reason = body.get("adjustmentReason") or default
    if reason not in ADJUSTMENT_REASONS:
        raise fail("InvalidEnumValue", "adjustmentReason")
    return {
        "adjustmentReason": reason,
        "adjustmentDescription": body.get("adjustmentDescription") or "",
    }


def _force_timeout():
    seconds = float(os.environ.get("FINANCE_SANDBOX_FORCE_TIMEOUT", FORCE_TIMEOUT_SECONDS))
    response = fail("InternalServerError", description="ForceTimeout was asked for.").response
    response.delay = seconds
    return response


def _now():
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _answer(request, model, default_include=""):
    return Response(200, _included(request, model, default_include))


def _included(request, model, default_include=""):
    """Return the model with the nested objects that ``$include`` asks for."""
    wanted = {part.strip() for part in request.query.get("$include", default_include).split(",")}
    shown = {key: value for key, value in model.items() if key not in _NESTED}
    with_details = wanted & {"Details", "Summary"}
    if "SummaryOnly" not in wanted:
        if with_details and "LinesOnly" not in wanted:
            shown["lines"] = model["lines"]
        elif wanted & {"Lines", "LinesOnly", "Details", "Summary"}:
            shown["lines"] = [
                {key: value for key, value in line.items() if key != "details"}
                for line in model["lines"]
            ]
    if wanted & {"Summary", "SummaryOnly"}:
        shown["summary"] = model["summary"]
    if "Addresses" in wanted:
        shown["addresses"] = model["addresses"]
    if "TaxDetailsByTaxType" in wanted:
        shown["taxDetailsByTaxType"] = model["taxDetailsByTaxType"]
    return shown


def _page(request, models, shown=lambda _request, model: model):
    """Return one page in the vendor's fetch result, with the link to the next."""
    query = request.query
    skip, top = int(query.get("$skip") or 0), min(int(query.get("$top") or MAX_PAGE), MAX_PAGE)
    values = [shown(request, model) for model in models[skip : skip + top]]
    page = {"@recordsetCount": len(models), "value": values}
    if skip + top < len(models):
        rest = {**query, "$skip": str(skip + top), "$top": str(top)}
        pairs = "&".join(f"{name}={quote(value)}" for name, value in rest.items())
        page["@nextLink"] = f"{request.base_url}{request.path}?{pairs}"
    return Response(200, page)


# === FILTERS === #

_VALUE = r"'(?:[^']|'')*'|[^\s(),']+"
_CLAUSE = re.compile(
    rf"\s*(\w+)\s+(?:(eq|ne|gt|ge|lt|le|contains|startswith|endswith)\s+({_VALUE})"
    rf"|between\s+({_VALUE})\s+and\s+({_VALUE})|in\s*\(([^)]*)\))\s*(?:\band\b|$)",
    re.IGNORECASE,
)
_TESTS = {
    "eq": lambda mine, theirs: mine == theirs,
    "ne": lambda mine, theirs: mine != theirs,
    "gt": lambda mine, theirs: mine > theirs,
    "ge": lambda mine, theirs: mine >= theirs,
    "lt": lambda mine, theirs: mine < theirs,
    "le": lambda mine, theirs: mine <= theirs,
    "contains": lambda mine, theirs: theirs in mine,
    "startswith": lambda mine, theirs: mine.startswith(theirs),
    "endswith": lambda mine, theirs: mine.endswith(theirs),
}


def parse_filter(text):
    """Return [(field, test)] of a ``$filter``: clauses joined by ``and``, no brackets, no ``or``.

    :raises Refusal: the filter is not understood.
    """
    conditions, position = [], 0
    while position < len(text.rstrip()):
        clause = _CLAUSE.match(text, position)
        if clause is None:
            raise fail("MalformedFilterException", text)
        conditions.append((clause[1], _test(clause)))
        position = clause.end()
    return conditions


def _test(clause):
    operator, value, low, high, among = clause.group(2, 3, 4, 5, 6)
    if low is not None:
        low, high = _literal(low), _literal(high)
        return lambda mine: _like(low, mine) <= mine <= _like(high, mine)
    if among is not None:
        choices = [_literal(one) for one in re.findall(_VALUE, among)]
        return lambda mine: any(_like(one, mine) == mine for one in choices)
    test, theirs = _TESTS[operator.lower()], _literal(value)
    return lambda mine: test(mine, _like(theirs, mine))


def _literal(text):
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _like(text, mine):
    """Return a filter's text as the type of the field it is compared with."""
    if isinstance(mine, bool):
        return text.lower() == "true"
    if isinstance(mine, int | Decimal):
        return D(text)
    return text


def _field(model, name):
    for known in model:
        if known.lower() == name.lower() and not isinstance(model[known], list | dict):
            return model[known]
    raise fail("InvalidQueryField", name)


def _sorted(models, order):
    for part in reversed([part.split() for part in order.split(",") if part.strip()]):
        downwards = len(part) > 1 and part[1].upper() == "DESC"
        models = sorted(models, key=lambda model: _field(model, part[0]), reverse=downwards)
    return models


# === SMALL MODELS === #


def _company_model(code):
    company_id, name, currency = COMPANIES[code]
    return {
        "id": company_id,
        "accountId": ACCOUNT_ID,
        "companyCode": code,
        "name": name,
        "isDefault": code == next(iter(COMPANIES)),
        "isActive": True,
        "hasProfile": True,
        "isReportingEntity": True,
        "defaultCountry": "US",
        "baseCurrencyCode": currency,
        "roundingLevelId": "Line",
        "isTest": True,
    }


def _tax_code_model(numbered):
    index, (code, (kind, description, _shares)) = numbered
    return {
        "id": 8000 + index,
        "companyId": 1,
        "taxCode": code,
        "taxCodeTypeId": kind,
        "description": description,
        "parentTaxCode": "",
        "isPhysical": kind == "P",
        "goodsServiceCode": 0,
        "entityUseCode": "",
        "isActive": True,
        "isSSTCertified": False,
    }


def _resolution(address, text_case):
    country = (address.get("country") or "US").upper()
    answer = {"address": address, "validatedAddresses": [], "resolutionQuality": "NotCoded"}
    if country not in ("US", "CA"):
        return {**answer, "messages": [_address_problem("Country", "Country not supported.")]}
    place = us_tax.find_place(
        country, *(address.get(key) for key in ("region", "city", "postalCode"))
    )
    if not place.jurisdictions:
        return {**answer, "messages": [_address_problem("Address", "Address cannot be geocoded.")]}
    cased = str.upper if text_case == "Upper" else str.title
    valid = {name: cased(value) for name, value in address.items()}
    valid |= {"addressType": "S", "region": place.region, "country": country}
    coordinates = {"latitude": D("29.757783"), "longitude": D("-95.363144")}
    return {
        "address": address,
        "validatedAddresses": [{**valid, **coordinates}],
        "coordinates": coordinates,
        "resolutionQuality": "Intersection",
        "taxAuthorities": [
            {
                "avalaraId": jurisdiction.code,
                "jurisdictionName": jurisdiction.name,
                "jurisdictionType": _KIND_NAMES[jurisdiction.kind],
                "signatureCode": "",
            }
            for jurisdiction in place.jurisdictions
        ],
    }


def _address_problem(refers_to, summary):
    return {
        "summary": summary,
        "details": summary,
        "refersTo": refers_to,
        "severity": "Error",
        "source": "Avalara.AvaTax.Services.Address",
    }
