"""Avalara AvaTax REST v2: the whole vendor; its tables stand in ``avatax_const.py``.

Contract: the published OpenAPI description "AvaTax API v2" and the pages of
developer.avalara.com/avatax (errors, voiding documents, client headers, filtering in REST, reasons
tax can be zero).
"""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from urllib.parse import quote

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Rejected,
    Transient,
)

from ..canonical import tax as canonical
from ..canonical.tax import (
    Address,
    AddressAnswer,
    Certificate,
    EntityUseCode,
    Nexus,
    TaxCode,
    TaxDocument,
    TaxReference,
    TaxResult,
)
from . import avatax_answers as answers
from .avatax_const import (
    ADDRESS_CODES,
    ADDRESS_COUNTRIES,
    ADJUSTMENT_REASONS,
    API_VERSION,
    AUTH_CODES,
    CLIENT,
    ESCAPES,
    LENGTHS,
    LOCKED_CODES,
    NOT_FOUND,
    NOT_OFFERED_CODES,
    PAGE,
    QUOTE_TYPES,
    RECORD_TYPES,
    RECORDED_KINDS,
    REPLACED,
    SIGNS,
    STATUSES,
    TAX_CODES_FOUND,
    TRANSIENT_CODES,
)
from .engine import CAPABILITIES, TaxEngine

ZERO = Decimal(0)

