"""Stripe Tax: the vendor; what is asked and answered stands in ``stripe_tax_request`` and others.

Contract: Stripe's published OpenAPI description, version 2023-08-16 (/v1/tax/*, /v1/tax_codes), and
the pages of docs.stripe.com on the tax API and its reversals, on idempotent requests, currencies
and error codes.

A *calculation* is a question (there is a fee for each) and can become a *transaction* for 90 days.
A transaction is never changed: it is taken back by a *reversal*, a transaction with the opposite
signs. Each has a reference that no other has; there is no way to find one by it, so the id that
Stripe gives has to be kept (`TaxResult.engine_id`).
"""

import json
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import AuthFailed, Rejected, Transient

from ..canonical import tax as canonical
from ..canonical.tax import EntityUseCode, TaxCode, TaxDocument, TaxReference, TaxResult
from .engine import TaxEngine
from .stripe_tax_answer import CalculationReader, Recorded
from .stripe_tax_request import OVERRIDES, asked_lines, calculation, form
from .stripe_tax_reversal import original_lines, reversal

ZERO = Decimal(0)
API_VERSION = "2023-08-16"
CALCULATIONS = "/v1/tax/calculations"
TRANSACTIONS = "/v1/tax/transactions"
PAGE = 100
# The vendor calculates for days at most so far from now (parameter tax_date).
NEAR_SECONDS = 48 * 3600
MOST_KEYS = 3

# Codes of ours where Stripe only names the parameter.
ALREADY_RECORDED = "already_recorded"  # the reference is taken
NO_CALCULATION = "no_calculation"  # gone, too old, or made into a transaction before
PARAMETERS = {"reference": ALREADY_RECORDED, "calculation": NO_CALCULATION}
REPLAYED = "replayed"  # a fault of Stripe's that comes again for this key
MISSING = "resource_missing"


