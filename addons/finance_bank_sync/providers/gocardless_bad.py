"""GoCardless Bank Account Data (formerly Nordigen), for its existing customers.

Contract: the OpenAPI description of version 2, the pages of developer.gocardless.com on statuses
and errors, and the Berlin Group's words for transactions and balances. New accounts are no longer
opened there.
"""

import json
import time
from contextlib import suppress
from urllib.parse import quote, urlencode

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Rejected,
    Transient,
)
from odoo.addons.finance_connector_base.providers.oauth import Client, OAuth2
from odoo.addons.finance_connector_base.providers.session import Token

from ..canonical.feed import (
    CONSENT_ENDED,
    NOT_ALLOWED,
    Balances,
    Consent,
    ConsentStart,
    FeedAccount,
    Institution,
    Pull,
    Quota,
)
from ..canonical.statement import (
    BOOKED,
    PENDING,
    Balance,
    CreditorReference,
    Detail,
    Entry,
    Party,
    TransactionCode,
)
from .feed import BankFeed, account_of, amount, currency, moment

API_VERSION = "v2"
DAY = 86_400
# Told with underscores by the documentation, with hyphens by some servers in between.
LEFT = "HTTP_X_RATELIMIT_ACCOUNT_SUCCESS_REMAINING", "X-RateLimit-Account-Success-Remaining"
RESET = "HTTP_X_RATELIMIT_ACCOUNT_SUCCESS_RESET", "X-RateLimit-Account-Success-Reset"
# Status of a requisition (Status1c5Enum): whether its accounts may be read.
LINKED, EXPIRED = "LN", "EX"
STATUSES = {"CR", "ID", "LN", "RJ", "ER", "SU", "EX", "GC", "UA", "GA", "SA"}
# Types of balances (Berlin Group, 14.10): to the codes of ISO 20022.
BALANCES = {
    "closingBooked": "CLBD",
    "closingAvailable": "CLAV",
    "expected": "XPCD",
    "forwardAvailable": "FWAV",
    "information": "INFO",
    "interimAvailable": "ITAV",
    "interimBooked": "ITBD",
    "nonInvoiced": "INFO",
    "authorised": "INFO",
    "openingAvailable": "OPAV",
    "openingBooked": "OPBD",
    "previouslyClosedBooked": "PRCD",
    "openingCleared": "INFO",
    "closingCleared": "INFO",
    "interimCleared": "INFO",
}
ENDED = {
    "AccessExpiredError",
    "AccountInactiveError",
    "AccountAccessForbidden",
    "AccountSuspendedError",
    "ReferenceConsentError",
}


class SecretPair(OAuth2):
    """How GoCardless signs in: a pair of secrets for an access token and a refresh token."""

    def client(self, provider):
        """Return our side of the dialogue."""
        return PairClient(provider, self)


class PairClient(Client):
    """Gets and renews tokens: JSON instead of a form, and names of its own."""

    def _fetch(self, known, keep):
        started = time.time()
        if known and known.refresh and (known.ends_at or 0) > started:
            # where the refresh token has ended early, the secrets give another pair
            with suppress(AuthFailed):
                answer = self._tokens("refresh", {"refresh": known.refresh})
                self._keep(self._token_of(answer, started, known), keep)
                return
        secrets = {
            "secret_id": self._setting(self.declared.client_id),
            "secret_key": self._setting(self.declared.client_secret),
        }
        self._keep(self._token_of(self._tokens("new", secrets), started), keep)

    def _keep(self, token, keep):
        self._token, self._is_new = token, True
        keep(token)

    def _tokens(self, what, values):
        self._sent = tuple(values.values())
        url = f"{self.config.base_url}/api/v2/token/{what}/"
        request = self._request("POST", url, values, None, None)
        try:
            return self._send(
                request, lambda response: Answer(self._parse(response), "token", API_VERSION)
            )
        except ContractBroken as error:
            raise Transient(error.message, status=error.status) from error

    def _token_of(self, answer, started, known=None):
        try:
            seconds = answer.integer("access_expires")
            ends = known.ends_at if known else started + answer.integer("refresh_expires")
            return Token(
                access=answer.text("access"),
                refresh=known.refresh if known else answer.text("refresh"),
                client=self._digest(),
                renew_at=started + self._use(float(seconds)),
                ends_at=ends,
            )
        except ContractBroken as error:
            raise Transient(error.message) from error

    def authorize(self, request):
        """Send nothing but the body."""

    def classify(self, response):
        if response.status in (401, 403):
            return AuthFailed(f"{self.label} refuses the secret ID or its key", code="secret")
        return None