# (base URL, account, company code) to the company's id, which never changes.
_company_ids: dict[tuple, int] = {}


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
        Setting(
            "upc",
            "Send UPC",
            required=False,
            default="no",
            check="yes|no",
            help="yes: barcodes that are a UPC or EAN go as the item code, for accounts whose tax"
            " codes are found by UPC at Avalara. no: the internal reference goes.",
        ),
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
    capabilities = frozenset(CAPABILITIES)
    takes_prices_with_tax = True
    timeouts = (3.0, 15.0)
    concurrency = 8

    # === DOCUMENTS === #

    def ping(self) -> str:
        """Return words about the account, and about the company where its code is known.

        GET /utilities/ping answers 200 in any case.
        """
        answer = self._answer(self.send("GET", "/api/v2/utilities/ping"), "ping")
        if not answer.boolean("authenticated"):
            raise AuthFailed("AvaTax answers, but refuses the account ID or the license key")
        account = answer.integer("authenticatedAccountId", default=None)
        words = f"AvaTax {answer.text('version')}, account {account or self._setting('account_id')}"
        company = self.config.company_settings.get(self.seller_setting)
        if company:
            words += f", company {self._company(company).text('name')} ({company})"
        return words

    def quote(self, document: TaxDocument) -> TaxResult:
        """Calculate without keeping: a transaction of a type that ends with "Order"."""
        model = self._transaction(document, QUOTE_TYPES[document.kind])
        payload = self.send("POST", "/api/v2/transactions/create", json=model, params=_DETAILS)
        return self._result(payload, document, {canonical.QUOTED})

    def commit(self, document: TaxDocument) -> TaxResult:
        """Create or replace the transaction and commit it, in one call that may be repeated."""
        model = self._transaction(document, RECORD_TYPES[document.kind]) | {"commit": True}
        payload = self.send(
            "POST",
            "/api/v2/transactions/createoradjust",
            json={"createTransactionModel": model},
            params=_DETAILS,
        )
        return self._result(payload, document, {canonical.RECORDED})

    def adjust(self, document: TaxDocument, reason: str, words: str = "") -> TaxResult:
        """Put a new revision over the committed transaction; it gets a new id and version."""
        kind = RECORD_TYPES[document.kind]
        model = {
            "adjustmentReason": ADJUSTMENT_REASONS[reason],
            "adjustmentDescription": words or reason,
            "newTransaction": self._transaction(document, kind) | {"commit": True},
        }
        payload = self.send(
            "POST",
            f"{_path(document)}/adjust",
            json=model,
            params={**_DETAILS, "documentType": kind},
        )
        return self._result(payload, document, {canonical.RECORDED})

    def refund(self, reference: TaxReference, original: TaxReference, day: date) -> TaxResult:
        """Let AvaTax make a ReturnInvoice of the whole original, with its very tax."""
        model = {
            "refundTransactionCode": reference.code,
            "refundDate": day.isoformat(),
            "refundType": "Full",
            "referenceCode": original.code,
        }
        return self._change(
            reference,
            f"{_path(original)}/refund",
            {canonical.RECORDED},
            json=model,
            params={**_DETAILS, "documentType": RECORD_TYPES[original.kind]},
        )

    def void(self, reference: TaxReference) -> TaxResult:
        """Void with reason DocVoided; a transaction that is void or absent already is no error."""
        return self._change(
            reference,
            f"{_path(reference)}/void",
            {canonical.VOIDED, canonical.ABSENT},
            json={"code": "DocVoided"},
        )

    def unvoid(self, reference: TaxReference) -> TaxResult:
        """Give a void transaction the status from before."""
        into = {canonical.RECORDED, canonical.SAVED}
        return self._change(reference, f"{_path(reference)}/unvoid", into)

    def uncommit(self, reference: TaxReference) -> TaxResult:
        """Take a committed transaction out of the next return."""
        return self._change(reference, f"{_path(reference)}/uncommit", {canonical.SAVED})

    def lookup(self, reference: TaxReference) -> TaxResult | None:
        """Read the transaction of this code and type."""
        params = {**_DETAILS, "documentType": RECORD_TYPES[reference.kind]}
        try:
            payload = self.send("GET", _path(reference), params=params)
        except Rejected as error:
            if not _is_absent(error):
                raise
            # it may be the company that is not found
            self._company_id(reference.seller)
            return None
        return self._result(payload, reference, set(STATUSES.values()))

    def recorded(self, seller, start, end):
        """List sales and returns by document date, in the order of the vendor's ids.

        Each page asks for ids above the last one seen, so that what is adjusted or deleted while
        the list is read moves nothing to a page that was read already.
        """
        wanted = (
            f"date ge {_literal(start.isoformat())} and date le {_literal(end.isoformat())}"
            f" and type in ({', '.join(map(_literal, RECORDED_KINDS))})"
        )
        last = 0
        while True:
            params = {
                "$filter": f"{wanted} and id gt {last}",
                "$orderBy": "id ASC",
                "$include": "SummaryOnly",
                "$top": PAGE,
            }
            page = self._page(_documents(seller), params)
            rows = page.list("value")
            for row in rows:
                if row.integer("id") <= last:
                    raise self._broken("transactions: the ids do not ascend", "transactions.id")
                last = row.integer("id")
                if row.text("status") != REPLACED:
                    yield answers.recorded_document(row)
            if not rows or not page.text("@nextLink", default=""):
                return

    # === WHAT THE ENGINE KNOWS === #

    def resolve_address(self, address: Address) -> AddressAnswer:
        """Compare an address with the one that AvaTax knows; other countries are not asked for."""
        if address.country not in ADDRESS_COUNTRIES:
            words = f"AvaTax knows addresses in {' and '.join(ADDRESS_COUNTRIES)} only"
            return AddressAnswer(canonical.UNKNOWN, messages=(words,))
        # AddressValidationInfo has less room than the addresses of a transaction
        model = _address(replace(address, line1=address.line1[:50])) | {"textCase": "Mixed"}
        try:
            payload = self.send("POST", "/api/v2/addresses/resolve", json=model)
        except Rejected as error:
            if error.code not in ADDRESS_CODES:
                raise
            return AddressAnswer(canonical.UNKNOWN, messages=(error.message,))
        return answers.address_answer(address, self._answer(payload, "addresses"))

    def nexus(self, seller: str) -> tuple[Nexus, ...]:
        """Read the declarations of nexus of a company."""
        path = f"/api/v2/companies/{self._company_id(seller)}/nexus"
        return tuple(answers.nexus(row) for row in self._rows(path))

    def tax_codes(self, text: str) -> tuple[TaxCode, ...]:
        """Search Avalara's list; codes that are no longer active are left out."""
        value = _literal(text.strip())
        rows = self._page(
            "/api/v2/definitions/taxcodes",
            {
                "$filter": f"taxCode contains {value} or description contains {value}",
                "$orderBy": "taxCode ASC",
                "$top": TAX_CODES_FOUND,
            },
        ).list("value")
        return tuple(
            TaxCode(row.text("taxCode"), row.text("description", default=""))
            for row in rows
            if row.boolean("isActive", default=True)
        )

    def entity_use_codes(self) -> tuple[EntityUseCode, ...]:
        """Read Avalara's list."""
        return tuple(
            EntityUseCode(
                row.text("code"),
                row.text("name", default=""),
                row.text("description", default=""),
                tuple(row.payload.get("validCountries") or ()),
            )
            for row in self._rows("/api/v2/definitions/entityusecodes")
        )

    def certificates(self, seller: str, customer: str) -> tuple[Certificate, ...]:
        """Read the certificates linked to a customer; one that AvaTax does not know has none."""
        # the contract gives the escapes of document codes to no other code
        code = quote(customer, safe="")
        path = f"/api/v2/companies/{self._company_id(seller)}/customers/{code}/certificates"
        try:
            return tuple(answers.certificate(row) for row in self._rows(path))
        except Rejected as error:
            if _is_absent(error):
                return ()
            raise

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
        if code in NOT_OFFERED_CODES:
            return Rejected(words, **details)
        if response.status in (401, 403) or code in AUTH_CODES:
            return AuthFailed(f"AvaTax: {words}", **details)
        overloaded = response.status == 429 or response.status >= 500 or code in TRANSIENT_CODES
        if overloaded or fault == "Server":
            # Every call of ours that changes something may be repeated, so nothing is uncertain.
            return Transient(f"AvaTax: {words}", **details)
        if code in LOCKED_CODES:
            return Rejected(words, **details | {"code": canonical.LOCKED})
        return Rejected(words, **details)

    # === SENDING AND READING === #

    def _transaction(self, document, kind):
        if self._setting("upc") == "yes":
            lines = (
                replace(line, item_code=line.gtin or line.item_code) for line in document.lines
            )
            document = replace(document, lines=tuple(lines))
        return transaction(document, kind)

    def _setting(self, name):
        return self.config.settings.get(name, "")

    def _answer(self, payload, where):
        return Answer(payload, where=where, version=API_VERSION)

    def _broken(self, words, field):
        return ContractBroken(f"AvaTax {words}", field=field, version=API_VERSION)

    def _change(self, reference, path, into, *, json=None, params=None):
        """Send a change; where it is refused because it was made before, find that out.

        into: the statuses that the change leads to.
        """
        params = params or {"documentType": RECORD_TYPES[reference.kind]}
        try:
            payload = self.send("POST", path, json=json, params=params)
        except Rejected as refusal:
            if refusal.code == canonical.LOCKED:
                raise
            found = self.lookup(reference) or _absent(reference)
            if found.status not in into:
                raise
            return found
        return self._result(payload, reference, into)

    def _result(self, payload, asked, expected):
        """Return the `TaxResult` of a TransactionModel.

        asked: the `TaxDocument` that was sent, or the `TaxReference`. expected: statuses.
        """
        answer = self._answer(payload, "transaction")
        sign = answer.choice("type", SIGNS)
        status = answer.choice("status", STATUSES)
        if status not in expected:
            words = f"answered with status {answer.text('status')}"
            raise self._broken(words, "transaction.status")
        messages = tuple(map(answers.words_of, answer.list("messages", default=[])))
        lines = answer.list("lines", default=[])
        result = TaxResult(
            code=asked.code and answer.text("code"),
            status=status,
            currency=answer.text("currencyCode"),
            total_tax=answers.amount(answer, "totalTax", sign),
            total_taxable=answers.amount(answer, "totalTaxable", sign),
            total_exempt=answers.amount(answer, "totalExempt", sign),
            taxes=tuple(tax for line in lines for tax in answers.line_taxes(line, sign)),
            messages=messages,
            engine_id=str(answer.integer("id", default=0) or ""),
            reasons=tuple(filter(None, (answers.zero_reason(line, messages) for line in lines))),
            locked=answer.boolean("locked", default=False),
        )
        numbers = [line.text("lineNumber") for line in lines]
        self._check_complete(result, numbers, asked)
        return result

    def _check_complete(self, result, numbers, asked):
        total = sum((tax.amount for tax in result.taxes), ZERO)
        if numbers and total != result.total_tax:
            words = f"gives lines that come to {total}, but a total of {result.total_tax}"
            raise self._broken(words, "transaction.totalTax")
        if not isinstance(asked, TaxDocument):
            return
        missing = {line.number for line in asked.lines}.symmetric_difference(numbers)
        if missing or len(numbers) != len(asked.lines):
            words = f"did not answer for exactly the lines asked: {', '.join(sorted(missing))}"
            raise self._broken(words, "transaction.lines.lineNumber")
        if result.currency != asked.currency:
            words = f"answered in {result.currency}, asked was {asked.currency}"
            raise self._broken(words, "transaction.currencyCode")

    def _page(self, path, params):
        return self._answer(self.send("GET", path, params=params), path.rpartition("/")[2])

    def _rows(self, path, **params):
        """Yield the rows of all pages of a list."""
        skip = 0
        while True:
            page = self._page(path, {**params, "$top": PAGE, "$skip": skip})
            rows = page.list("value")
            yield from rows
            skip += len(rows)
            if not rows or not page.text("@nextLink", default=""):
                return

    def _company(self, seller):
        """Return the CompanyModel of a company code; Rejected when the account has none."""
        params = {"$filter": f"companyCode eq {_literal(seller)}"}
        found = self._page("/api/v2/companies", params).list("value")
        if not found:
            raise Rejected(f"The AvaTax account has no company with the code {seller}")
        return found[0]

    def _company_id(self, seller):
        key = (self.config.base_url, self._setting("account_id"), seller)
        if key not in _company_ids:
            _company_ids[key] = self._company(seller).integer("id")
        return _company_ids[key]


# === REQUEST === #

_DETAILS = {"$include": "Details"}


def transaction(document: TaxDocument, kind: str) -> dict:
    """Return the CreateTransactionModel of ``document`` with type ``kind``."""
    sign = SIGNS[kind]
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


def _documents(seller):
    return f"/api/v2/companies/{escape_code(seller)}/transactions"


def _path(reference):
    return f"{_documents(reference.seller)}/{escape_code(reference.code)}"


def _literal(text):
    """Return ``text`` as a value inside a ``$filter``."""
    return "'" + text.replace("'", "''") + "'"


def _line(line, sign):
    return _filled(
        {
            "number": line.number,
            "amount": sign * line.amount,
            "quantity": abs(line.quantity),
            "itemCode": line.item_code,
            "taxCode": line.tax_code,
            "description": line.description,
            "taxIncluded": bool(line.tax_included),
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


def _is_absent(error):
    return error.status == 404 or error.code == NOT_FOUND


def _absent(reference):
    return TaxResult(reference.code, canonical.ABSENT, "", ZERO, ZERO, ZERO)


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