class StripeTax(TaxEngine):
    """Stripe Tax.

    - **Voiding** a transaction is a full reversal under the reference ``<code>-void``. At Stripe both
      stay visible for good, each in the period in which it was made: the return of one period may
      show the sale and that of the next the reversal.
    - **Credit notes** are partial reversals of lines of the invoice that they take back; without
      that invoice Stripe can't record one. What is reversed is the tax in the books.
    - **Dates**: Stripe calculates for at most 48 hours back and ahead. Documents of other days get
      the rules of today, with a remark, or are refused (option). A transaction counts from the
      moment that it is made, whatever the document's date.
    - **Discount lines** are taken off the other lines: Stripe knows no negative ones.
    - **Where goods leave from** is not sent: this version takes it from Stripe's settings.
    """

    code, label = "stripe_tax", "Stripe Tax"
    # Test and live mode are told apart by the key.
    hosts = {"sandbox": "https://api.stripe.com", "production": "https://api.stripe.com"}
    api_version = API_VERSION
    settings = (
        Setting(
            "secret_key",
            "Secret or restricted key",
            secret=True,
            check=r"(sk|rk)_(test|live)_\w{8,}",
            help="Stripe > Developers > API keys. A restricted key needs write access to Tax. The"
            " sandbox takes a test key, production a live one.",
        ),
        Setting(
            "other_days",
            "Documents of other days",
            required=False,
            default="today",
            check=r"today|refuse",
            help="Stripe calculates for two days back and ahead. today: use today's rules for all"
            " other documents and say so; refuse: don't calculate them.",
        ),
    )
    capabilities = frozenset({"lookup", "refund", "tax_codes", "entity_use_codes"})
    timeouts = (3.0, 15.0)
    # Test mode allows 25 operations a second, live mode 100.
    rate = (20.0, 20)
    concurrency = 8

    def __init__(self, session):
        super().__init__(session)
        self._key = ""

    # === WHAT AN ENGINE OFFERS === #

    def ping(self) -> str:
        """Return words about the account (GET /v1/tax/settings)."""
        answer = self._answer(self.send("GET", "/v1/tax/settings"), "settings")
        if answer.choice("status", ("active", "pending")) == "pending":
            pending = answer.object("status_details").payload.get("pending") or {}
            missing = (
                ", ".join(pending.get("missing_fields") or ()) or "see Stripe > Tax > Settings"
            )
            raise Rejected(f"Stripe Tax is not set up yet: {missing}", code="pending")
        return f"Stripe Tax, {'live' if answer.boolean('livemode') else 'test'} mode"

    def quote(self, document: TaxDocument) -> TaxResult:
        """Make a calculation; nothing is recorded. There is a fee for each."""
        return self._calculate(document, asked_lines(document))

    def commit(self, document: TaxDocument) -> TaxResult:
        """Make the calculation a transaction, or reverse lines of the original's transaction."""
        asked = asked_lines(document)
        if document.kind == canonical.REFUND:
            return self._reverse_lines(document, asked)
        if document.quote_id:
            try:
                return self._keep(document, asked, document.quote_id, document.booked)
            except Rejected as refusal:
                if refusal.code != NO_CALCULATION:
                    raise
        day = self._tax_date(document) or "today"
        self._key = self._key_of(document.code, f"calculation-{day}")
        result = self._calculate(document, asked)
        _check_booked(document, result)
        return self._keep(document, asked, result.engine_id, result.taxes)

    def void(self, reference: TaxReference) -> TaxResult:
        """Reverse the transaction in full; the class says what stays visible at Stripe."""
        if not reference.engine_id:
            raise _id_unknown(reference.code, "Reverse it there by hand")
        try:
            recorded = self._reverse(
                reference.code, reference.engine_id, f"{reference.code}-void", "void"
            )
        except Rejected as refusal:
            if refusal.code == ALREADY_RECORDED:
                return _without_amounts(reference.code, canonical.VOIDED)
            if refusal.code == MISSING:
                return _without_amounts(reference.code, canonical.ABSENT)
            raise
        return replace(_result(recorded, canonical.VOIDED), code=reference.code, engine_id="")

    def lookup(self, reference: TaxReference) -> TaxResult | None:
        """Read the transaction by Stripe's id.

        Stripe keeps no tax per jurisdiction on a transaction, so ``taxes`` is empty; nor does a
        transaction say whether it was reversed since.
        """
        if not reference.engine_id:
            raise _id_unknown(reference.code, "Look it up there")
        try:
            answer, items = self._transaction(reference.engine_id)
        except Rejected as refusal:
            if refusal.code == MISSING:
                return None
            raise
        return _result(Recorded.of(answer, items), canonical.RECORDED)

    def refund(self, reference: TaxReference, original: TaxReference, day: date) -> TaxResult:
        """Reverse the original's transaction in full, under ``reference.code``."""
        if not original.engine_id:
            raise _not_yet(original.code)
        recorded = self._reverse(reference.code, original.engine_id, reference.code, "refund")
        return _result(recorded, canonical.RECORDED)

    def tax_codes(self, text: str) -> tuple[TaxCode, ...]:
        """Search Stripe's list (GET /v1/tax_codes, which can't search)."""
        found, wanted = [], text.lower()
        for row in self._pages("/v1/tax_codes", "tax_codes"):
            code, words = row.text("id"), f"{row.text('name')}: {row.text('description')}"
            if wanted in f"{code} {words}".lower():
                found.append(TaxCode(code, words))
            if len(found) == PAGE:
                break
        return tuple(found)

    def entity_use_codes(self) -> tuple[EntityUseCode, ...]:
        """Return the values of customer_details.taxability_override that take tax off."""
        names = ("Customer is exempt", "Customer owes the tax (reverse charge)")
        return tuple(EntityUseCode(*row) for row in zip(OVERRIDES, names, strict=True))

    # === HOOKS === #

    def headers(self):
        """Return the pinned version, and the key of what Stripe is to do once only."""
        headers = {"Stripe-Version": API_VERSION}
        return headers | ({"Idempotency-Key": self._key} if self._key else {})

    def authorize(self, request):
        """Bearer with the key, which must be of the mode that the connector is in."""
        key = self.config.settings["secret_key"]
        live = key[2:].startswith("_live_")
        if live != (self.config.environment == "production"):
            words = "a live key outside production" if live else "a test key in production"
            raise AuthFailed(f"Stripe: {words}; enter a key of the other mode", code="key_mode")
        request.headers["Authorization"] = f"Bearer {key}"

    def classify(self, response):
        """Turn ``{"error": {"type", "code", "param", "message"}}`` into an error class."""
        error = _error_of(response.body)
        if error is None:
            return None
        words = f"Stripe: {error['message']}"
        details = {
            "code": PARAMETERS.get(error["param"]) or error["code"] or error["type"],
            "status": response.status,
        }
        if response.status in (401, 403):
            return AuthFailed(words, **details)
        if response.status >= 500 or error["type"] == "api_error":
            if response.headers.get("Idempotent-Replayed") == "true":
                details["code"] = REPLAYED
            # Every call of ours that changes something may be repeated, so nothing is uncertain.
            return Transient(words, **details)
        if response.status in (409, 429) or error["code"] == "lock_timeout":
            return Transient(words, **details)
        return Rejected(words, **details)

    # === CALCULATIONS === #

    def _tax_date(self, document):
        """Return noon of the day that rules are asked for as a timestamp, None for today's."""
        day = document.tax_date or document.date
        noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())
        if abs(noon - time.time()) < NEAR_SECONDS:
            return noon
        if self.config.settings.get("other_days") == "refuse":
            raise Rejected(
                f"Stripe calculates for two days back and ahead, and the rates of {day} are asked."
                " Date the document nearer to today, or set the connector's option “Documents of"
                " other days” to: today",
                code="other_day",
            )
        return None

    def _calculate(self, document, asked):
        tax_date = self._tax_date(document)
        payload = self._post(CALCULATIONS, calculation(document, asked, tax_date))
        answer = self._answer(payload, "calculation")
        items = self._items(answer, CALCULATIONS, "data.tax_breakdown")
        taxes, reasons = CalculationReader(document, asked).taxes(answer, items)
        day = document.tax_date or document.date
        remark = f"Stripe used the rules of today, not those of {day}."
        return TaxResult(
            code="",
            status=canonical.QUOTED,
            currency=document.currency,
            **_totals(document, taxes),
            taxes=tuple(taxes),
            messages=() if tax_date else (remark,),
            engine_id=answer.text("id"),
            reasons=tuple(reasons),
        )

    # === TRANSACTIONS === #

    def _keep(self, document, asked, calculation_id, taxes):
        """Make a calculation the document's transaction; its tax must be ``taxes``, if given."""
        self._key = self._key_of(document.code, calculation_id)
        values = {"calculation": calculation_id, "reference": document.code}
        recorded = self._make("create_from_calculation", values)
        recorded.check_totals(document, taxes, asked)
        if taxes is not None:
            recorded.check_lines(taxes, asked)
        return _result(recorded, canonical.RECORDED, document, taxes)

    def _reverse_lines(self, document, asked):
        """Take back what a credit note takes back, from lines of the original's transaction."""
        if not document.original_code:
            raise Rejected(
                "Stripe Tax records a credit note only as the reversal of a recorded invoice, and"
                " this one names none. Make it with Credit Note on the invoice, or record it in"
                " Stripe by hand and mark this as done outside",
                code="no_original",
            )
        if not document.original_id:
            raise _not_yet(document.original_code)
        asked = [one for one in asked if one.amount]
        if not asked:
            return replace(
                _without_amounts(document.code, canonical.RECORDED), currency=document.currency
            )
        answer, items = self._transaction(document.original_id)
        values = {
            "mode": "partial",
            "original_transaction": document.original_id,
            "reference": document.code,
            **reversal(document, asked, original_lines(answer, items)),
        }
        self._key = self._key_of(document.code, "reversal")
        recorded = self._make("create_reversal", values)
        recorded.check_totals(document, document.booked, asked)
        return _result(recorded, canonical.RECORDED, document, document.booked)

    def _reverse(self, code, engine_id, reference, purpose):
        """Reverse a transaction in full."""
        self._key = self._key_of(code, purpose)
        values = {"mode": "full", "original_transaction": engine_id, "reference": reference}
        return self._make("create_reversal", values)

    def _make(self, action, values):
        """Make a transaction and return it as `Recorded`."""
        try:
            payload = self._post(f"{TRANSACTIONS}/{action}", values | {"expand": ["line_items"]})
        except Rejected as refusal:
            if refusal.code == ALREADY_RECORDED:
                refusal.message = (
                    f"Stripe has a transaction with the reference {values['reference']} already,"
                    " and does not tell its id. Compare it in Stripe > Tax > Transactions; if it is"
                    " right, mark this as done outside"
                )
            raise
        answer = self._answer(payload, "transaction")
        return Recorded.of(answer, self._items(answer, TRANSACTIONS))

    def _transaction(self, engine_id):
        """Return a transaction and its lines of all pages."""
        path = f"{TRANSACTIONS}/{_in_path(engine_id)}"
        payload = self.send("GET", path, params={"expand[]": "line_items"})
        answer = self._answer(payload, "transaction")
        return answer, self._items(answer, TRANSACTIONS)

    # === HTTP === #

    def _post(self, path, values):
        """POST a form under the present idempotency key, which is used up.

        Stripe keeps the answer under a key for a day and gives it again, a fault of its own too.
        Then another key is tried: the unique reference keeps anything from being recorded twice.
        """
        key, data = self._key, form(values)
        try:
            for attempt in range(MOST_KEYS):
                self._key = f"{key}-{attempt + 1}" if attempt else key
                try:
                    return self.send("POST", path, data=data)
                except Transient as failure:
                    if failure.code != REPLAYED or attempt + 1 == MOST_KEYS:
                        raise
        finally:
            self._key = ""

    def _key_of(self, code, purpose):
        """Return the idempotency key of one request of this job; at most 255 characters."""
        return f"{self.session.key or code}:{purpose}"[:255]

    def _items(self, answer, collection, expand=""):
        """Return the lines of a calculation or transaction, all pages."""
        held = answer.object("line_items")
        if not held.boolean("has_more"):
            return held.list("data")
        path = f"{collection}/{_in_path(answer.text('id'))}/line_items"
        return list(self._pages(path, "line_items", expand))

    def _pages(self, path, where, expand=""):
        params = {"limit": PAGE} | ({"expand[]": expand} if expand else {})
        while True:
            page = self._answer(self.send("GET", path, params=params), where)
            rows = page.list("data")
            yield from rows
            if not rows or not page.boolean("has_more"):
                return
            params["starting_after"] = rows[-1].text("id")

    def _answer(self, payload, where):
        return Answer(payload, where=where, version=API_VERSION)


