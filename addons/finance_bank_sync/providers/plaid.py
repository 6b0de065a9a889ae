"""Plaid: banks of the United States, Canada and Europe.

Contract: https://github.com/plaid/plaid-openapi, version 2020-09-14, and the pages of plaid.com/docs
on hosted link, update mode, errors and the integration of /transactions/sync.
"""

import json
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlencode

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    Rejected,
    Transient,
)

from ..canonical.feed import (
    CONSENT_ENDED,
    NOT_ALLOWED,
    NOT_READY,
    Balances,
    Consent,
    ConsentStart,
    FeedAccount,
    Pull,
)
from ..canonical.statement import (
    BOOKED,
    INFORMATION,
    PENDING,
    Account,
    Balance,
    Detail,
    Entry,
    Party,
    TransactionCode,
)
from .feed import BankFeed, amount, currency

API_VERSION = "2020-09-14"
PAGE = 500
# A paging that is broken by new transactions is begun anew so often.
BEGINNINGS = 5
MUTATION = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
# Countries and languages that Link knows (LinkTokenCreateRequest).
COUNTRIES = (
    "US", "GB", "ES", "NL", "FR", "IE", "CA", "DE", "IT", "PL", "DK", "NO", "SE", "EE", "LT", "LV",
    "PT", "BE", "AT", "FI",
)  # fmt: skip
KINDS = {"depository": "bank", "credit": "card", "loan": "loan"}
ACCOUNT_TYPES = {*KINDS, "investment", "brokerage", "other"}
NOT_YET = "NOT_READY"
UPDATE_STATUSES = {
    NOT_YET,
    "INITIAL_UPDATE_COMPLETE",
    "HISTORICAL_UPDATE_COMPLETE",
    "TRANSACTIONS_UPDATE_STATUS_UNKNOWN",
}
# Codes that mean: somebody has to go to the bank again.
ENDED = {
    "ITEM_LOGIN_REQUIRED",
    "ITEM_LOCKED",
    "ITEM_NOT_FOUND",
    "INVALID_ACCESS_TOKEN",
    "ACCESS_NOT_GRANTED",
    "NO_ACCOUNTS",
    "USER_PERMISSION_REVOKED",
    "USER_ACCOUNT_REVOKED",
    "INVALID_CREDENTIALS",
    "INSUFFICIENT_CREDENTIALS",
}
REFUSED = {"INVALID_API_KEYS", "UNAUTHORIZED_ENVIRONMENT"}
LATER = {"INSTITUTION_ERROR", "API_ERROR", "RATE_LIMIT_EXCEEDED"}
RATE_SECONDS = 60.0


