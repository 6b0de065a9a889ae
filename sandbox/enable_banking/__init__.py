"""Enable Banking: applications that sign their requests, consents, sessions, accounts.

Contract: https://enablebanking.com/docs/api/reference/. Base URL:
``http://127.0.0.1:8099/enable_banking``; application and key: :mod:`.application`.

=============================================  ================================================
``GET /application``                           who signs
``GET /aspsps``                                ``?country=``, ``?service=``
``POST /auth``                                 begins a consent
``GET|POST /consent``                          the bank's page; not a part of the contract
``POST /sessions``                             ends it with the code that the browser brought
``GET|DELETE /sessions/{id}``
``GET /accounts/{uid}/details``
``GET /accounts/{uid}/balances``
``GET /accounts/{uid}/transactions``           ``date_from``, ``date_to``, ``continuation_key``,
                                               ``strategy``
``POST /_bank/expire``                         all sessions end; not a part of the contract
=============================================  ================================================

What was decided where the contract leaves a choice
----------------------------------------------------
* Account uids are those of a session; the identification hash is the account's.
* ``transaction_id`` is another one at each listing. The fee of the account has no
  ``entry_reference``: there are banks that give none.
* Each bank call without a person (no ``Psu-Ip-Address``) is one of ``calls_a_day`` of the account
  and endpoint; 429 ``ASPSP_RATE_LIMIT_EXCEEDED`` beyond it. A continuation is no further call.
* Asking for more than ``history_days`` back is refused with ``WRONG_TRANSACTIONS_PERIOD``, unless
  the strategy is ``longest``.
"""

import base64
import hashlib
import json
import secrets
import time
from datetime import UTC, date, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ..bank import BIC, CONTROLS, OWNER, BankVendor, consent_page, send_back, today
from ..vendor import Refusal, Response, Vendor
from .application import APPLICATION_ID, PRIVATE_KEY

__all__ = ["EnableBanking"]

ASPSPS = (("Sandbox Bank", "DE", BIC), ("Sandbox Bank", "FI", "SANDFIHHXXX"),
          ("Fjord Bank", "NO", "FJORNOKKXXX"))  # fmt: skip
MOST_DAYS = 180
LOOPBACK = ("http://127.0.0.1", "http://localhost", "https://")


def refusal(status, error, message):
    """Return the Refusal with the vendor's error shape."""
    body = {"code": status, "message": message, "error": error, "detail": None}
    return Refusal(Response(status, body))


