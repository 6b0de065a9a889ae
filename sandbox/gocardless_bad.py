"""GoCardless Bank Account Data, version 2: tokens, agreements, requisitions, accounts.

Contract: the OpenAPI description of version 2, the pages of developer.gocardless.com on statuses and
errors, and the Berlin Group's words for transactions and balances. Base URL:
``http://127.0.0.1:8099/gocardless_bad``. Secrets: :data:`SECRET_ID`, :data:`SECRET_KEY`.

==============================================  ===============================================
``POST /api/v2/token/new/``, ``…/refresh/``
``GET /api/v2/institutions/``                   ``?country=``; ``{id}/``: one of them
``POST|GET|DELETE /api/v2/agreements/enduser/``
``POST|GET|DELETE /api/v2/requisitions/``
``GET|POST /consent``                           the bank's page; not a part of the contract
``GET /api/v2/accounts/{id}/``                  and ``details/``, ``balances/``, ``transactions/``
``POST /_bank/expire``                          all requisitions end; not a part of the contract
==============================================  ===============================================

What was decided where the contract leaves a choice
----------------------------------------------------
* Each of details, balances and transactions has ``calls_a_day`` of its own for each account, told
  in headers. Only answered calls count.
* Transactions are not paged. A pending one has other ids than what it becomes; the fee of the
  account has no ``transactionId``.
* The access token serves for a day, the refresh token for thirty.
"""

import secrets
from datetime import UTC, date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid4, uuid5

from .bank import BIC, CONTROLS, OWNER, BankVendor, consent_page, send_back, today
from .vendor import Refusal, Response, Vendor

__all__ = ["INSTITUTION", "SECRET_ID", "SECRET_KEY", "GoCardlessBad"]

SECRET_ID = "0d0a0b0c-0000-4000-8000-0000000000ba"
SECRET_KEY = "SANDBOX-GOCARDLESS-BAD-KEY-0001"
INSTITUTION = "SANDBOXFINANCE_SFIN0000"
ACCESS_SECONDS, REFRESH_SECONDS = 86_400, 2_592_000
SCOPES = {"balances", "details", "transactions"}
MOST_DAYS = 90


def refusal(status, summary, detail, kind="", headers=None):
    """Return the Refusal with the vendor's error shape."""
    body = {"summary": summary, "detail": detail, "status_code": status}
    if kind:
        body["type"] = kind
    return Refusal(Response(status, body, headers=headers or {}))


