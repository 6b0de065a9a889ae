"""Ponto: banks of Belgium and its neighbours, for a company's own accounts.

Contract: https://documentation.myponto.com/ and https://documentation.ibanity.com/ponto-connect/api
(JSON:API; there is no machine-readable description). Accounts are added, and their authorization
is renewed, in Ponto itself.
"""

import json
from datetime import UTC, datetime
from urllib.parse import quote

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import Rejected, Transient
from odoo.addons.finance_connector_base.providers.oauth import OAuth2

from ..canonical.feed import CONSENT_ENDED, Balances, Consent, FeedAccount, Pull
from ..canonical.statement import (
    BOOKED,
    PENDING,
    Balance,
    Charge,
    CreditorReference,
    Detail,
    Entry,
    Party,
    TransactionCode,
)
from .feed import BankFeed, account_of, amount, currency

API_VERSION = "2"
PAGE = 100
CHECKS = 3
# Subtype of an account; securities have no transactions of money.
SUBTYPES = {"checking": "bank", "savings": "bank", "psp": "bank", "card": "card", "securities": ""}
STATUSES = {"pending", "running", "success", "error"}
REMITTANCE = {"structured", "unstructured"}
SYNCHRONIZE = ("accountDetails", "accountTransactionsWithUnsettled")


class Ponto(BankFeed):
    """Ponto of Isabel Group, by the client credentials of an integration."""

    code, label = "ponto", "Ponto"
    hosts = {
        # which of the two it is, the credentials say
        "sandbox": "https://api.myponto.com",
        "production": "https://api.myponto.com",
    }
    settings = (
        Setting("client_id", "Client ID", help="Ponto Dashboard > Integrations"),
        Setting("client_secret", "Client secret", secret=True),
    )
    oauth = OAuth2("/oauth2/token", auth_method="client_secret_basic")
    api_version = API_VERSION
    timeouts = (5.0, 30.0)
    rate = (5.0, 10)
    minutes = 30
    history_days = 730
    promises_ids = True
    note = (
        "Add the accounts in Ponto's dashboard first, and renew their authorization there. Ponto"
        " fetches from the banks about four times a day by itself."
    )

    def ping(self):
        """Count the accounts."""
        rows = self._get("/accounts", {"limit": 1}).list("data")
        return f"Ponto answers; {'accounts are' if rows else 'no account is'} there"

    def headers(self):
        """Ask for JSON:API."""
        return {"Accept": "application/vnd.api+json"}

    def classify(self, response):
        """Turn ``{"errors": [{"code", "detail"}]}`` into an error class."""
        try:
            errors = Answer(json.loads(response.body), "error", API_VERSION).list("errors")
            first = errors[0]
        except (ValueError, IndexError, Rejected):
            return None
        code = first.text("code", default="")
        words = f"{self.label}: {first.text('detail', default='') or code}"
        if response.status == 429:
            return Transient(words, code=code)
        if response.status in (401, 403) and not code.startswith("authorization"):
            return None
        if code.startswith("authorization"):
            return Rejected(words, code=CONSENT_ENDED)
        return Rejected(words, code=code) if response.status < 500 else None

    # === ACCOUNTS === #

    def accounts(self, consent):
        found, ends = [], []
        for row in self._listed("/accounts", "accounts"):
            account = _account(row)
            if account is None:
                continue
            found.append(account)
            end = row.object("attributes").moment("authorizationExpirationExpectedAt", default=None)
            ends += [end] if end else []
        return Consent("", tuple(found), min(ends, default=None), "Ponto")

    def balances(self, request):
        return Balances(_balances(self._account(request)), self.quota)

    def _account(self, request):
        path = f"/accounts/{quote(request.remote_id, safe='')}"
        row = self._get(path).object("data").object("attributes")
        until = row.moment("authorizationExpirationExpectedAt", default=None)
        if until and until <= datetime.now(UTC).replace(tzinfo=None):
            words = f"{self.label}: the authorization of the account ended on {until.date()}"
            raise Rejected(words, code=CONSENT_ENDED)
        return row

    # === READING === #

    def pull(self, request):
        """Read from the newest back to the first day; a person who waits has Ponto ask the bank."""
        if request.fresh and request.address:
            self._synchronize(request)
        account = self._account(request)
        path = f"/accounts/{quote(request.remote_id, safe='')}"
        entries = []
        for row in self._listed(f"{path}/transactions", "transactions"):
            entry = _entry(row, request.account, BOOKED)
            if request.start and entry.booking_date < request.start:
                break
            entries.append(entry)
        for row in self._listed(f"{path}/pending-transactions", "pending"):
            entries.append(_entry(row, request.account, PENDING))
        statement = self.report(
            request.account, entries[::-1], _balances(account), request.start, request.end
        )
        until = account.moment("authorizationExpirationExpectedAt", default=None)
        return Pull(statement, quota=self.quota, consent_until=until)

    def _synchronize(self, request):
        """Have Ponto ask the bank; too often is no reason not to read what is there."""
        for subtype in SYNCHRONIZE:
            values = {
                "resourceType": "account",
                "resourceId": request.remote_id,
                "subtype": subtype,
                "customerIpAddress": request.address,
            }
            body = {"data": {"type": "synchronization", "attributes": values}}
            try:
                answer = self._answer(self.send("POST", "/synchronizations", json=body), "sync")
            except Transient as error:
                if error.status != 429:
                    raise
                return
            self._await(answer.object("data"))

    def _await(self, row):
        """Look a few times whether it has ended; what comes later comes with the next pull."""
        path = f"/synchronizations/{quote(row.text('id'), safe='')}"
        for _check in range(CHECKS):
            attributes = row.object("attributes")
            status = attributes.choice("status", STATUSES)
            if status == "error":
                codes = [one.text("code", default="") for one in attributes.list("errors")]
                if any(code.startswith("authorization") for code in codes):
                    words = f"{self.label}: the bank wants the authorization to be renewed"
                    raise Rejected(words, code=CONSENT_ENDED)
            if status in ("success", "error"):
                return
            row = self._get(path).object("data")

    # === HTTP === #

    def _listed(self, path, what):
        """Yield the rows of all pages, as they come: newest first."""
        params = {"limit": PAGE}
        for _page in self.pages(what):
            answer = self._get(path, params)
            rows = answer.list("data")
            yield from rows
            after = answer.object("meta").object("paging").text("after", default=None)
            if not after or not rows:
                return
            params = {"limit": PAGE, "after": after}

    def _get(self, path, params=None):
        return self._answer(self.send("GET", path, params=params), path.strip("/"))

    def _answer(self, payload, where):
        return Answer(payload, where, API_VERSION)


