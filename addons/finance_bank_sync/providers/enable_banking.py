"""Enable Banking: European banks by PSD2, for a company's own accounts or a service's customers.

Contract: https://enablebanking.com/docs/api/reference/ (there is no machine-readable description).
"""

import json
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.certificates import key_of
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    Rejected,
    Transient,
)
from odoo.addons.finance_connector_base.providers.jwt import signed

from ..canonical.feed import (
    CONSENT_ENDED,
    Balances,
    Consent,
    ConsentStart,
    FeedAccount,
    Institution,
    Pull,
)
from ..canonical.statement import (
    BOOKED,
    INFORMATION,
    PENDING,
    Balance,
    CreditorReference,
    Detail,
    Entry,
    Party,
    TransactionCode,
)
from .feed import BankFeed, account_of, amount, currency

# A signature is good for so long, and used for half of it; the vendor allows a day.
TOKEN_SECONDS, RENEW_SECONDS = 600, 300
DAY = 86_400
# A paging that breaks is begun anew so often.
BEGINNINGS = 3

# TransactionStatus of the reference. OTHR is what the vendor itself can't tell.
STATUSES = {
    "BOOK": BOOKED,
    "PDNG": PENDING,
    "HOLD": PENDING,
    "SCHD": INFORMATION,
    "CNCL": INFORMATION,
    "RJCT": INFORMATION,
    "OTHR": INFORMATION,
}
SIGNS = {"CRDT": 1, "DBIT": -1}
# BalanceStatus of the reference: ISO codes, and three that ISO doesn't have.
BALANCES = {
    **{code: code for code in ("CLAV", "CLBD", "FWAV", "INFO", "ITAV", "ITBD", "OPAV", "OPBD")},
    **{"PRCD": "PRCD", "XPCD": "XPCD", "OTHR": "INFO", "VALU": "INFO", "XCRD": "INFO"},
}
ENDED = {
    "EXPIRED_SESSION",
    "REVOKED_SESSION",
    "CLOSED_SESSION",
    "SESSION_DOES_NOT_EXIST",
    "WRONG_SESSION_STATUS",
    "ASPSP_PSU_ACTION_REQUIRED",
    "ASPSP_UNAUTHORIZED_ACCESS",
}
LATER = {"ASPSP_ERROR", "ASPSP_TIMEOUT"}
RATE_LIMIT = "ASPSP_RATE_LIMIT_EXCEEDED"
BROKEN_PAGING = "WRONG_CONTINUATION_KEY"


