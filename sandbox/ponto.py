"""Ponto: sign-in of an integration, accounts, transactions newest first, synchronizations.

Contract: documentation.myponto.com and documentation.ibanity.com/ponto-connect (JSON:API). Base
URL: ``http://127.0.0.1:8099/ponto``. Client: :data:`CLIENT_ID`, :data:`CLIENT_SECRET`.

=============================================  ================================================
``POST /oauth2/token``                         client_credentials, secret in the header
``GET /accounts``, ``/accounts/{id}``
``GET /accounts/{id}/transactions``            ``limit``, ``after``: newest first
``GET /accounts/{id}/pending-transactions``
``POST /synchronizations``, ``GET /…/{id}``    asks the bank; runs, then succeeds
``POST /_bank/expire``, ``renew``              the authorizations end, are renewed; not a part of
                                               the contract
=============================================  ================================================

What was decided where the contract leaves a choice
----------------------------------------------------
* What happened since the last synchronization is not told before the next one; the stand-in's own
  of every six hours is left out. ``PUT /_bank/settings {"lag": true}`` switches that on.
* A second synchronization of one kind within five minutes is refused with 429.
* Ids of booked transactions are for good; a pending one has another id than what it becomes.
"""

import base64
import secrets
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote
from uuid import NAMESPACE_URL, uuid5

from .bank import CONTROLS, OWNER, BankVendor
from .vendor import Refusal, Response, Vendor

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "Ponto"]

CLIENT_ID, CLIENT_SECRET = "b3d0c0de-0000-4000-8000-00000000b0a1", "SANDBOX-PONTO-SECRET-0001"
MOST = 100
AGAIN_SECONDS = 300
SUBTYPES = ("accountDetails", "accountTransactions", "accountTransactionsWithUnsettled")
TYPE = "application/vnd.api+json; charset=utf-8"


def refusal(status, code, detail):
    """Return the Refusal with the errors of JSON:API."""
    body = {"errors": [{"code": code, "detail": detail, "meta": {"requestId": "sandbox"}}]}
    return Refusal(Response(status, body, content_type=TYPE))