class EnableBanking(BankVendor, Vendor):
    """The stand-in; see the module's text."""

    prefix = "enable_banking"
    routes = (
        ("GET", "/application", "application"),
        ("GET", "/aspsps", "aspsps"),
        ("POST", "/auth", "auth"),
        ("GET", "/consent", "consent"),
        ("POST", "/consent", "decide"),
        ("POST", "/sessions", "begin"),
        ("GET", "/sessions/{session_id}", "session"),
        ("DELETE", "/sessions/{session_id}", "end"),
        ("GET", "/accounts/{uid}/details", "details"),
        ("GET", "/accounts/{uid}/balances", "balances"),
        ("GET", "/accounts/{uid}/transactions", "transactions"),
        ("POST", "/_bank/expire", "expire"),
        *CONTROLS,
    )

    def reset(self):
        """Forget consents and sessions, and what befell the bank."""
        self.reset_bank()
        self.consents, self.codes, self.sessions, self.uids, self.keys = {}, {}, {}, {}, {}
        self.public_key = load_pem_private_key(PRIVATE_KEY.encode(), None).public_key()

    def state(self):
        """Return the sessions, and what the bank knows."""
        sessions = {key: one["status"] for key, one in self.sessions.items()}
        return {"sessions": sessions, **self.bank_state()}

    def trouble(self, status):
        """Return the vendor's words for a fault."""
        return {"code": status, "message": "made up for a test", "error": "FAULT", "detail": None}

    # === WHO ASKS === #

    def _check(self, request):
        scheme, _space, token = request.header("authorization").partition(" ")
        if scheme != "Bearer" or not self._signed(token):
            raise refusal(401, "WRONG_CREDENTIALS_PROVIDED", "Wrong or no JWT is provided")

    def _signed(self, token):
        try:
            signed, _dot, signature = token.rpartition(".")
            header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
            self.public_key.verify(
                _decoded(signature), signed.encode(), padding.PKCS1v15(), SHA256()
            )
        except (ValueError, InvalidSignature):
            return False
        now = time.time()
        return (
            (header.get("alg"), header.get("kid")) == ("RS256", APPLICATION_ID)
            and claims.get("iss") == "enablebanking.com"
            and claims.get("aud") == "api.enablebanking.com"
            and claims.get("iat", now + 99) <= now + 10
            and now < claims.get("exp", 0) <= claims["iat"] + 86_400
        )

    def application(self, request):
        """Say who signs."""
        self._check(request)
        return Response(
            200,
            {
                "name": "Sandbox application",
                "kid": APPLICATION_ID,
                "environment": "SANDBOX",
                "active": True,
                "redirect_urls": [],
                "countries": ["DE", "FI", "NO"],
                "services": ["AIS"],
            },
        )

    def aspsps(self, request):
        """List banks."""
        self._check(request)
        country = request.query.get("country")
        return Response(
            200,
            {
                "aspsps": [
                    {
                        "name": name,
                        "country": of,
                        "bic": bic,
                        "logo": "https://enablebanking.com/brands/sandbox.png",
                        "psu_types": ["business", "personal"],
                        "auth_methods": [],
                        "maximum_consent_validity": MOST_DAYS * 86_400,
                        "required_psu_headers": [],
                        "beta": False,
                    }
                    for name, of, bic in ASPSPS
                    if country in (None, of)
                ]
            },
        )

    # === CONSENT === #

    def auth(self, request):
        """Begin."""
        self._check(request)
        asked = request.json()
        for name in ("access", "aspsp", "state", "redirect_url", "psu_type"):
            if name not in asked:
                raise refusal(422, "WRONG_REQUEST_PARAMETERS", f"{name} is missing")
        bank = (asked["aspsp"].get("name"), asked["aspsp"].get("country"))
        if bank not in [row[:2] for row in ASPSPS]:
            raise refusal(422, "WRONG_ASPSP_PROVIDED", "Wrong ASPSP name provided")
        if not asked["redirect_url"].startswith(LOOPBACK):
            raise refusal(422, "REDIRECT_URI_NOT_ALLOWED", "Redirect URI not allowed")
        until = datetime.fromisoformat(asked["access"]["valid_until"])
        if until > datetime.now(UTC) + timedelta(days=MOST_DAYS, minutes=5):
            raise refusal(422, "WRONG_REQUEST_PARAMETERS", "valid_until is too far away")
        key = secrets.token_hex(16)
        self.consents[key] = asked
        url = f"{request.base_url}/consent?id={key}"
        answer = {"url": url, "authorization_id": key, "psu_id_hash": secrets.token_hex(8)}
        return Response(200, answer)

    def consent(self, request):
        """Show the bank's page."""
        asked = self.consents.get(request.query.get("id"))
        if not asked:
            raise refusal(404, "WRONG_AUTHORIZATION_CODE", "no such consent")
        words = f"accounts, until {asked['access']['valid_until'][:10]}"
        return consent_page("Enable Banking", "consent", request.query, words)

    def decide(self, request):
        """Send the browser back with a code, or with access_denied."""
        asked = self.consents.pop(request.form.get("id"), None)
        if not asked:
            raise refusal(404, "WRONG_AUTHORIZATION_CODE", "no such consent")
        state = {"state": asked["state"]}
        if request.form.get("decision") != "allow":
            words = {"error": "access_denied", "error_description": "Denied by the person"}
            return send_back(asked["redirect_url"], state | words)
        code = secrets.token_urlsafe(24)
        self.codes[code] = asked
        return send_back(asked["redirect_url"], state | {"code": code})

    def begin(self, request):
        """Make a session of a code, which serves once."""
        self._check(request)
        asked = self.codes.pop(request.json().get("code"), None)
        if not asked:
            raise refusal(422, "WRONG_AUTHORIZATION_CODE", "Wrong authorization code provided")
        session_id = secrets.token_hex(16)
        uids = {secrets.token_hex(16): account for account in self.bank.accounts}
        self.uids |= {uid: (session_id, account) for uid, account in uids.items()}
        self.sessions[session_id] = {"status": "AUTHORIZED", "asked": asked, "uids": list(uids)}
        accounts = [self._account(uid) for uid in uids]
        return Response(200, {"session_id": session_id, "accounts": accounts, **_facts(asked)})

    def session(self, request, session_id):
        """Tell of a session."""
        self._check(request)
        found = self.sessions.get(session_id)
        if not found:
            raise refusal(404, "SESSION_DOES_NOT_EXIST", "No session found")
        data = [
            {"uid": uid, "identification_hash": _hash(self.uids[uid][1])} for uid in found["uids"]
        ]
        return Response(
            200,
            {
                "status": found["status"],
                "accounts": found["uids"],
                "accounts_data": data,
                **_facts(found["asked"]),
            },
        )

    def end(self, request, session_id):
        """Close a session."""
        self._check(request)
        if session_id not in self.sessions:
            raise refusal(404, "SESSION_DOES_NOT_EXIST", "No session found")
        self.sessions[session_id]["status"] = "CLOSED"
        return Response(200, {"message": "OK"})

    def expire(self, _request):
        """End all sessions."""
        for one in self.sessions.values():
            one["status"] = "EXPIRED"
        return Response(200, {"expired": len(self.sessions)})

    # === ACCOUNTS === #

    def _of(self, request, uid, kind=""):
        self._check(request)
        if uid not in self.uids:
            raise refusal(404, "ACCOUNT_DOES_NOT_EXIST", "No account found matching provided id")
        session_id, account = self.uids[uid]
        status = self.sessions[session_id]["status"]
        if status != "AUTHORIZED":
            raise refusal(401, f"{status}_SESSION", f"Session is {status.lower()}")
        counted = kind and not request.header("psu-ip-address")
        if counted and "continuation_key" not in request.query:
            left, _seconds = self.count(account, kind)
            if left < 0:
                words = "Rate limit of the ASPSP is exceeded"
                raise refusal(429, "ASPSP_RATE_LIMIT_EXCEEDED", words)
        return account

    def _account(self, uid):
        account = self.bank.accounts[self.uids[uid][1]]
        return {
            "uid": uid,
            "account_id": {"iban": account.iban, "other": None},
            "account_servicer": {"bic_fi": BIC, "name": "Sandbox Bank"},
            "name": OWNER,
            "details": account.name,
            "usage": "ORGA",
            "cash_account_type": "CARD" if account.kind == "card" else "CACC",
            "product": None,
            "currency": account.currency,
            "psu_status": "Account Holder",
            "identification_hash": _hash(account.id),
            "identification_hashes": [_hash(account.id)],
        }

    def details(self, request, uid):
        """Tell of an account."""
        self._of(request, uid)
        return Response(200, self._account(uid))

    def balances(self, request, uid):
        """Tell the balances."""
        account = self.bank.accounts[self._of(request, uid, "balances")]
        rows = (("ITBD", False), ("ITAV", True))
        return Response(
            200,
            {
                "balances": [
                    {
                        "name": name,
                        "balance_type": name,
                        "balance_amount": {
                            "currency": account.currency,
                            "amount": str(self.bank.balance(account.id, pending=pending)),
                        },
                        "last_change_date_time": None,
                        "reference_date": today().isoformat(),
                        "last_committed_transaction": None,
                    }
                    for name, pending in rows
                ]
            },
        )

    def transactions(self, request, uid):
        """List a page."""
        account = self._of(request, uid, "transactions")
        query = request.query
        key = query.get("continuation_key")
        if key and (key not in self.keys or self.breaks()):
            self.keys.pop(key, None)
            raise refusal(422, "WRONG_CONTINUATION_KEY", "Wrong continuation key provided")
        start = self.keys.pop(key) if key else 0
        rows = self._asked_for(account, query)
        page = rows[start : start + self.settings["page"]]
        answer = {"transactions": [self._row(one) for one in page], "continuation_key": None}
        if start + len(page) < len(rows):
            answer["continuation_key"] = secrets.token_urlsafe(12)
            self.keys[answer["continuation_key"]] = start + len(page)
        return Response(200, answer)

    def _asked_for(self, account, query):
        first = today() - timedelta(days=self.settings["history_days"])
        since = _day(query, "date_from") or first
        if since < first:
            if query.get("strategy", "default") != "longest":
                raise refusal(
                    422, "WRONG_TRANSACTIONS_PERIOD", "Wrong transactions period requested"
                )
            since = first
        until = _day(query, "date_to")
        found = self.bank.of(account, "booked", since, until) + self.bank.of(account, "pending")
        return found[::-1]

    def _row(self, one):
        account = self.bank.accounts[one.account]
        out = one.amount < 0
        other, own = ("creditor", "debtor") if out else ("debtor", "creditor")
        named = {"name": one.name, "postal_address": None} if one.name else None
        fee = one.text == "Fee for account"
        row = {
            # of this listing alone
            "transaction_id": secrets.token_urlsafe(16),
            "entry_reference": None if fee else f"{one.day:%Y%m%d}-{one.number:06d}",
            "transaction_amount": {"currency": account.currency, "amount": str(abs(one.amount))},
            "credit_debit_indicator": "DBIT" if out else "CRDT",
            "status": "BOOK" if one.state == "booked" else "PDNG",
            "booking_date": one.day.isoformat() if one.state == "booked" else None,
            "value_date": one.value_day.isoformat() if one.value_day else None,
            "transaction_date": one.day.isoformat(),
            other: named,
            f"{other}_account": {"iban": one.iban, "other": None} if one.iban else None,
            f"{own}_account": {"iban": account.iban, "other": None},
            "bank_transaction_code": {
                "description": None,
                "code": "ICDT" if out else "RCDT",
                "sub_code": "ESCT",
            },
            "remittance_information": [one.text],
            "reference_number": one.reference or None,
            "exchange_rate": None,
            "balance_after_transaction": None,
            "merchant_category_code": None,
            "note": None,
        }
        if one.original:
            amount, currency, rate = one.original
            row["exchange_rate"] = {
                "unit_currency": currency,
                "exchange_rate": str(rate),
                "rate_type": "SPOT",
                "contract_identification": None,
                "instructed_amount": {"currency": currency, "amount": str(abs(amount))},
            }
        return row


def _facts(asked):
    return {
        "access": {"valid_until": asked["access"]["valid_until"], "balances": True,
                   "transactions": True},
        "aspsp": asked["aspsp"],
        "psu_type": asked["psu_type"],
    }  # fmt: skip


def _hash(account_id):
    return base64.b64encode(hashlib.sha256(account_id.encode()).digest()).decode()


def _day(query, name):
    if not query.get(name):
        return None
    try:
        return date.fromisoformat(query[name])
    except ValueError:
        raise refusal(422, "WRONG_REQUEST_PARAMETERS", f"{name} is no date") from None


def _decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