class EnableBanking(BankFeed):
    """Enable Banking API, account information."""

    code, label = "enable_banking", "Enable Banking"
    hosts = {
        # the application is registered for one of the two environments; the address is the same
        "sandbox": "https://api.enablebanking.com",
        "production": "https://api.enablebanking.com",
    }
    settings = (
        Setting("application_id", "Application ID", help="Enable Banking > API applications"),
        Setting(
            "private_key",
            "Private key",
            secret=True,
            kind="private_key",
            help="The content of the .pem file that registering the application gave you.",
        ),
    )
    api_version = "2024"
    timeouts = (5.0, 45.0)
    rate = (5.0, 10)
    capabilities = frozenset({"consent", "institutions", "revoke"})
    minutes = 360
    calls_a_day = 4
    note = (
        "Enter the redirect URL with your application at Enable Banking first. While nobody waits"
        " for the answer, banks answer four times a day."
    )

    # === SIGNING IN === #

    def ping(self):
        """Ask which application we are."""
        found = self._answer(self.send("GET", "/application"), "application")
        return f"Application {found.text('name')}"

    def authorize(self, request):
        """Sign the request as the application (RS256, kid = application id)."""
        settings, now = self.config.settings, int(time.time())
        try:
            token = _token(
                settings["private_key"], settings["application_id"], now // RENEW_SECONDS
            )
        except ValueError as error:
            raise AuthFailed(f"{error}. Nothing was sent", code="private_key") from None
        request.headers["Authorization"] = f"Bearer {token}"

    def headers(self):
        """Return what says that a person waits, so that the call is not one of the four a day."""
        return self._present

    def classify(self, response):
        """Turn ``{"code", "message", "error", "detail"}`` into an error class."""
        try:
            problem = Answer(json.loads(response.body), "error", self.api_version)
        except ValueError:
            return None
        code = problem.text("error", default="")
        words = f"{self.label}: {problem.text('message', default='') or code}"
        if response.status == 429 or code == RATE_LIMIT:
            return self._limited(response, code, words)
        if code in ENDED:
            return Rejected(words, code=CONSENT_ENDED)
        if code in LATER:
            return Transient(words, code=code)
        if code == BROKEN_PAGING:
            return Rejected(words, code=code)
        if response.status in (400, 404, 422):
            return Rejected(words, code=code)
        return None

    def _limited(self, response, code, words):
        if code != RATE_LIMIT:
            return Transient(words, code=code)
        given = response.headers.get("Retry-After", "")
        # banks count by the day; which day is theirs to say
        now = datetime.now(UTC)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        seconds = float(given) if given.isdigit() else (midnight - now).total_seconds()
        return self.out_of_calls(words, seconds)

    # === CONSENT === #

    def institutions(self, country):
        params = {"country": country, "service": "AIS"}
        answer = self._answer(self.send("GET", "/aspsps", params=params), "aspsps")
        return tuple(sorted(map(_institution, answer.list("aspsps")), key=lambda one: one.name))

    def start_consent(self, request):
        until = datetime.now(UTC) + timedelta(days=request.consent_days)
        answer = self._post(
            "/auth",
            {
                "access": {"valid_until": until.isoformat(timespec="seconds")},
                "aspsp": {"name": request.institution, "country": request.country},
                "state": request.state,
                "redirect_url": request.redirect_url,
                "psu_type": "business" if request.business else "personal",
            },
        )
        return ConsentStart(answer.text("url"), answer.text("authorization_id"))

    def finish_consent(self, end):
        self.hide(end.code)
        with self.hidden("session_id"):
            answer = self._post("/sessions", {"code": end.code})
        return self._consent(answer, [_account(one) for one in answer.list("accounts")])

    def accounts(self, consent):
        self.hide(consent)
        path = f"/sessions/{quote(consent, safe='')}"
        answer = self._answer(self.send("GET", path), "session")
        if answer.text("status") != "AUTHORIZED":
            words = f"{self.label}: the session is {answer.text('status')[:40]}"
            raise Rejected(words, code=CONSENT_ENDED)
        found = []
        for uid in answer.texts("accounts"):
            path = f"/accounts/{quote(uid, safe='')}/details"
            found.append(_account(self._answer(self.send("GET", path), "account")))
        return self._consent(answer, found, consent)

    def revoke(self, consent):
        self.hide(consent)
        self.send("DELETE", f"/sessions/{quote(consent, safe='')}")

    def _consent(self, answer, accounts, consent=""):
        return Consent(
            consent=consent or answer.text("session_id"),
            accounts=tuple(accounts),
            until=answer.object("access").moment("valid_until"),
            institution=answer.object("aspsp").text("name"),
        )

    # === READING === #

    def balances(self, request):
        self._wait_for(request)
        path = f"/accounts/{quote(request.remote_id, safe='')}/balances"
        answer = self._answer(self.send("GET", path), "balances")
        rows = tuple(_balance(one) for one in answer.list("balances"))
        return Balances(rows, self.quota)

    def pull(self, request):
        self._wait_for(request)
        rows = self._whole(request)
        entries = [_entry(row, request.account) for row in rows]
        balances = self.balances(request).balances
        statement = self.report(
            request.account, entries, balances, start=request.start, end=request.end
        )
        return Pull(statement, quota=self.quota)

    def _whole(self, request):
        """Return the transactions of all pages; from the first page again where paging breaks."""
        for beginning in range(BEGINNINGS):
            try:
                return list(self._transactions(request))
            except Rejected as error:
                if error.code != BROKEN_PAGING or beginning + 1 == BEGINNINGS:
                    raise
        raise AssertionError("not reached")

    def _transactions(self, request):
        path = f"/accounts/{quote(request.remote_id, safe='')}/transactions"
        params = {"strategy": "longest" if request.longest else "default"}
        if request.start:
            params["date_from"] = request.start.isoformat()
        if request.end:
            params["date_to"] = request.end.isoformat()
        for _page in self.pages("transactions"):
            answer = self._answer(self.send("GET", path, params=params), "transactions")
            yield from answer.list("transactions")
            following = answer.text("continuation_key", default="")
            if not following:
                return
            params["continuation_key"] = following

    def _wait_for(self, request):
        self._present = {}
        if request.address:
            self._present = {
                "Psu-Ip-Address": request.address,
                "Psu-User-Agent": request.agent or "unknown",
            }

    _present = {}

    # === HTTP === #

    def _post(self, path, values):
        return self._answer(self.send("POST", path, json=values), path.strip("/"))

    def _answer(self, payload, where):
        return Answer(payload, where, self.api_version)


@lru_cache(maxsize=32)
def _token(private_key, application_id, turn):
    """Return the signed token of a turn of `RENEW_SECONDS`: reading the key takes its time."""
    begins = turn * RENEW_SECONDS
    claims = {
        "iss": "enablebanking.com",
        "aud": "api.enablebanking.com",
        "iat": begins,
        "exp": begins + TOKEN_SECONDS,
    }
    return signed(key_of(private_key), claims, key_id=application_id, algorithm="RS256")