class GoCardlessBad(BankFeed):
    """GoCardless Bank Account Data."""

    code, label = "gocardless_bad", "GoCardless Bank Account Data (existing customers)"
    hosts = {
        # sandbox: the same address, and the institution SANDBOXFINANCE_SFIN0000
        "sandbox": "https://bankaccountdata.gocardless.com",
        "production": "https://bankaccountdata.gocardless.com",
    }
    settings = (
        Setting("secret_id", "Secret ID", help="Bank Account Data portal > User secrets"),
        Setting("secret_key", "Secret key", secret=True),
    )
    oauth = SecretPair(
        "/api/v2/token/new/",
        client_id="secret_id",
        client_secret="secret_key",
        auth_method="client_secret_post",
    )
    api_version = API_VERSION
    timeouts = (5.0, 45.0)
    # 100 a minute for accounts
    rate = (1.5, 20)
    capabilities = frozenset({"consent", "institutions", "revoke"})
    minutes = 360
    calls_a_day = 4
    history_days = 730
    note = (
        "For existing customers only: GoCardless takes no new ones. Banks answer as few as four"
        " times a day."
    )

    def ping(self):
        """Count the requisitions."""
        answer = self._get("/api/v2/requisitions/", {"limit": 1})
        return f"GoCardless answers; {answer.integer('count')} requisitions are there"

    def answered(self, response):
        """Read the quota of the account and endpoint; the smallest of a pull counts."""
        left, reset = _header(response, LEFT), _header(response, RESET)
        if not left.isdigit():
            return
        now = Quota(int(left), moment(float(reset)) if reset.isdigit() else None)
        if self.quota.left is None or now.left < self.quota.left:
            self.quota = now

    def classify(self, response):
        """Turn ``{"summary", "detail", "type", "status_code"}`` into an error class."""
        try:
            problem = Answer(json.loads(response.body), "error", API_VERSION)
        except ValueError:
            return None
        summary = problem.payload.get("summary")
        detail, kind = problem.payload.get("detail"), problem.payload.get("type")
        words = ": ".join(str(one) for one in (self.label, summary, detail) if one)[:500]
        if kind in ENDED or "EUA" in str(detail or "") and response.status in (400, 401, 403):
            return Rejected(words, code=CONSENT_ENDED)
        if response.status == 429:
            reset = _header(response, RESET)
            if _header(response, LEFT) == "0" and reset.isdigit():
                return self.out_of_calls(words, float(reset))
            return Transient(words, code="rate_limit")
        if response.status in (400, 404, 409):
            return Rejected(words, code=str(kind or response.status))
        return None

    # === CONSENT === #

    def institutions(self, country):
        params = {"country": country.lower()}
        rows = self.send("GET", "/api/v2/institutions/", params=params)
        answer = Answer({"institutions": rows}, "answer", API_VERSION)
        found = (
            Institution(
                id=row.text("id"),
                name=row.text("name"),
                country=country,
                bic=row.text("bic", default=""),
                history_days=_days(row, "transaction_total_days"),
                consent_days=_days(row, "max_access_valid_for_days"),
            )
            for row in answer.list("institutions")
        )
        return tuple(sorted(found, key=lambda one: one.name))

    def start_consent(self, request):
        agreement = self._post(
            "/api/v2/agreements/enduser/",
            {
                "institution_id": request.institution,
                "max_historical_days": min(request.history_days, self.history_days),
                "access_valid_for_days": request.consent_days,
                "access_scope": ["balances", "details", "transactions"],
            },
        )
        back = f"{request.redirect_url}?{urlencode({'state': request.state})}"
        with self.hidden("id"):
            requisition = self._post(
                "/api/v2/requisitions/",
                {
                    "redirect": back,
                    "institution_id": request.institution,
                    "agreement": agreement.text("id"),
                    "reference": request.user or request.state,
                    "user_language": "EN",
                },
            )
        return ConsentStart(requisition.text("link"), requisition.text("id"))

    def finish_consent(self, end):
        return self.accounts(end.reference)

    def accounts(self, consent):
        self.hide(consent)
        requisition = self._get(f"/api/v2/requisitions/{quote(consent, safe='')}/")
        status = requisition.choice("status", STATUSES)
        if status != LINKED:
            code = CONSENT_ENDED if status == EXPIRED else NOT_ALLOWED
            raise Rejected(f"the requisition has the status {status}", code=code)
        agreement = self._get(
            f"/api/v2/agreements/enduser/{quote(requisition.text('agreement'), safe='')}/"
        )
        accepted = agreement.moment("accepted", default=None)
        days = agreement.integer("access_valid_for_days", default=90)
        left = None
        if accepted:
            left = moment((accepted - moment(0)).total_seconds() + days * DAY)
        ids = requisition.texts("accounts")
        return Consent(
            consent=requisition.text("id"),
            accounts=tuple(self._account(one) for one in ids),
            until=left,
            institution=self._bank(requisition.text("institution_id")),
        )

    def _bank(self, institution_id):
        path = f"/api/v2/institutions/{quote(institution_id, safe='')}/"
        return self._get(path).text("name")

    def _account(self, account_id):
        row = self._get(f"{_path(account_id)}details/").object("account")
        return FeedAccount(
            remote_id=account_id,
            account=account_of(
                row.text("iban", default=""),
                row.text("bban", default="") or row.text("resourceId", default=""),
                "BBAN",
                currency=currency(row, "currency"),
                name=row.text("name", default="") or row.text("product", default=""),
                owner=row.text("ownerName", default=""),
                bic=row.text("bic", default=""),
            ),
            identities=(account_id,),
            kind="card" if row.text("cashAccountType", default="") == "CARD" else "bank",
        )

    def revoke(self, consent):
        self.hide(consent)
        self.send("DELETE", f"/api/v2/requisitions/{quote(consent, safe='')}/")

    # === READING === #

    def balances(self, request):
        answer = self._get(f"{_path(request.remote_id)}balances/")
        return Balances(tuple(_balance(row) for row in answer.list("balances")), self.quota)

    def pull(self, request):
        """Ask for one range: there are no pages, and each call counts."""
        params = {}
        if request.start:
            params["date_from"] = request.start.isoformat()
        if request.end:
            params["date_to"] = request.end.isoformat()
        answer = self._get(f"{_path(request.remote_id)}transactions/", params)
        lists = answer.object("transactions")
        entries = [_entry(row, request.account, BOOKED) for row in lists.list("booked")]
        entries += [
            _entry(row, request.account, PENDING) for row in lists.list("pending", default=[])
        ]
        balances = self.balances(request).balances
        statement = self.report(request.account, entries, balances, request.start, request.end)
        return Pull(statement, quota=self.quota)

    # === HTTP === #

    def _get(self, path, params=None):
        return Answer(self.send("GET", path, params=params), path.strip("/"), API_VERSION)

    def _post(self, path, values):
        return Answer(self.send("POST", path, json=values), path.strip("/"), API_VERSION)


