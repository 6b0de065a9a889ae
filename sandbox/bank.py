"""A made-up bank behind the stand-ins of bank APIs: accounts, transactions, and what befalls them.

Each vendor's stand-in has a bank of its own, the same one, and says the same things in its own
words. Days are counted back from today. For tests, and no part of any contract:

===================================  =============================================================
``POST /_bank/transactions``         a new one: ``{"account", "amount", "text", …}``, see ``Bank.add``
``POST /_bank/book/{number}``        a pending one is booked; what that does to its ids is the
                                     vendor's way
``POST /_bank/remove/{number}``      it was an error and goes
``POST /_bank/change/{number}``      its text or amount turns out to be another one
``PUT /_bank/settings``              behaviour from now on, see ``BankVendor.SETTINGS``
===================================  =============================================================
"""

import html
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from .vendor import Response

__all__ = ["ACCOUNTS", "Bank", "BankVendor", "Transaction", "iban", "today"]


def today():
    """Return the bank's day."""
    return datetime.now(UTC).date()


def iban(country, bban):
    """Return an IBAN with its check digits (ISO 13616)."""
    number = "".join(str(int(sign, 36)) for sign in f"{bban}{country}00")
    return f"{country}{98 - int(number) % 97:02d}{bban}"


@dataclass(frozen=True)
class BankAccount:
    """One account; opening: its balance before the first transaction that the bank tells of."""

    id: str
    name: str
    currency: str
    iban: str
    kind: str = "bank"
    opening: Decimal = Decimal(0)


OWNER = "Nordlicht Handels GmbH"
BIC = "SANDDEFFXXX"
ACCOUNTS = (
    BankAccount("operating", "Operating account", "EUR", iban("DE", "512108001245126199"),
                opening=Decimal("10000.00")),
    BankAccount("dollar", "Dollar account", "USD", iban("DE", "512108001245126280"),
                opening=Decimal("2500.00")),
    BankAccount("card", "Company card", "EUR", iban("DE", "512108001245126361"), "card"),
)  # fmt: skip


@dataclass
class Transaction:
    """One transaction. amount: signed, positive where it adds to the account. day: of booking.

    state: booked, pending or removed. version: grows when it changes; booked_as: the number of
    what it became.
    """

    number: int
    account: str
    amount: Decimal
    day: date
    text: str = ""
    name: str = ""
    iban: str = ""
    value_day: date | None = None
    end_to_end_id: str = ""
    reference: str = ""
    original: tuple | None = None
    state: str = "booked"
    version: int = 1
    booked_as: int | None = None
    was: int | None = None
    more: dict = field(default_factory=dict)


# account, days ago, amount, name, account of the other side, text
FIRST = (
    ("operating", 40, "1190.00", "Alster Werke AG", "DE", "Invoice INV/2026/00017"),
    ("operating", 33, "-238.00", "Papierhaus Lohmann", "DE", "RE 2026-4411"),
    ("operating", 20, "595.00", "Brouwer BV", "NL", "INV/2026/00021 less discount"),
    ("operating", 20, "-12.50", "", "", "Fee for account"),
    # legitimate twins
    ("operating", 9, "-4.20", "Parkhaus Mitte", "DE", "Parking"),
    ("operating", 9, "-4.20", "Parkhaus Mitte", "DE", "Parking"),
    ("operating", 6, "2380.00", "Alster Werke AG", "DE", "RF18 5390 0754 7034"),
    ("operating", 2, "-1500.00", "Nordlicht Handels GmbH", "DE", "To card account"),
    ("dollar", 15, "1250.00", "Bayou Office Supply", "US", "Invoice INV/2026/00019"),
    ("dollar", 3, "-99.90", "Cloud Tools Inc.", "US", "Subscription 8841"),
    ("card", 5, "-63.80", "Hotel am Markt", "DE", "Hotel"),
    ("card", 1, "-18.40", "Taxi Nord", "DE", "Taxi"),
)