def _institution(row):
    seconds = row.integer("maximum_consent_validity", default=None)
    return Institution(
        id=row.text("name"),
        name=row.text("name"),
        country=row.text("country"),
        bic=row.text("bic", default=""),
        consent_days=None if seconds is None else max(1, seconds // DAY),
    )


def _account(row):
    account_id = row.object("account_id", default=None)
    other = account_id and account_id.object("other", default=None)
    servicer = row.object("account_servicer", default=None)
    account = account_of(
        account_id.text("iban", default="") if account_id else "",
        other.text("identification", default="") if other else "",
        other.text("scheme_name", default="") if other else "",
        currency=currency(row, "currency"),
        name=row.text("details", default="") or row.text("product", default=""),
        owner=row.text("name", default=""),
        bic=servicer.text("bic_fi", default="") if servicer else "",
        bank=servicer.text("name", default="") if servicer else "",
    )
    first = row.text("identification_hash", default="")
    hashes = (first, *row.texts("identification_hashes", default=[]))
    return FeedAccount(
        remote_id=row.text("uid"),
        account=account,
        identities=tuple(dict.fromkeys(filter(None, hashes))),
        kind="card" if row.text("cash_account_type", default="") == "CARD" else "bank",
    )


def _balance(row):
    value = row.object("balance_amount")
    return Balance(
        type=row.choice("balance_type", BALANCES),
        amount=amount(value, "amount"),
        currency=currency(value, "currency"),
        day=row.date("reference_date", default=None),
    )


def _entry(row, account):
    """Return a transaction as `Entry`; its ``transaction_id`` says nothing from pull to pull."""
    value = row.object("transaction_amount")
    number, sign = amount(value, "amount"), row.choice("credit_debit_indicator", SIGNS)
    if number < 0:
        value.broken("amount", "is negative, and the direction stands apart")
    status = row.choice("status", STATUSES)
    code, value_date = currency(value, "currency"), row.date("value_date", default=None)
    if account.currency and code != account.currency:
        if status == BOOKED:
            value.broken("currency", f"is {code}, and the account is in {account.currency}")
        status = INFORMATION
    booking_date = row.date("booking_date", default=None)
    if status == BOOKED and not booking_date:
        booking_date = value_date or row.date("transaction_date")
    reference = row.text("entry_reference", default="") or ""
    original = _original(row, sign)
    return Entry(
        position=1,
        status=status,
        amount=sign * number,
        currency=code,
        booking_date=booking_date,
        value_date=value_date,
        original_amount=original[0],
        original_currency=original[1],
        rate=original[2],
        # unique and immutable in an account, across sessions: says the reference
        unique_id=reference if status == BOOKED else "",
        reference=reference,
        code=_code(row),
        details=(_detail(row, sign * number, original),),
        information=row.text("note", default=""),
    )


def _original(row, sign):
    """Return (amount, currency, rate) as ordered in another currency."""
    exchange = row.object("exchange_rate", default=None)
    if exchange is None:
        return None, "", None
    rate = exchange.decimal("exchange_rate", default=None)
    instructed = exchange.object("instructed_amount", default=None)
    if instructed is None:
        return None, "", rate
    return sign * abs(amount(instructed, "amount")), currency(instructed, "currency"), rate


def _code(row):
    code = row.object("bank_transaction_code", default=None)
    if code is None:
        return TransactionCode()
    return TransactionCode(
        family=code.text("code", default=""),
        subfamily=code.text("sub_code", default=""),
        proprietary=code.text("description", default=""),
    )


def _detail(row, signed_amount, original):
    reference = row.text("reference_number", default="")
    schema = row.text("reference_number_schema", default="")
    return Detail(
        amount=signed_amount,
        original_amount=original[0],
        original_currency=original[1],
        rate=original[2],
        references=(CreditorReference(reference, schema),) if reference else (),
        remittance=tuple(filter(str.strip, row.texts("remittance_information", default=[]))),
        debtor=_party(row, "debtor"),
        creditor=_party(row, "creditor"),
    )


def _party(row, side):
    party, account = (row.object(name, default=None) for name in (side, f"{side}_account"))
    agent = row.object(f"{side}_agent", default=None)
    other = account and account.object("other", default=None)
    number = account.text("iban", default="") if account else ""
    return Party(
        name=party.text("name", default="") if party else "",
        account=number or (other.text("identification", default="") if other else ""),
        bic=agent.text("bic_fi", default="") if agent else "",
        bank=agent.text("name", default="") if agent else "",
    )