class GoCardlessBad(BankVendor, Vendor):
    """The stand-in; see the module's text."""

    prefix = "gocardless_bad"
    routes = (
        ("POST", "/api/v2/token/new", "new_token"),
        ("POST", "/api/v2/token/refresh", "refresh_token"),
        ("GET", "/api/v2/institutions", "institutions"),
        ("GET", "/api/v2/institutions/{id}", "institution"),
        ("POST", "/api/v2/agreements/enduser", "agree"),
        ("GET", "/api/v2/agreements/enduser/{id}", "agreement"),
        ("POST", "/api/v2/requisitions", "require"),
        ("GET", "/api/v2/requisitions", "requisitions"),
        ("GET", "/api/v2/requisitions/{id}", "requisition"),
        ("DELETE", "/api/v2/requisitions/{id}", "forget"),
        ("GET", "/consent", "consent"),
        ("POST", "/consent", "decide"),
        ("GET", "/api/v2/accounts/{id}", "account"),
        ("GET", "/api/v2/accounts/{id}/details", "details"),
        ("GET", "/api/v2/accounts/{id}/balances", "balances"),
        ("GET", "/api/v2/accounts/{id}/transactions", "transactions"),
        ("POST", "/_bank/expire", "expire"),
        ("POST", "/_bank/expire_tokens", "expire_tokens"),
        *CONTROLS,
    )

    def reset(self):
        """Forget tokens, agreements and requisitions, and what befell the bank."""
        self.reset_bank()
        self.access, self.refresh, self.agreements, self.held = set(), set(), {}, {}
        self.counts = {"new": 0, "refresh": 0}

    def state(self):
        """Return the requisitions, tokens given, and what the bank knows."""
        found = {key: one["status"] for key, one in self.held.items()}
        return {"requisitions": found, "tokens": self.counts, **self.bank_state()}

    def trouble(self, status):
        """Return the vendor's words for a fault."""
        return {"summary": "Fault", "detail": "made up for a test", "status_code": status}

    def not_found(self, request):
        """Return the answer to an unknown address."""
        words = f"{request.path} is not there"
        return Response(404, {"summary": "Not found.", "detail": words, "status_code": 404})

    # === TOKENS === #

    def new_token(self, request):
        """Give a pair of tokens for the secrets."""
        asked = request.json()
        if (asked.get("secret_id"), asked.get("secret_key")) != (SECRET_ID, SECRET_KEY):
            words = "No active account found with the given credentials"
            raise refusal(401, "Authentication failed", words)
        self.counts["new"] += 1
        refresh = secrets.token_urlsafe(32)
        self.refresh.add(refresh)
        return Response(
            200, {**self._access(), "refresh": refresh, "refresh_expires": REFRESH_SECONDS}
        )

    def refresh_token(self, request):
        """Give an access token for a refresh token."""
        if request.json().get("refresh") not in self.refresh:
            raise refusal(401, "Invalid token", "Token is invalid or expired")
        self.counts["refresh"] += 1
        return Response(200, self._access())

    def _access(self):
        token = secrets.token_urlsafe(32)
        self.access.add(token)
        return {"access": token, "access_expires": ACCESS_SECONDS}

    def expire_tokens(self, _request):
        """Refuse the access tokens given so far."""
        self.access.clear()
        return Response(200, {})

    def _check(self, request):
        scheme, _space, token = request.header("authorization").partition(" ")
        if scheme != "Bearer" or token not in self.access:
            raise refusal(401, "Invalid token", "Token is invalid or expired")

    # === CONSENT === #

    def institutions(self, request):
        """List banks."""
        self._check(request)
        row = self._institution()
        country = request.query.get("country", "de").upper()
        return Response(200, [row] if country in row["countries"] else [])

    def institution(self, request, id):
        """Tell of one bank."""
        self._check(request)
        more = {"supported_features": [], "supported_payments": {}}
        return Response(200, _found({INSTITUTION: self._institution() | more}, id))

    def _institution(self):
        return {
            "id": INSTITUTION,
            "name": "Sandbox Finance",
            "bic": BIC,
            "transaction_total_days": str(self.settings["history_days"]),
            "countries": ["DE", "GB"],
            "logo": "https://cdn.nordigen.com/ais/SANDBOXFINANCE_SFIN0000.png",
        }

    def agree(self, request):
        """Make an agreement."""
        self._check(request)
        asked = request.json()
        self._check_institution(asked)
        if not 1 <= asked.get("access_valid_for_days", MOST_DAYS) <= MOST_DAYS:
            raise refusal(400, "Incorrect days", f"between 1 and {MOST_DAYS}")
        if not set(asked.get("access_scope", SCOPES)) <= SCOPES:
            raise refusal(400, "Unknown scope", "balances, details, transactions")
        key = str(uuid4())
        self.agreements[key] = {
            "id": key,
            "created": _at(),
            "institution_id": asked["institution_id"],
            "max_historical_days": asked.get("max_historical_days", 90),
            "access_valid_for_days": asked.get("access_valid_for_days", 90),
            "access_scope": asked.get("access_scope", sorted(SCOPES)),
            "accepted": None,
        }
        return Response(201, self.agreements[key])

    def agreement(self, request, id):
        """Tell of an agreement."""
        self._check(request)
        return Response(200, _found(self.agreements, id))

    def _check_institution(self, asked):
        if asked.get("institution_id") != INSTITUTION:
            words = "Get Institution IDs from /institutions/?country={$COUNTRY_CODE}"
            raise refusal(400, "Unknown Institution ID", words)

    def require(self, request):
        """Make a requisition."""
        self._check(request)
        asked = request.json()
        self._check_institution(asked)
        reference = asked.get("reference") or str(uuid4())
        if any(one["reference"] == reference for one in self.held.values()):
            raise refusal(400, "Client reference must be unique", f"{reference} already exists")
        key = str(uuid4())
        self.held[key] = {
            "id": key,
            "created": _at(),
            "redirect": asked["redirect"],
            "status": "CR",
            "institution_id": asked["institution_id"],
            "agreement": asked["agreement"],
            "reference": reference,
            "accounts": [],
            "user_language": asked.get("user_language", "EN"),
            "link": f"{request.base_url}/consent?id={key}",
            "account_selection": False,
            "redirect_immediate": False,
        }
        return Response(201, self.held[key])

    def requisitions(self, request):
        """List requisitions."""
        self._check(request)
        rows = list(self.held.values())[: int(request.query.get("limit", 100))]
        answer = {"count": len(self.held), "next": None, "previous": None, "results": rows}
        return Response(200, answer)

    def requisition(self, request, id):
        """Tell of a requisition."""
        self._check(request)
        return Response(200, _found(self.held, id))

    def forget(self, request, id):
        """Delete a requisition."""
        self._check(request)
        _found(self.held, id)
        del self.held[id]
        return Response(200, {"summary": "Requisition deleted", "detail": f"{id} deleted"})

    def consent(self, request):
        """Show the bank's page."""
        _found(self.held, request.query.get("id"))
        return consent_page("GoCardless", "consent", request.query, "accounts, for 90 days")

    def decide(self, request):
        """Note what the person said, and send the browser back."""
        held = _found(self.held, request.form.get("id"))
        if request.form.get("decision") != "allow":
            held["status"] = "RJ"
            words = {"error": "UserCancelledSession", "details": "User cancelled the session"}
            return send_back(held["redirect"], {"ref": held["reference"]} | words)
        held["status"] = "LN"
        held["accounts"] = [_id(key) for key in self.bank.accounts]
        self.agreements[held["agreement"]]["accepted"] = _at()
        return send_back(held["redirect"], {"ref": held["reference"]})

    def expire(self, _request):
        """End all requisitions."""
        for one in self.held.values():
            one["status"] = "EX"
        return Response(200, {"expired": len(self.held)})

    # === ACCOUNTS === #

    def _of(self, request, id, kind=""):
        """Return the account and the headers of its quota."""
        self._check(request)
        key = next((one for one in self.bank.accounts if _id(one) == id), None)
        states = {one["status"] for one in self.held.values() if id in one["accounts"]}
        if key is None or not states:
            raise refusal(404, "Account ID not found", "Please check whether you specified it")
        if "LN" not in states:
            words = "EUA was valid for 90 days and it expired"
            raise refusal(401, "End User Agreement (EUA) has expired", words, "AccessExpiredError")
        account = self.bank.accounts[key]
        if not kind:
            return account, {}
        left, seconds = self.count(key, kind)
        headers = {
            "HTTP_X_RATELIMIT_LIMIT": "100",
            "HTTP_X_RATELIMIT_REMAINING": "99",
            "HTTP_X_RATELIMIT_RESET": "60",
            "HTTP_X_RATELIMIT_ACCOUNT_SUCCESS_LIMIT": str(self.settings["calls_a_day"]),
            "HTTP_X_RATELIMIT_ACCOUNT_SUCCESS_REMAINING": str(max(0, left)),
            "HTTP_X_RATELIMIT_ACCOUNT_SUCCESS_RESET": str(seconds),
        }
        if left < 0:
            words = f"The rate limit for this resource is exceeded. Try again in {seconds} seconds"
            raise refusal(429, "Rate limit exceeded", words, "RateLimitError", headers)
        return account, headers

    def account(self, request, id):
        """Tell of an account."""
        account, _headers = self._of(request, id)
        return Response(
            200,
            {
                "id": id,
                "created": _at(),
                "last_accessed": _at(),
                "iban": account.iban,
                "institution_id": INSTITUTION,
                "status": "READY",
                "owner_name": OWNER,
            },
        )

    def details(self, request, id):
        """Tell more of an account."""
        account, headers = self._of(request, id, "details")
        row = {
            "resourceId": account.id,
            "iban": account.iban,
            "currency": account.currency,
            "ownerName": OWNER,
            "name": account.name,
            "product": account.name,
            "cashAccountType": "CARD" if account.kind == "card" else "CACC",
        }
        return Response(200, {"account": row}, headers=headers)

    def balances(self, request, id):
        """Tell the balances."""
        account, headers = self._of(request, id, "balances")
        rows = [
            {
                "balanceAmount": {"amount": str(amount), "currency": account.currency},
                "balanceType": kind,
                "referenceDate": today().isoformat(),
            }
            for kind, amount in (
                ("interimBooked", self.bank.balance(account.id)),
                ("interimAvailable", self.bank.balance(account.id, pending=True)),
            )
        ]
        return Response(200, {"balances": rows}, headers=headers)

    def transactions(self, request, id):
        """Tell the transactions of a range, all of them."""
        account, headers = self._of(request, id, "transactions")
        first = today() - timedelta(days=self.settings["history_days"])
        since = max(_day(request.query, "date_from") or first, first)
        until = _day(request.query, "date_to")
        booked = self.bank.of(account.id, "booked", since, until)[::-1]
        pending = self.bank.of(account.id, "pending")[::-1]
        answer = {"booked": [self._row(one) for one in booked],
                  "pending": [self._row(one) for one in pending]}  # fmt: skip
        return Response(200, {"transactions": answer}, headers=headers)

    def _row(self, one):
        account = self.bank.accounts[one.account]
        side = "creditor" if one.amount < 0 else "debtor"
        row = {
            "transactionAmount": {"amount": str(one.amount), "currency": account.currency},
            "valueDate": one.value_day.isoformat(),
            "remittanceInformationUnstructured": one.text,
            "bankTransactionCode": "PMNT-ICDT-ESCT" if one.amount < 0 else "PMNT-RCDT-ESCT",
            "internalTransactionId": uuid5(NAMESPACE_URL, f"{one.number}/{one.state}").hex,
        }
        if one.text != "Fee for account":
            prefix = "P" if one.state == "pending" else "B"
            row["transactionId"] = f"{prefix}{one.day:%Y%m%d}{one.number:07d}"
        if one.state == "booked":
            row["bookingDate"] = one.day.isoformat()
        if one.name:
            row[f"{side}Name"] = one.name
        if one.iban:
            row[f"{side}Account"] = {"iban": one.iban}
        if one.end_to_end_id:
            row["endToEndId"] = one.end_to_end_id
        if one.original:
            amount, code, rate = one.original
            row["currencyExchange"] = {
                "sourceCurrency": code,
                "targetCurrency": account.currency,
                "unitCurrency": code,
                "exchangeRate": str(rate),
                "instructedAmount": {"amount": str(abs(amount)), "currency": code},
            }
        return row


def _found(rows, key):
    if key not in rows:
        raise refusal(404, "Not found.", "Not found.")
    return rows[key]


def _day(query, name):
    if not query.get(name):
        return None
    try:
        return date.fromisoformat(query[name])
    except ValueError:
        raise refusal(400, f"Invalid {name}", "a date YYYY-MM-DD is expected") from None


def _id(key):
    return str(uuid5(NAMESPACE_URL, f"https://gocardless.sandbox/{key}"))


def _at():
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