class Ponto(BankVendor, Vendor):
    """The stand-in; see the module's text."""

    prefix = "ponto"
    SETTINGS = BankVendor.SETTINGS | {"lag": False}
    routes = (
        ("POST", "/oauth2/token", "token"),
        ("GET", "/accounts", "accounts"),
        ("GET", "/accounts/{account_id}", "account"),
        ("GET", "/accounts/{account_id}/transactions", "transactions"),
        ("GET", "/accounts/{account_id}/pending-transactions", "pending"),
        ("POST", "/synchronizations", "synchronize"),
        ("GET", "/synchronizations/{sync_id}", "synchronization"),
        ("POST", "/_bank/expire", "expire"),
        ("POST", "/_bank/renew", "renew"),
        *CONTROLS,
    )

    def reset(self):
        """Forget tokens and synchronizations, and what befell the bank."""
        self.reset_bank()
        self.tokens, self.syncs, self.last = set(), {}, {}
        self.until = datetime.now(UTC) + timedelta(days=90)
        self.known = len(self.bank.transactions)

    def state(self):
        """Return the synchronizations, and what the bank knows."""
        syncs = [one["attributes"] for one in self.syncs.values()]
        return {"synchronizations": syncs, **self.bank_state()}

    def trouble(self, status):
        """Return Ponto's words for a fault."""
        return {"errors": [{"code": f"fault{status}", "detail": "made up for a test", "meta": {}}]}

    # === WHO ASKS === #

    def token(self, request):
        """Give a token to the integration."""
        scheme, _space, pair = request.header("authorization").partition(" ")
        try:
            shown = [unquote(part) for part in base64.b64decode(pair).decode().split(":")]
        except ValueError:
            shown = []
        if scheme.lower() != "basic" or shown != [CLIENT_ID, CLIENT_SECRET]:
            return Response(401, {"error": "invalid_client"})
        if request.form.get("grant_type") != "client_credentials":
            return Response(400, {"error": "unsupported_grant_type"})
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": 1799}
        return Response(200, answer | {"scope": "ai pi"})

    def _check(self, request):
        scheme, _space, token = request.header("authorization").partition(" ")
        if scheme.lower() != "bearer" or token not in self.tokens:
            raise refusal(401, "accessTokenInvalid", "The access token is not valid")

    def _of(self, request, account_id):
        self._check(request)
        for key in self.bank.accounts:
            if _id("account", key) == account_id:
                return self.bank.accounts[key]
        raise refusal(404, "resourceNotFound", "The account does not exist")

    def expire(self, _request):
        """End the authorizations."""
        self.until = datetime.now(UTC) - timedelta(hours=1)
        return Response(200, {"until": _at(self.until)})

    def renew(self, _request):
        """Give the authorizations again, as a person does in Ponto's dashboard."""
        self.until = datetime.now(UTC) + timedelta(days=90)
        return Response(200, {"until": _at(self.until)})

    # === ACCOUNTS === #

    def accounts(self, request):
        """List them."""
        self._check(request)
        rows = [self._row(one) for one in self.bank.accounts.values()]
        return self._page(request, rows)

    def account(self, request, account_id):
        """Tell of one."""
        return _answer({"data": self._row(self._of(request, account_id))})

    def _row(self, account):
        now = _at(datetime.now(UTC))
        held = {
            "current": self.bank.balance(account.id),
            "available": self.bank.balance(account.id, pending=True),
        }
        balances = {}
        for name, value in held.items():
            balances |= {
                f"{name}Balance": value,
                f"{name}BalanceChangedAt": now,
                f"{name}BalanceReferenceDate": now,
                f"{name}BalanceVariationObservedAt": now,
            }
        return {
            "id": _id("account", account.id),
            "type": "account",
            "attributes": {
                "reference": account.iban,
                "referenceType": "IBAN",
                "internalReference": f"internal-{account.id}",
                "currency": account.currency,
                "subtype": "card" if account.kind == "card" else "checking",
                "description": account.name,
                "product": "Business account",
                "holderName": OWNER,
                "deprecated": False,
                "authorizedAt": _at(self.until - timedelta(days=90)),
                "authorizationExpirationExpectedAt": _at(self.until),
                **balances,
            },
            "meta": {"availability": "available", "synchronizedAt": now},
        }

    # === TRANSACTIONS === #

    def transactions(self, request, account_id):
        """List a page, newest first."""
        account = self._of(request, account_id)
        found = self.bank.of(account.id, "booked")[::-1]
        if self.settings["lag"]:
            found = [one for one in found if one.number <= self.known]
        return self._page(request, [self._told(one, "transaction") for one in found])

    def pending(self, request, account_id):
        """List what is announced."""
        account = self._of(request, account_id)
        found = self.bank.of(account.id, "pending")[::-1]
        rows = [self._told(one, "pendingTransaction") for one in found]
        return self._page(request, rows)

    def _told(self, one, kind):
        structured = one.text.startswith("RF")
        return {
            "id": _id(kind, one.number),
            "type": kind,
            "attributes": {
                "amount": one.amount,
                "currency": self.bank.accounts[one.account].currency,
                "executionDate": f"{one.day}T00:00:00.000Z",
                "valueDate": f"{one.value_day}T00:00:00.000Z",
                "counterpartName": one.name or None,
                "counterpartReference": one.iban or None,
                "remittanceInformation": one.text,
                "remittanceInformationType": "structured" if structured else "unstructured",
                "description": "Credit transfer",
                "internalReference": f"{one.number:08d}",
                "endToEndId": one.end_to_end_id or None,
                "bankTransactionCode": "PMNT-RCDT-ESCT" if one.amount > 0 else "PMNT-ICDT-ESCT",
                "proprietaryBankTransactionCode": None,
                "mandateId": None,
                "creditorId": None,
                "purposeCode": None,
                "additionalInformation": None,
                "fee": None,
                "cardReference": None,
                "cardReferenceType": None,
                "digest": secrets.token_hex(8),
                "createdAt": _at(datetime.now(UTC)),
                "updatedAt": _at(datetime.now(UTC)),
            },
        }

    def _page(self, request, rows):
        query = request.query
        limit = int(query.get("limit", 10))
        if not 1 <= limit <= MOST:
            raise refusal(400, "paginationLimitInvalid", f"limit must be between 1 and {MOST}")
        limit = min(limit, self.settings["page"])
        ids = [row["id"] for row in rows]
        start = 0
        if query.get("after"):
            if query["after"] not in ids:
                raise refusal(400, "paginationCursorInvalid", "after is not known")
            start = ids.index(query["after"]) + 1
        page = rows[start : start + limit]
        more = start + limit < len(rows)
        paging = {
            "limit": limit,
            "after": page[-1]["id"] if more else None,
            "before": page[0]["id"] if start and page else None,
        }
        base = f"{request.base_url}{request.path}"
        return _answer({"data": page, "links": {"first": base}, "meta": {"paging": paging}})

    # === SYNCHRONIZATIONS === #

    def synchronize(self, request):
        """Ask the bank."""
        self._check(request)
        asked = request.json()["data"]["attributes"]
        for name in ("resourceType", "resourceId", "subtype", "customerIpAddress"):
            if not asked.get(name):
                raise refusal(400, "missingAttribute", f"{name} is missing")
        if asked["subtype"] not in SUBTYPES:
            raise refusal(400, "subtypeInvalid", "The subtype is not known")
        self._of(request, asked["resourceId"])
        key = (asked["resourceId"], asked["subtype"])
        if time.time() - self.last.get(key, 0) < AGAIN_SECONDS:
            raise refusal(429, "accountRecentlySynchronized", "Synchronized moments ago")
        self.last[key] = time.time()
        sync_id = _id("synchronization", len(self.syncs))
        self.syncs[sync_id] = {
            "id": sync_id,
            "type": "synchronization",
            "attributes": {
                **{name: asked[name] for name in ("resourceType", "resourceId", "subtype")},
                "status": "running",
                "errors": [],
                "createdAt": _at(datetime.now(UTC)),
                "updatedAt": _at(datetime.now(UTC)),
            },
        }
        return Response(201, {"data": self.syncs[sync_id]}, content_type=TYPE)

    def synchronization(self, request, sync_id):
        """Tell of one, which then ends."""
        self._check(request)
        if sync_id not in self.syncs:
            raise refusal(404, "resourceNotFound", "The synchronization does not exist")
        found = self.syncs[sync_id]["attributes"]
        found["status"] = "success"
        if self.until < datetime.now(UTC):
            found |= {"status": "error", "errors": [{"code": "authorizationExpired"}]}
        else:
            self.known = len(self.bank.transactions)
        return _answer({"data": self.syncs[sync_id]})


def _answer(payload):
    return Response(200, payload, content_type=TYPE)


def _id(kind, key):
    return str(uuid5(NAMESPACE_URL, f"https://ponto.sandbox/{kind}/{key}"))


def _at(when):
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
