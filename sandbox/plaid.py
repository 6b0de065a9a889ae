"""Plaid: hosted link, items, accounts and /transactions/sync.

Contract: github.com/plaid/plaid-openapi, version 2020-09-14, and the pages of plaid.com/docs on
hosted link, errors and transactions. Base URL: ``http://127.0.0.1:8099/plaid``. Client id and
secret: :data:`CLIENT_ID`, :data:`SECRET`, in headers or bodies.

===============================  ==============================================================
``POST /institutions/get``       one bank
``POST /link/token/create``      for a new item, or in update mode with an access token
``GET|POST /hosted``             the page that Plaid hosts; not a part of the contract
``POST /link/token/get``         what became of it
``POST /item/public_token/exchange``, ``/item/get``, ``/item/remove``
``POST /accounts/get``, ``/accounts/balance/get``
``POST /transactions/sync``      for one account or for all
``POST /_bank/expire``           the bank wants to see the person again; not a part of the contract
``POST /_bank/ready``            ``{"ready": false}``: an item is still being fetched
===============================  ==============================================================

What was decided where the contract leaves a choice
----------------------------------------------------
* A cursor counts changes. Those of a transaction that is gone are left out where the cursor stands
  before its beginning.
* A pending transaction that is booked is removed, and a new one names it in
  ``pending_transaction_id``.
* ``breaks`` pagings fail at their second page with TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION.
* A page has at most ``page`` changes, whatever ``count`` wishes.
"""

import secrets
from datetime import UTC, datetime, timedelta

from .bank import CONTROLS, BankVendor, consent_page
from .vendor import Refusal, Response, Vendor

__all__ = ["CLIENT_ID", "SECRET", "Plaid"]

CLIENT_ID, SECRET = "5f0000000000000000sandbx", "SANDBOX-PLAID-SECRET-0001"
INSTITUTION = {
    "institution_id": "ins_000001",
    "name": "Sandbox Bank",
    "products": ["transactions", "auth"],
    "country_codes": ["US", "DE"],
    "routing_numbers": [],
    "oauth": True,
}
CONSENT_DAYS = 180


def refusal(kind, code, message, status=400):
    """Return the Refusal with Plaid's error object."""
    return Refusal(Response(status, _error(kind, code, message)))


def _error(kind, code, message):
    return {
        "error_type": kind,
        "error_code": code,
        "error_message": message,
        "display_message": None,
        "request_id": _id(15),
        "documentation_url": f"https://plaid.com/docs/errors/#{code.lower()}",
        "suggested_action": None,
    }


