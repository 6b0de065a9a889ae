"""What is counted while the entries of a statement go by, and what that proves at its end."""

from dataclasses import replace
from decimal import Decimal

from ..canonical.statement import BOOKED, Entry, Finding, Statement
from .errors import FormatError

MAX_FINDINGS = 20  # of one statement; the first ones tell enough


class Tally:
    """Counts the entries of one statement."""

    def __init__(self):
        self.count = 0
        self.booked = Decimal(0)
        self.currency = ""
        self.findings = []

    def add(self, entry: Entry) -> Entry:
        """Count an entry and return it. Raises FormatError where it has another currency than
        those before."""
        self.currency = self.currency or entry.currency
        if entry.currency != self.currency:
            raise FormatError(
                "currency",
                f"An entry is in {entry.currency} where those before are in {self.currency}",
                element=entry.place,
            )
        self.count += 1
        if entry.status == BOOKED:
            self.booked += entry.amount
        self._details(entry)
        if entry.corrects:
            self.find("correction", place=entry.place, corrects=entry.corrects)
        return entry

    def find(self, code, **values):
        """Keep a finding."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(code, {name: str(v) for name, v in values.items()}))

    def _details(self, entry):
        amounts = [detail.amount for detail in entry.details]
        if len(amounts) > 1 and None not in amounts and sum(amounts) != entry.amount:
            self.find(
                "details",
                place=entry.place,
                details=sum(amounts),
                currency=entry.currency,
                entry=entry.amount,
            )

    def close(self, statement: Statement) -> Statement:
        """Return ``statement`` with counts and findings, its balances proved.

        Raises FormatError where the entries are not in the currency of the account.
        """
        stated = statement.account.currency
        if stated and self.currency and stated != self.currency:
            raise FormatError(
                "currency",
                f"The account is in {stated}, its entries are in {self.currency}",
                element=statement.id or statement.account.identifier,
            )
        currencies = [balance.currency for balance in statement.balances]
        currency = stated or self.currency or next(filter(None, currencies), "")
        statement = replace(statement, currency=currency)
        for balance in statement.balances:
            if balance.currency != currency:
                self.find(
                    "balance_currency",
                    type=balance.type,
                    balance=balance.currency,
                    currency=currency,
                )
        self._prove(statement)
        return replace(
            statement,
            count=self.count,
            booked=self.booked,
            findings=(*statement.findings, *self.findings),
        )

    def _prove(self, statement):
        opening, closing = statement.opening, statement.closing
        if not opening or not closing or opening.amount + self.booked == closing.amount:
            return
        self.find(
            "balance",
            opening=opening.amount,
            entries=self.booked,
            expected=opening.amount + self.booked,
            closing=closing.amount,
            currency=statement.currency,
        )