class Plaid(BankFeed):
    """Plaid Transactions. Amounts are positive where money leaves the account; here they are turned."""

    code, label = "plaid", "Plaid"
    hosts = {"sandbox": "https://sandbox.plaid.com", "production": "https://production.plaid.com"}
    settings = (
        Setting("client_id", "Client ID", help="Plaid Dashboard > Developers > Keys"),
        Setting("secret", "Secret", secret=True, help="Of the environment of this connector."),
        Setting("country", "Country of the banks", default="US", check="|".join(COUNTRIES)),
    )
    api_version = API_VERSION
    timeouts = (5.0, 45.0)
    # 50 a minute for an item at /transactions/sync (plaid.com/docs, errors: rate limits)
    rate = (5.0, 20)
    capabilities = frozenset({"consent", "revoke"})
    minutes = 60
    history_days = 730
    overlap_days = 0
    promises_ids = True
    keeps_cursor = True
    note = "The bank is chosen at Plaid. Pages are hosted by Plaid: allow Hosted Link there."

    def ping(self):
        """Ask for one bank."""
        country = self.config.settings.get("country") or "US"
        values = {"count": 1, "offset": 0, "country_codes": [country]}
        found = self._post("/institutions/get", values)
        return f"Plaid reaches {found.integer('total')} banks in {country}"

    def headers(self):
        """Return the pinned version."""
        return {"Plaid-Version": API_VERSION}

    def authorize(self, request):
        """Show id and secret in headers: what the body holds is kept."""
        request.headers["PLAID-CLIENT-ID"] = self.config.settings["client_id"]
        request.headers["PLAID-SECRET"] = self.config.settings["secret"]

    def classify(self, response):
        """Turn Plaid's error object into an error class."""
        try:
            problem = Answer(json.loads(response.body), "error", API_VERSION)
        except ValueError:
            return None
        kind, code = problem.text("error_type", default=""), problem.text("error_code", default="")
        if not code:
            return None
        words = problem.text("display_message", default="") or problem.text(
            "error_message", default=""
        )
        words = f"{self.label}: {words or code}"
        if code in REFUSED:
            return AuthFailed(words, code=code)
        if code in ENDED:
            return Rejected(words, code=CONSENT_ENDED)
        if code == "PRODUCT_NOT_READY":
            return Transient(words, code=NOT_READY)
        if kind in LATER:
            wait = RATE_SECONDS if kind == "RATE_LIMIT_EXCEEDED" else None
            return Transient(words, code=code, retry_after=_header(response, wait))
        return Rejected(words, code=code) if response.status < 500 else None

    # === CONSENT === #

    def start_consent(self, request):
        """Make a link token with a page that Plaid hosts; with a consent to renew in update mode."""
        self.hide(request.renews)
        back = f"{request.redirect_url}?{urlencode({'state': request.state})}"
        values = {
            "client_name": "Odoo",
            "language": "en",
            "country_codes": [self._country(request.country)],
            "user": {"client_user_id": request.user or request.state},
            "hosted_link": {"completion_redirect_uri": back},
        }
        if request.renews:
            values["access_token"] = request.renews
        else:
            values["products"] = ["transactions"]
            days = max(1, min(request.history_days, self.history_days))
            values["transactions"] = {"days_requested": days}
        answer = self._post("/link/token/create", values)
        return ConsentStart(answer.text("hosted_link_url"), answer.text("link_token"))

    def finish_consent(self, end):
        """Ask what became of the page, and exchange its public token; in update mode there is none."""
        self.hide(end.renews)
        token = self._public_token(end)
        if token is None:
            return self.accounts(end.renews)
        self.hide(token)
        with self.hidden("access_token"):
            answer = self._post("/item/public_token/exchange", {"public_token": token})
        return self.accounts(answer.text("access_token"))

    def _public_token(self, end):
        with self.hidden("public_token"):
            answer = self._post("/link/token/get", {"link_token": end.reference})
        for session in answer.list("link_sessions", default=[]):
            results = session.object("results", default=None)
            for added in results.list("item_add_results") if results else ():
                return added.text("public_token")
        if end.renews:
            return None
        raise Rejected("no account was chosen", code=NOT_ALLOWED)

    def accounts(self, consent):
        self.hide(consent)
        item = self._post("/item/get", {"access_token": consent}).object("item")
        error = item.object("error", default=None)
        if error is not None:
            words = error.text("error_message", default="") or error.text("error_code")
            raise Rejected(f"{self.label}: {words}", code=CONSENT_ENDED)
        answer = self._post("/accounts/get", {"access_token": consent})
        found = [self._feed_account(row) for row in answer.list("accounts")]
        return Consent(
            consent=consent,
            accounts=tuple(one for one in found if one),
            until=item.moment("consent_expiration_time", default=None),
            institution=item.text("institution_name", default="") or "",
        )

    def revoke(self, consent):
        self.hide(consent)
        self._post("/item/remove", {"access_token": consent})

    def _feed_account(self, row):
        """Return an account, None for one that has no transactions in a currency of ours."""
        kind = KINDS.get(row.choice("type", ACCOUNT_TYPES))
        code = currency(row.object("balances"), "iso_currency_code", "")
        if not kind or not code:
            return None
        name, mask = row.text("name"), row.text("mask", default="") or ""
        remote_id = row.text("account_id")
        lasting = row.text("persistent_account_id", default="") or ""
        return FeedAccount(
            remote_id=remote_id,
            account=Account(
                number=remote_id,
                scheme="PLAID",
                currency=code,
                name=f"{row.text('official_name', default='') or name} {mask}".strip(),
            ),
            identities=tuple(filter(None, (remote_id, lasting))),
            kind=kind,
        )

    def _country(self, country):
        return country if country in COUNTRIES else self.config.settings.get("country") or "US"

    # === READING === #

    def balances(self, request):
        """Ask the bank itself, where ``request.fresh``: each such question is paid for."""
        self.hide(request.consent)
        path = "/accounts/balance/get" if request.fresh else "/accounts/get"
        values = {"access_token": request.consent}
        values["options"] = {"account_ids": [request.remote_id]}
        answer = self._post(path, values)
        return Balances(self._balances(answer, request))

    def pull(self, request):
        """Return all changes since the cursor; without one, everything that Plaid has."""
        self.hide(request.consent)
        for beginning in range(BEGINNINGS):
            try:
                return self._changes(request)
            except Rejected as error:
                if error.code != MUTATION:
                    raise
                if beginning + 1 == BEGINNINGS:
                    raise Transient(error.message, code=MUTATION) from error
        raise AssertionError("not reached")

    def _changes(self, request):
        """Read all pages; a page that fails spoils those before it, so nothing is kept of them."""
        entries, gone, cursor = [], [], request.cursor
        for _page in self.pages("updates"):
            answer = self._sync(request, cursor)
            status = answer.choice("transactions_update_status", UPDATE_STATUSES)
            for row in answer.list("added"):
                entries.append(_entry(row, request))
            for row in answer.list("modified"):
                changed = _entry(row, request)
                entries.append(replace(changed, corrects=changed.unique_id))
            gone += [_removal(row, request) for row in answer.list("removed")]
            cursor = answer.text("next_cursor")
            if not answer.boolean("has_more"):
                break
        if status == NOT_YET and not entries:
            words = f"{self.label} is still fetching from the bank"
            raise Transient(words, code=NOT_READY)
        # what a new entry takes the place of is not also taken away
        replaced = {entry.corrects for entry in entries}
        entries += [entry for entry in gone if entry.corrects not in replaced]
        statement = self.report(
            request.account,
            entries,
            self._balances(answer, request),
            start=None if request.cursor else request.start,
            end=request.end,
        )
        return Pull(statement, cursor=cursor, quota=self.quota)

    def _sync(self, request, cursor):
        values = {
            "access_token": request.consent,
            "count": PAGE,
            "options": {"account_id": request.remote_id, "include_original_description": True},
        }
        if cursor:
            values["cursor"] = cursor
        return self._post("/transactions/sync", values)

    def _balances(self, answer, request):
        for row in answer.list("accounts"):
            if row.text("account_id") == request.remote_id:
                return tuple(_balances(row))
        return ()

    # === HTTP === #

    def _post(self, path, values):
        return Answer(self.send("POST", path, json=values), path.strip("/"), API_VERSION)