class Plaid(BankVendor, Vendor):
    """The stand-in; see the module's text."""

    prefix = "plaid"
    routes = (
        ("POST", "/institutions/get", "institutions"),
        ("POST", "/link/token/create", "create_link"),
        ("POST", "/link/token/get", "get_link"),
        ("GET", "/hosted", "hosted"),
        ("POST", "/hosted", "decide"),
        ("POST", "/item/public_token/exchange", "exchange"),
        ("POST", "/item/get", "get_item"),
        ("POST", "/item/remove", "remove_item"),
        ("POST", "/accounts/get", "accounts"),
        ("POST", "/accounts/balance/get", "accounts"),
        ("POST", "/transactions/sync", "sync"),
        ("POST", "/_bank/expire", "expire"),
        ("POST", "/_bank/ready", "make_ready"),
        *CONTROLS,
    )

    def reset(self):
        """Forget links and items, and what befell the bank."""
        self.reset_bank()
        self.links, self.public, self.items = {}, {}, {}
        self.ready = True
        self.log = [("added", one.number) for one in self.bank.transactions.values()]

    def state(self):
        """Return the items, and what the bank knows."""
        items = {one["item_id"]: one["state"] for one in self.items.values()}
        return {"items": items, "changes": len(self.log), **self.bank_state()}

    def trouble(self, status):
        """Return Plaid's words for a fault."""
        if status == 429:
            return _error("RATE_LIMIT_EXCEEDED", "TRANSACTIONS_LIMIT", "rate limit exceeded")
        return _error("API_ERROR", "INTERNAL_SERVER_ERROR", "made up for a test")

    def happened(self, transaction):
        """Write down a change."""
        if transaction.was:
            self.log.append(("removed", transaction.was))
        kind = "removed" if transaction.state == "removed" else "added"
        known = ("added", transaction.number) in self.log
        self.log.append(("modified" if known and kind == "added" else kind, transaction.number))

    # === WHO ASKS === #

    def _asked(self, request, *required):
        values = request.json() or {}
        shown = (
            request.header("plaid-client-id") or values.get("client_id"),
            request.header("plaid-secret") or values.get("secret"),
        )
        if shown != (CLIENT_ID, SECRET):
            raise refusal(
                "INVALID_INPUT", "INVALID_API_KEYS", "invalid client_id or secret provided"
            )
        for name in required:
            if name not in values:
                words = f"the following required fields are missing: {name}"
                raise refusal("INVALID_REQUEST", "MISSING_FIELDS", words)
        return values

    def _item(self, request, *required):
        values = self._asked(request, "access_token", *required)
        item = self.items.get(values["access_token"])
        if not item or item["state"] == "removed":
            words = "could not find matching access token"
            raise refusal("INVALID_INPUT", "INVALID_ACCESS_TOKEN", words)
        return values, item

    def _working(self, request, *required):
        values, item = self._item(request, *required)
        if item["state"] == "login":
            words = "the login details of this item have changed"
            raise refusal("ITEM_ERROR", "ITEM_LOGIN_REQUIRED", words)
        return values, item

    def institutions(self, request):
        """List banks."""
        asked = self._asked(request, "count", "offset", "country_codes")
        found = set(asked["country_codes"]) & set(INSTITUTION["country_codes"])
        rows = [INSTITUTION] if found else []
        return _answer(institutions=rows, total=len(rows))

    # === LINK === #

    def create_link(self, request):
        """Make a link token, and the page of a hosted link."""
        asked = self._asked(request, "client_name", "language", "country_codes")
        if "access_token" in asked:
            self._item(request)
        elif not asked.get("products"):
            raise refusal("INVALID_REQUEST", "MISSING_FIELDS", "products is missing")
        token = f"link-sandbox-{_id(32)}"
        self.links[token] = {"asked": asked, "sessions": []}
        hosted = {}
        if "hosted_link" in asked:
            hosted = {"hosted_link_url": f"{request.base_url}/hosted?token={token}"}
        return _answer(link_token=token, expiration=_at(hours=4), **hosted)

    def hosted(self, request):
        """Show the page."""
        link = self.links.get(request.query.get("token"))
        if not link:
            raise refusal("INVALID_INPUT", "INVALID_LINK_TOKEN", "no such link token", 404)
        return consent_page("Plaid", "hosted", request.query, "accounts and transactions")

    def decide(self, request):
        """Note what the person said, and send the browser back."""
        link = self.links.get(request.form.get("token"))
        if not link:
            raise refusal("INVALID_INPUT", "INVALID_LINK_TOKEN", "no such link token", 404)
        session = {"link_session_id": _id(36), "started_at": _at(), "finished_at": _at()}
        link["sessions"].append(session)
        if request.form.get("decision") == "allow":
            old = link["asked"].get("access_token")
            if old:
                self.items[old]["state"] = "good"
            else:
                session["results"] = self._results()
        target = link["asked"]["hosted_link"]["completion_redirect_uri"]
        return Response(302, content=b"", headers={"Location": target})

    def _results(self):
        token = f"public-sandbox-{_id(32)}"
        self.public[token] = True
        added = {
            "public_token": token,
            "accounts": [
                {"id": one.id, "name": one.name, "mask": one.iban[-4:], "type": "depository",
                 "subtype": "checking"}
                for one in self.bank.accounts.values()
            ],
            "institution": {"name": "Sandbox Bank", "institution_id": "ins_000001"},
        }  # fmt: skip
        return {
            "item_add_results": [added],
            "cra_item_add_results": [],
            "cra_update_results": [],
            "bank_income_results": [],
            "payroll_income_results": [],
            "document_income_results": None,
        }

    def get_link(self, request):
        """Tell what became of a link token."""
        asked = self._asked(request, "link_token")
        link = self.links.get(asked["link_token"])
        if not link:
            raise refusal("INVALID_INPUT", "INVALID_LINK_TOKEN", "no such link token")
        first = link["asked"]
        return _answer(
            link_token=asked["link_token"],
            created_at=_at(),
            expiration=_at(hours=4),
            link_sessions=link["sessions"],
            metadata={
                "initial_products": first.get("products") or [],
                "webhook": "",
                "country_codes": first["country_codes"],
                "language": first["language"],
                "redirect_uri": "",
                "client_name": first["client_name"],
            },
        )

    def exchange(self, request):
        """Give an access token for a public one, which serves once."""
        asked = self._asked(request, "public_token")
        if not self.public.pop(asked["public_token"], None):
            raise refusal("INVALID_INPUT", "INVALID_PUBLIC_TOKEN", "could not find public token")
        token, item_id = f"access-sandbox-{_id(36)}", _id(37)
        until = _at(days=CONSENT_DAYS)
        ids = {f"{one}{_id(30)}": one for one in self.bank.accounts}
        self.items[token] = {"item_id": item_id, "state": "good", "until": until, "ids": ids}
        return _answer(access_token=token, item_id=item_id)

    # === ITEMS === #

    def _shown(self, item):
        login = item["state"] == "login"
        words = "the login details of this item have changed"
        return {
            "item_id": item["item_id"],
            "institution_id": "ins_000001",
            "institution_name": "Sandbox Bank",
            "webhook": None,
            "error": _error("ITEM_ERROR", "ITEM_LOGIN_REQUIRED", words) if login else None,
            "available_products": ["balance"],
            "billed_products": ["transactions"],
            "products": ["transactions"],
            "consent_expiration_time": item["until"],
            "update_type": "background",
        }

    def get_item(self, request):
        """Tell of an item."""
        _values, item = self._item(request)
        return _answer(item=self._shown(item))

    def remove_item(self, request):
        """Forget an item."""
        _values, item = self._item(request)
        item["state"] = "removed"
        return _answer()

    def expire(self, _request):
        """Want to see the person again, with all items."""
        for item in self.items.values():
            item["state"] = "login"
        return Response(200, {"expired": len(self.items)})

    def make_ready(self, request):
        """Have or not have transactions yet."""
        self.ready = request.json()["ready"]
        return Response(200, {"ready": self.ready})

    def accounts(self, request):
        """List accounts with balances."""
        values, item = self._working(request)
        wished = (values.get("options") or {}).get("account_ids")
        if wished and not set(wished) <= set(item["ids"]):
            words = "failed to find requested account ID for requested item"
            raise refusal("INVALID_INPUT", "INVALID_ACCOUNT_ID", words)
        rows = [self._account(id_, item) for id_ in item["ids"] if not wished or id_ in wished]
        return _answer(accounts=rows, item=self._shown(item))

    def _account(self, id_, item):
        account = self.bank.accounts[item["ids"][id_]]
        booked = self.bank.balance(account.id)
        card = account.kind == "card"
        return {
            "account_id": id_,
            "balances": {
                "available": None if card else self.bank.balance(account.id, pending=True),
                "current": -booked if card else booked,
                "limit": 5000 if card else None,
                "iso_currency_code": account.currency,
                "unofficial_currency_code": None,
            },
            "mask": account.iban[-4:],
            "name": account.name,
            "official_name": account.name,
            "type": "credit" if card else "depository",
            "subtype": "credit card" if card else "checking",
            "persistent_account_id": f"lasting-{account.id}",
        }

    # === TRANSACTIONS === #

    def sync(self, request):
        """Tell a page of changes."""
        values, item = self._working(request)
        options = values.get("options") or {}
        wished = options.get("account_id")
        if wished and wished not in item["ids"]:
            words = "failed to find requested account ID for requested item"
            raise refusal("INVALID_INPUT", "INVALID_ACCOUNT_ID", words)
        ids = {account: id_ for id_, account in item["ids"].items() if wished in (None, id_)}
        start, first = _read_cursor(values.get("cursor", ""))
        if not self.ready:
            return self._page(item, [], ids, "", False, "NOT_READY")
        if start != first and self.breaks():
            words = "Underlying transaction data changed since last page was fetched."
            raise refusal(
                "TRANSACTIONS_ERROR", "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION", words
            )
        count = min(values.get("count", 100), self.settings["page"])
        changes = [
            (index, kind, self.bank.transactions[number])
            for index, (kind, number) in enumerate(self.log)
            if index >= start and self.bank.transactions[number].account in ids
        ]
        page, rest = changes[:count], changes[count:]
        following = page[-1][0] + 1 if rest else len(self.log)
        cursor = f"{following}-{first if rest else following}-{secrets.token_hex(4)}"
        fresh = [(kind, one) for _index, kind, one in page if self._tells(kind, one, first)]
        return self._page(item, fresh, ids, cursor, bool(rest), "HISTORICAL_UPDATE_COMPLETE")

    def _tells(self, kind, one, first):
        """Tell whether a change is news to somebody who knows what stood before ``first``."""
        began = self.log.index(("added", one.number))
        if one.state == "removed":
            return kind == "removed" and began < first
        return kind == "added" or began < first

    def _page(self, item, changes, ids, cursor, more, status):
        def rows(wanted):
            return [self._row(one, ids) for kind, one in changes if kind == wanted]

        removed = [
            {"transaction_id": _tx(one.number), "account_id": ids[one.account]}
            for kind, one in changes
            if kind == "removed"
        ]
        return _answer(
            accounts=[self._account(id_, item) for id_ in ids.values()],
            added=rows("added"),
            modified=rows("modified"),
            removed=removed,
            next_cursor=cursor,
            has_more=more,
            transactions_update_status=status,
        )

    def _row(self, one, ids):
        account = self.bank.accounts[one.account]
        party = {"name": one.name, "type": "merchant", "website": None, "logo_url": None}
        meta = dict.fromkeys(
            ("ppd_id", "payee", "by_order_of", "payer", "payment_method", "payment_processor",
             "reason")
        )  # fmt: skip
        where = dict.fromkeys(
            ("address", "city", "region", "postal_code", "country", "lat", "lon", "store_number")
        )
        return {
            "account_id": ids[one.account],
            "amount": -one.amount,
            "iso_currency_code": account.currency,
            "unofficial_currency_code": None,
            "check_number": None,
            "counterparties": [party] if one.name else [],
            "date": one.day.isoformat(),
            "datetime": None,
            "authorized_date": one.day.isoformat(),
            "authorized_datetime": None,
            "location": where,
            "name": one.text,
            "original_description": one.text,
            "merchant_name": one.name or None,
            "merchant_entity_id": None,
            "logo_url": None,
            "website": None,
            "payment_meta": meta | {"reference_number": one.reference or None},
            "payment_channel": "other",
            "pending": one.state == "pending",
            "pending_transaction_id": _tx(one.was) if one.was else None,
            "transaction_id": _tx(one.number),
            "transaction_code": None,
            "account_owner": None,
            "personal_finance_category": None,
        }


def _answer(**values):
    return Response(200, {**values, "request_id": _id(15)})


def _read_cursor(cursor):
    if not cursor:
        return 0, 0
    try:
        start, first, _salt = cursor.split("-")
        return int(start), int(first)
    except ValueError:
        words = "cursor not associated with access_token"
        raise refusal("INVALID_REQUEST", "INVALID_FIELD", words) from None


def _tx(number):
    return f"tx{number:04d}SandboxTransactionAbcdefghijklm"


def _id(length):
    return secrets.token_urlsafe(length)[:length].replace("-", "x").replace("_", "y")


def _at(**later):
    return (datetime.now(UTC) + timedelta(**later)).isoformat(timespec="seconds").replace(
        "+00:00", "Z"
    )  # fmt: skip
