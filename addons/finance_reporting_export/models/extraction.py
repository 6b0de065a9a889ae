"""What a run reads of a feed: its parts, each a query, and how they are written."""

from dataclasses import dataclass, field

from odoo.tools import SQL

from ..canonical.schema import Schema
from ..extract.formats import CHOICES
from ..extract.writing import write
from ..feeds.feed import Feed


@dataclass(frozen=True)
class Part:
    """One file's worth of rows.

    sql: odoo SQL of the rows, its columns named and ordered as the extraction's schema; gone:
    SQL of rows that say that a row is gone (operation "D", key, nothing else), None for none.
    company: a res.company, empty where the part holds all; period: "2026-03", "" for all.
    """

    sql: SQL
    gone: SQL | None
    company: object
    period: str = ""

    @property
    def name(self):
        """What tells its file from those of the feed's other parts; "" for the only one."""
        return "-".join(filter(None, (str(self.company.id or ""), self.period)))


@dataclass
class Extraction:
    """A feed as an export tells it: what `finance.export.feed._extraction` returns.

    feed: the `Feed`; schema: after privacy, with the columns of approved mappings and, for a
    receiver of increments, ``operation`` ("U": the row is as told here, "D": it is gone) in
    front; mode: "full", "period" or "incremental"; parts: see `Part`; answers: of
    finance.mapping._lookup, which the codes are from.
    """

    env: object
    feed: Feed
    schema: Schema
    mode: str
    parts: list
    answers: list = field(default_factory=list)

    def write(self, part, target, format, metadata=None):
        """Write a part into ``target`` (an object with ``write(bytes)``); return its `Written`.

        format: one of `extract.formats.CHOICES` ("csv.gz", say). metadata: {str: str} for
        Parquet. In the transaction of env: call ``env.flush_all()`` before.
        """
        cursor = self.env.cr._obj
        kind, compression = CHOICES[format]
        return write(
            cursor,
            [self.text(part.sql)],
            self.schema,
            target,
            kind,
            compression,
            metadata,
            gone=[self.text(part.gone)] if part.gone is not None else [],
        )

    def text(self, sql):
        """Return an SQL with its parameters in it."""
        return self.env.cr._obj.mogrify(sql.code, sql.params).decode()
