"""Which columns of a feed say what the totals are made of."""

from dataclasses import dataclass

from ..canonical.schema import Schema

# What a column's source may be, for each thing that is asked of a row; the first found counts.
SOURCES = {
    "key": ("id",),
    "company": ("company_id", "company_id.id", "company_id.name", "company"),
    "day": ("date", "move_id.date", "period", "month"),
    "account": ("account_id.code", "account_code", "account"),
    "currency": ("currency_id.name", "currency_id", "currency"),
    "debit": ("debit",),
    "credit": ("credit",),
    "amount_currency": ("amount_currency",),
}
OPERATION = ("op", "operation")
# Feeds whose rows are journal items: proved row by row.
ITEMS = ("journal_items",)
# Feeds whose rows are sums of journal items: proved by their sums.
SUMS = ("trial_balance",)


@dataclass(frozen=True)
class Roles:
    """Names of columns, None for those that a feed doesn't have or that its privacy leaves out."""

    key: str | None = None
    company: str | None = None
    day: str | None = None
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
    def of(cls, schema: Schema):
        """Return the roles of the columns of ``schema``, by what they are made from."""
        by_source = {}
        for column in schema.columns:
            by_source.setdefault(column.source, column.name)
        names = {column.name for column in schema.columns}
        found = {
            role: next((by_source[source] for source in sources if source in by_source), None)
            for role, sources in SOURCES.items()
        }
        operation = next((name for name in OPERATION if name in names), None)
        return cls(**found, operation=operation)