# === RESULTS === #


def _totals(document, taxes):
    """Return total_tax, total_taxable and total_exempt of a document with these taxes."""
    by_line = {}
    for tax in taxes:
        by_line[tax.line] = max(by_line.get(tax.line, ZERO), tax.taxable)
    taxable = sum(by_line.values(), ZERO)
    return {
        "total_tax": sum((tax.amount for tax in taxes), ZERO),
        "total_taxable": taxable,
        "total_exempt": sum((line.amount for line in document.lines), ZERO) - taxable,
    }


def _result(recorded, status, document=None, taxes=None):
    """Return a transaction or reversal as `TaxResult`; with the taxes where they are known."""
    totals = {
        "total_tax": abs(recorded.tax),
        "total_taxable": abs(recorded.amount) if recorded.tax else ZERO,
        "total_exempt": ZERO if recorded.tax else abs(recorded.amount),
    }
    return TaxResult(
        code=recorded.reference,
        status=status,
        currency=recorded.currency,
        **(totals if taxes is None else _totals(document, taxes)),
        taxes=tuple(taxes or ()),
        engine_id=recorded.engine_id,
    )


def _without_amounts(code, status):
    return TaxResult(code, status, "", ZERO, ZERO, ZERO)


def _check_booked(document, result):
    """Refuse to record other amounts than those of the books."""
    if document.booked is None:
        return
    booked = replace(result, taxes=document.booked).by_key()
    if booked == result.by_key():
        return
    total = sum(booked.values(), ZERO)
    raise Rejected(
        f"The calculation that {document.code} was booked by is gone, and Stripe calculates"
        f" {result.total_tax} {document.currency} now; booked is {total}. Reset it to draft and post"
        " it again to take over the new tax",
        code=canonical.AMOUNTS_CHANGED,
    )


# === ERRORS === #


def _not_yet(code):
    return Transient(
        f"{code}, which is taken back here, is not recorded at Stripe yet", code="original_unknown"
    )


def _id_unknown(code, advice):
    return Rejected(
        f"Stripe finds a transaction by its own id only, and that of {code} is not known here."
        f" {advice}: Stripe > Tax > Transactions, then mark this as done outside",
        code="no_engine_id",
    )


def _in_path(engine_id):
    if not engine_id.replace("_", "").isalnum():
        raise Rejected(f"{engine_id[:60]} is not an id of Stripe", code="no_engine_id")
    return engine_id


def _error_of(body):
    """Return the error of a Stripe answer as {type, code, param, message}, None for other ones."""
    try:
        error = json.loads(body)["error"]
        return {
            "type": str(error["type"]),
            "code": str(error.get("code") or ""),
            "param": str(error.get("param") or ""),
            "message": str(error.get("message") or "no reason given"),
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