def _account(row):
    attributes = row.object("attributes")
    kind = attributes.choice("subtype", SUBTYPES)
    if not kind:
        return None
    by_iban = attributes.text("referenceType") == "IBAN"
    reference = attributes.text("reference")
    return FeedAccount(
        remote_id=row.text("id"),
        account=account_of(
            reference if by_iban else "",
            reference,
            attributes.text("referenceType"),
            currency=currency(attributes, "currency"),
            name=attributes.text("description", default="") or "",
            owner=attributes.text("holderName", default="") or "",
        ),
        identities=(row.text("id"),),
        kind=kind,
    )


def _balances(row):
    code = currency(row, "currency")
    pairs = (("ITBD", "currentBalance"), ("ITAV", "availableBalance"))
    found = []
    for kind, name in pairs:
        value = amount(row, name, default=None)
        day = row.date(f"{name}ReferenceDate", default=None)
        if value is not None:
            found.append(Balance(kind, value, code, day))
    return tuple(found)


def _entry(row, account, status):
    """Return a transaction as `Entry`; Ponto keeps the id of a booked one for good."""
    values = row.object("attributes")
    code, number = currency(values, "currency"), amount(values, "amount")
    if account.currency and code != account.currency:
        values.broken("currency", f"is {code}, and the account is in {account.currency}")
    booked = status == BOOKED
    day = values.date("executionDate") if booked else values.date("executionDate", default=None)
    fee = amount(values, "fee", default=None)
    structured = (
        values.choice("remittanceInformationType", REMITTANCE, default="unstructured")
        == "structured"
    )
    remittance = values.text("remittanceInformation", default="") or ""
    incoming = number > 0
    other = Party(
        name=values.text("counterpartName", default="") or "",
        account=values.text("counterpartReference", default="") or "",
    )
    detail = Detail(
        amount=number,
        end_to_end_id=values.text("endToEndId", default="") or "",
        mandate=values.text("mandateId", default="") or "",
        creditor_id=values.text("creditorId", default="") or "",
        purpose=values.text("purposeCode", default="") or "",
        references=(CreditorReference(remittance),) if structured and remittance else (),
        remittance=(remittance,) if remittance.strip() else (),
        debtor=other if incoming else Party(),
        creditor=Party() if incoming else other,
        additional=values.text("additionalInformation", default="") or "",
    )
    return Entry(
        position=1,
        status=status,
        amount=number,
        currency=code,
        booking_date=day if booked else None,
        value_date=values.date("valueDate", default=None),
        unique_id=row.text("id") if booked else "",
        reference=values.text("internalReference", default="") or "",
        code=_code(values),
        charges=(Charge(-abs(fee), code),) if fee else (),
        information=values.text("description", default="") or "",
        details=(detail,),
    )


def _code(values):
    parts = (values.text("bankTransactionCode", default="") or "").split("-")
    domain, family, subfamily = (*parts, "", "", "")[:3]
    return TransactionCode(
        domain, family, subfamily, values.text("proprietaryBankTransactionCode", default="") or ""
    )
