"""Which columns of a feed's file say what the totals are made of."""

from dataclasses import dataclass

from ..canonical.schema import Schema

# The column that says whether a row is there ("U") or gone ("D").
OPERATION = "operation"
# Feeds whose rows are journal items: proved row by row.
ITEMS = ("journal_items",)
# Feeds whose rows are sums of journal items: proved by their sums.
SUMS = ("trial_balance",)


@dataclass(frozen=True)
class Roles:
    """Names of columns, None for those that a feed doesn't have or that its privacy leaves out."""

    key: str | None = None
    company: str | None = None
    period: str | None = None
    account: str | None = None
    currency: str | None = None
    debit: str | None = None
    credit: str | None = None
    amount_currency: str | None = None
    operation: str | None = None

    @property
    def amounts(self):
        """Whether there is money to add up."""
        return bool(self.debit and self.credit)

    @property
    def digest(self):
        """Whether the digest of the rows can be worked out from the file."""
        return bool(self.key and self.amounts and self.amount_currency)

    @classmethod
    def of(cls, schema: Schema, measures=None, hidden=()):
        """Return the roles of the columns of ``schema``.

        measures: `feeds.feed.Measures` of the feed, which names them; None where it has none.
        hidden: names of columns that are there without their values.
        """
        there = {column.name for column in schema.columns}.difference(hidden)
        named = ("company", "period", "account", "currency", "debit", "credit", "amount_currency")
        found = {name: getattr(measures, name, "") for name in named}
        found |= {"key": schema.key[0] if len(schema.key) == 1 else "", "operation": OPERATION}
        return cls(**{role: name if name in there else None for role, name in found.items()})