def _header(response, names):
    return next((response.headers[name] for name in names if name in response.headers), "")


def _path(account_id):
    return f"/api/v2/accounts/{quote(account_id, safe='')}/"


def _days(row, name):
    """Return days that stand as text, None where they are missing."""
    text = row.text(name, default="")
    if text and not text.isdigit():
        row.broken(name, "is no number of days")
    return int(text) if text else None


def _balance(row):
    value = row.object("balanceAmount")
    return Balance(
        type=row.choice("balanceType", BALANCES),
        amount=amount(value, "amount"),
        currency=currency(value, "currency"),
        day=row.date("referenceDate", default=None),
        included=row.boolean("creditLimitIncluded", default=None),
    )


def _entry(row, account, status):
    """Return a transaction as `Entry`. No id of it is promised: all of them may change on booking."""
    value = row.object("transactionAmount")
    number, code = amount(value, "amount"), currency(value, "currency")
    if account.currency and code != account.currency:
        value.broken("currency", f"is {code}, and the account is in {account.currency}")
    booked = status == BOOKED
    value_date = row.date("valueDate", default=None)
    day = row.date("bookingDate", default=None)
    if booked and not day:
        day = value_date or row.date("bookingDateTime")
    original = _original(row, number)
    return Entry(
        position=1,
        status=status,
        amount=number,
        currency=code,
        booking_date=day if booked else None,
        value_date=value_date,
        original_amount=original[0],
        original_currency=original[1],
        rate=original[2],
        reference=row.text("entryReference", default="") or row.text("transactionId", default=""),
        servicer_reference=row.text("internalTransactionId", default=""),
        code=_code(row),
        information=row.text("additionalInformation", default=""),
        details=(_detail(row, number, original),),
    )


def _original(row, number):
    """Return (amount, currency, rate) as ordered; banks give one exchange or a list of them."""
    held = row.payload.get("currencyExchange")
    if isinstance(held, list):
        held = held[0] if held else None
    if held is None:
        return None, "", None
    exchange = Answer(held, "currencyExchange", API_VERSION)
    rate = exchange.decimal("exchangeRate", default=None)
    instructed = exchange.object("instructedAmount", default=None)
    if instructed is None:
        return None, "", rate
    ordered = abs(amount(instructed, "amount"))
    return (-ordered if number < 0 else ordered), currency(instructed, "currency"), rate


def _code(row):
    parts = row.text("bankTransactionCode", default="").split("-")
    domain, family, subfamily = (*parts, "", "", "")[:3]
    return TransactionCode(
        domain, family, subfamily, row.text("proprietaryBankTransactionCode", default="")
    )


def _detail(row, number, original):
    lines = row.texts("remittanceInformationUnstructuredArray", default=[])
    single = row.text("remittanceInformationUnstructured", default="")
    structured = row.text("remittanceInformationStructured", default="")
    return Detail(
        amount=number,
        original_amount=original[0],
        original_currency=original[1],
        rate=original[2],
        end_to_end_id=_given(row.text("endToEndId", default="")),
        mandate=row.text("mandateId", default=""),
        creditor_id=row.text("creditorId", default=""),
        cheque=row.text("checkId", default=""),
        purpose=row.text("purposeCode", default=""),
        references=(CreditorReference(structured),) if structured else (),
        remittance=tuple(filter(str.strip, lines or [single])),
        debtor=_party(row, "debtor"),
        creditor=_party(row, "creditor"),
    )


def _given(text):
    return "" if text.upper() == "NOTPROVIDED" else text


def _party(row, side):
    account = row.object(f"{side}Account", default=None)
    number = ""
    if account:
        number = account.text("iban", default="") or account.text("bban", default="")
    return Party(
        name=row.text(f"{side}Name", default=""),
        account=number,
        bic=row.text(f"{side}Agent", default=""),
    )
