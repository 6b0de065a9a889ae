"""What a built-in feed is: a data table that the compiler makes a query of."""

from dataclasses import dataclass

from ..canonical.schema import Column, Schema


@dataclass(frozen=True)
class Watch:
    """A table whose rows change rows of a feed.

    table: its name. link: SQL that gives the ids of the feed's model of a changed row of it, whose
    alias is ``changed``; "changed.id" where the table is the model's own, a sub-select otherwise:
    "SELECT item.id FROM account_move_line AS item WHERE item.move_id = changed.id".
    """

    table: str
    link: str = "changed.id"

    @property
    def own(self):
        """Whether the changed row has at most one row of the feed, whose id it holds."""
        return not self.link.lstrip().upper().startswith("SELECT")


@dataclass(frozen=True)
class Measures:
    """Names of the columns that control totals are made of; "" where a feed has no such column.

    company, period (of "2026-03"), account and currency (of amount_currency) are what totals are
    kept by.
    """

    company: str = "entity_id"
    period: str = "period"
    account: str = "gl_account_number"
    currency: str = "amount_currency_code"
    debit: str = ""
    credit: str = ""
    amount: str = ""
    amount_currency: str = ""


@dataclass(frozen=True)
class Join:
    """A table or sub-select joined (LEFT JOIN) beside those of the paths.

    alias: to be used in expressions. table: SQL of what is joined; at most one row of it may fit.
    condition: SQL, with paths in braces as in `Column.source`. watch: of what is joined.
    """

    alias: str
    table: str
    condition: str
    watch: Watch | None = None


@dataclass(frozen=True)
class Source:
    """Rows of a model that the SQL of a computed feed reads, as far as the user may read them.

    fields: {alias: path}. domain: of the rows, without companies.
    """

    model: str
    fields: dict
    domain: tuple = ()
    company: str = "company_id"


@dataclass(frozen=True)
class Feed:
    """A built-in feed.

    code: name of its files. title: for people. model: what it is rows of; one row of the feed per
    record, unless ``sql`` computes it. columns, key, version: see `Schema`. domain: which records
    are told; those that no longer are, are told as gone by an increment. company: path of the
    company that a record belongs to, "" where all share it. day: path of its business day, ""
    where it has none; such a feed has periods.
    measures: for control totals. requires: models that must exist for it to be offered; columns
    whose paths do not exist and which are not required are left out.

    sql: SQL text of a computed feed, with sources in braces; its columns are those of
    ``columns``, by name, whose sources tell where they come from; company, day and records of
    mappings are names of columns of it. Such a feed is told whole or by period, never incrementally.
    """

    code: str
    title: str
    model: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("id",)
    version: int = 1
    domain: tuple = ()
    company: str = "company_id"
    day: str = ""
    joins: tuple[Join, ...] = ()
    measures: Measures | None = None
    requires: tuple[str, ...] = ()
    sql: str = ""
    sources: dict | None = None
    sequence: int = 100

    @property
    def incremental(self):
        """Whether what has changed can be told alone."""
        return not self.sql

    @property
    def schema(self):
        """The `Schema` of all its columns, before privacy and mappings."""
        return Schema(self.code, self.version, self.title, self.columns, self.key)


def column(name, type, source, meaning, **options):
    """Return a `Column`; a short way to write a data table."""
    return Column(name, type, meaning, source, **options)