class Bank:
    """Accounts and transactions; not thread-safe by itself."""

    def __init__(self):
        self.accounts = {account.id: account for account in ACCOUNTS}
        self.transactions = {}
        for account, ago, amount, name, country, text in FIRST:
            number = iban(country, f"{len(name):018d}") if country in ("DE", "NL") else ""
            self.add(account, amount, text, name=name, iban=number, days_ago=ago)
        self.add("operating", "-107.10", "Tools from Zurich", name="Werkzeug AG", days_ago=4,
                 original=("-100.00", "CHF", "1.0710"))  # fmt: skip

    def add(self, account, amount, text="", *, name="", iban="", days_ago=0, pending=False,
            original=None, end_to_end_id="", reference="", was=None, **more):  # fmt: skip
        """Add a transaction and return it; amounts as text, ``original`` (amount, currency, rate)."""
        if account not in self.accounts:
            raise KeyError(account)
        day = today() - timedelta(days=days_ago)
        number = len(self.transactions) + 1
        self.transactions[number] = transaction = Transaction(
            number, account, Decimal(str(amount)), day, text, name, iban, day, end_to_end_id,
            reference, original and (Decimal(original[0]), original[1], Decimal(original[2])),
            "pending" if pending else "booked", was=was, more=more,
        )  # fmt: skip
        return transaction

    def book(self, number, **changes):
        """Book a pending transaction: a new one takes its place. Return that one."""
        old = self.transactions[int(number)]
        values = {
            "name": old.name, "iban": old.iban, "end_to_end_id": old.end_to_end_id,
            "reference": old.reference, "amount": old.amount, "text": old.text,
            "original": old.original, "days_ago": 0, **changes,
        }  # fmt: skip
        new = self.add(old.account, was=old.number, **values)
        old.state, old.booked_as = "removed", new.number
        return new

    def remove(self, number):
        """Take a transaction away."""
        self.transactions[int(number)].state = "removed"
        return self.transactions[int(number)]

    def change(self, number, **changes):
        """Change a transaction in place."""
        found = self.transactions[int(number)]
        for name, value in changes.items():
            setattr(found, name, Decimal(str(value)) if name == "amount" else value)
        found.version += 1
        return found

    def of(self, account, state="booked", since=None, until=None):
        """Return the transactions of an account, oldest first."""
        return sorted(
            (
                one
                for one in self.transactions.values()
                if one.account == account
                and one.state == state
                and (since is None or one.day >= since)
                and (until is None or one.day <= until)
            ),
            key=lambda one: (one.day, one.number),
        )

    def balance(self, account, *, pending=False):
        """Return the balance now, with or without what is pending."""
        states = ("booked", "pending") if pending else ("booked",)
        return self.accounts[account].opening + sum(
            one.amount
            for one in self.transactions.values()
            if one.account == account and one.state in states
        )

    def as_dict(self):
        """Return the transactions as JSON values."""
        return [
            {"number": one.number, "account": one.account, "amount": str(one.amount),
             "day": str(one.day), "text": one.text, "state": one.state}
            for one in self.transactions.values()
        ]  # fmt: skip


CONTROLS = (
    ("POST", "/_bank/transactions", "bank_add"),
    ("POST", "/_bank/book/{number}", "bank_book"),
    ("POST", "/_bank/remove/{number}", "bank_remove"),
    ("POST", "/_bank/change/{number}", "bank_change"),
    ("PUT", "/_bank/settings", "bank_settings"),
)


class BankVendor:
    """What the stand-ins of bank APIs share; mixed in before `Vendor`, with ``CONTROLS`` in
    ``routes``."""

    #: page: transactions a page. calls_a_day: per account and kind of question. history_days: how
    #: far back. breaks: so many pagings break in their middle.
    SETTINGS = {"page": 5, "calls_a_day": 10_000, "history_days": 730, "breaks": 0}

    def reset_bank(self):
        """Forget what befell the bank."""
        self.bank = Bank()
        self.settings = dict(self.SETTINGS)
        self.calls = {}

    def bank_state(self):
        """Return the transactions and the calls counted against quotas."""
        calls = {"/".join(key): count for key, count in self.calls.items()}
        return {"transactions": self.bank.as_dict(), "calls": calls}

    def count(self, account, kind):
        """Count a call against the day's quota; return (left, seconds to its end).

        left is negative where there was none left.
        """
        key = (account, kind)
        self.calls[key] = self.calls.get(key, 0) + 1
        now = datetime.now(UTC)
        end = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return self.settings["calls_a_day"] - self.calls[key], int((end - now).total_seconds())

    def breaks(self):
        """Tell whether a paging breaks now."""
        if self.settings["breaks"] <= 0:
            return False
        self.settings["breaks"] -= 1
        return True

    # === FOR TESTS === #

    def bank_add(self, request):
        """Add a transaction."""
        return self._answered(self.bank.add(**request.json()))

    def bank_book(self, request, number):
        """Book a pending one."""
        return self._answered(self.bank.book(number, **(request.json() or {})))

    def bank_remove(self, _request, number):
        """Take one away."""
        return self._answered(self.bank.remove(number))

    def bank_change(self, request, number):
        """Change one."""
        return self._answered(self.bank.change(number, **request.json()))

    def bank_settings(self, request):
        """Behave differently."""
        values = {name: value for name, value in request.json().items() if name in self.settings}
        self.settings |= values
        return Response(200, self.settings)

    def _answered(self, transaction):
        self.happened(transaction)
        return Response(200, {"number": transaction.number, "state": transaction.state})

    def happened(self, transaction):
        """Hear that something befell a transaction."""


def consent_page(vendor, action, values, words):
    """Return the bank's page on which a person allows the access, or refuses it."""
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in values.items()
    )
    page = f"""<!doctype html><meta charset="utf-8"><title>Sandbox Bank</title>
<link rel="icon" href="data:,">
<body style="font-family: sans-serif; max-width: 30em; margin: 4em auto">
<h1>Sandbox Bank</h1>
<p>{html.escape(vendor)} asks to read accounts of {html.escape(OWNER)}: {html.escape(words)}.</p>
<form method="post" action="{html.escape(action)}">{fields}
<button name="decision" value="allow">Allow</button>
<button name="decision" value="refuse">Refuse</button>
</form></body>"""
    return Response(content=page.encode(), content_type="text/html; charset=utf-8")


def send_back(target, values):
    """Return the redirection of a browser, with ``values`` in its query."""
    target += ("&" if "?" in target else "?") + urlencode(values)
    return Response(302, content=b"", headers={"Location": target})