def _balances(row):
    """Yield the balances of an account: what is owed on a card or loan is negative."""
    held = row.object("balances")
    code = currency(held, "iso_currency_code", "")
    owed = KINDS.get(row.choice("type", ACCOUNT_TYPES)) in ("card", "loan")
    current = amount(held, "current", default=None)
    available = amount(held, "available", default=None)
    day = held.date("last_updated_datetime", default=None)
    if not code:
        return
    if current is not None:
        yield Balance("ITBD", -current if owed else current, code, day)
    if available is not None and not owed:
        yield Balance("ITAV", available, code, day)


def _entry(row, request):
    """Return a transaction as `Entry`: Plaid's positive amounts take from the account."""
    if row.text("account_id") != request.remote_id:
        row.broken("account_id", "is another account than the one that was asked for")
    pending = row.boolean("pending")
    code = currency(row, "iso_currency_code", "")
    expected = request.account.currency
    status = PENDING if pending else BOOKED
    if code != expected:
        if not pending:
            row.broken(
                "iso_currency_code", f"is {code or 'missing'}, and the account in {expected}"
            )
        status = INFORMATION
    signed_amount = -amount(row, "amount")
    day = row.date("date")
    return Entry(
        position=1,
        status=status,
        amount=signed_amount,
        currency=code or row.text("unofficial_currency_code", default="") or expected,
        booking_date=None if pending else day,
        value_date=None if pending else day,
        unique_id=row.text("transaction_id"),
        corrects=row.text("pending_transaction_id", default="") or "",
        code=TransactionCode(
            proprietary=row.text("transaction_code", default="") or "", issuer="PLAID"
        ),
        details=(_detail(row, signed_amount),),
        information=row.text("name", default="") or "",
    )


def _detail(row, signed_amount):
    meta = row.object("payment_meta", default=None)
    said = meta.payload if meta else {}
    told = {name: value for name, value in said.items() if isinstance(value, str)}
    words = row.text("original_description", default="") or row.text("name", default="") or ""
    others = row.list("counterparties", default=[])
    name = row.text("merchant_name", default="") or (others[0].text("name") if others else "")
    other = Party(name=name or told.get("payee" if signed_amount < 0 else "payer", ""))
    return Detail(
        amount=signed_amount,
        servicer_reference=told.get("reference_number", ""),
        cheque=row.text("check_number", default="") or "",
        creditor_id=told.get("ppd_id", ""),
        remittance=tuple(filter(None, (words.strip(), told.get("reason", "")))),
        debtor=Party() if signed_amount < 0 else other,
        creditor=other if signed_amount < 0 else Party(),
    )


def _removal(row, request):
    """Return the `Entry` that takes an earlier one away."""
    return Entry(
        position=1,
        status=INFORMATION,
        amount=Decimal(0),
        currency=request.account.currency,
        corrects=row.text("transaction_id"),
        removes=True,
    )


def _header(response, default):
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isdigit() else default
