"""From a feed and an export's choices to the queries of its parts."""

from calendar import monthrange
from dataclasses import replace
from datetime import date
from functools import cached_property

from odoo import fields
from odoo.tools import SQL

from ..canonical.schema import Column, Schema
from .extraction import Extraction, Part
from .feed_codes import Codes
from .feed_privacy import DEFAULT, guarded
from .feed_query import ComputedQuery, RecordQuery, computed, has_path, nothing, written
from .feed_watches import watches_of

OPERATION = Column(
    "operation",
    "string",
    "U: the row is as told here; D: the row is gone, only its key is told.",
    "='U'",
    required=True,
)


class Reading:
    """How an export's line reads its feed, as the user of ``env`` and of its companies.

    privacy: {column: choice}; mapped: whether columns of approved mappings are added; salt: of
    digests; operations: whether rows tell their operation; connector, keeper: whose mappings;
    suspense: code of what has none.
    """

    def __init__(self, env, feed, **choices):
        self.env = env
        self.feed = feed
        self.companies = env.companies
        self.choices = {
            "privacy": {},
            "mapped": True,
            "salt": "",
            "operations": False,
            "connector": None,
            "keeper": env.company,
            "suspense": None,
        } | choices
        self.privacy = {
            column.name: self.choices["privacy"].get(column.name) or DEFAULT[column.personal]
            for column in feed.columns
        }
        self.codes = {}

    # === SCHEMA === #

    def schema(self):
        """Return the `Schema` of what leaves the house."""
        columns = [OPERATION] if self.choices["operations"] and self.feed.incremental else []
        for column in self.feed.columns:
            columns += self._published(column)
        return Schema(
            self.feed.code, self.feed.version, self.feed.title, tuple(columns), self.feed.key
        )

    def _published(self, column):
        if not self._exists(column):
            return []
        found = []
        privacy = self.privacy[column.name]
        if privacy != "drop":
            found.append(
                replace(column, scale=self._scale(column))
                if privacy == "open"
                else replace(column, type="string", scale=None)
            )
        if column.mapping and self._codes(column.mapping):
            found.append(
                Column(
                    f"{column.name}_mapped",
                    "string",
                    f"External code, by the approved mapping, of: {column.meaning}",
                    column.record or column.source,
                    mapping=column.mapping,
                )
            )
        return found

    def _exists(self, column):
        """Fields of addons that are not installed have no column, unless it must be there."""
        if self.feed.sql or column.required or not column.paths:
            return True
        model = self.env[self.feed.model]
        exists = any if "|" in column.source and column.source[0] != "=" else all
        return exists(has_path(model, path) for path in column.paths)

    def _scale(self, column):
        if column.type != "decimal" or column.scale is not None:
            return column.scale
        return self._money_places

    @cached_property
    def _money_places(self):
        """As many places as a currency that is, or was, in use has."""
        self.env.cr.execute(
            """
            SELECT max(decimal_places) FROM res_currency AS currency
             WHERE active
                OR EXISTS (SELECT FROM res_currency_rate WHERE currency_id = currency.id)
                OR EXISTS (SELECT FROM res_company WHERE currency_id = currency.id)
            """
        )
        return max(2, self.env.cr.fetchone()[0] or 0)

    def _codes(self, kind):
        """Return the `Codes` of a type, None where nobody keeps such a mapping for this feed."""
        if not self.choices["mapped"]:
            return None
        if kind not in self.codes:
            codes = Codes(
                self.env,
                self.feed,
                kind,
                self.choices["keeper"],
                self.choices["connector"],
                fields.Date.context_today(self.choices["keeper"]),
            )
            self.codes[kind] = codes if codes.serves(self._owners()) else None
        return self.codes[kind]

    def _owners(self):
        """Return the companies that rows are of; one empty one where all share them."""
        return list(self.companies) if self.feed.company else [self.env["res.company"]]

    # === PARTS === #

    def extraction(self, mode, since=None, period=""):
        """Return the `Extraction`: its queries, and the codes looked up."""
        if mode == "incremental" and not (self.feed.incremental and since):
            mode = "full"
        extraction = Extraction(self.env, self.feed, self.schema(), mode, [])
        if self.feed.sql:
            self._compute()
        for codes in filter(None, self.codes.values()):
            codes.fill(self._used(codes.kind), self.choices["suspense"])
            extraction.answers += codes.answers
        if mode == "incremental":
            extraction.parts = [self._increment(extraction.schema, since)]
        else:
            extraction.parts = [
                Part(self.select(extraction.schema, company, month), None, company, month)
                for company, month in self._cuts(mode, period)
            ]
        return extraction

    def _cuts(self, mode, period):
        """Yield (company, month) of the parts."""
        nobody = self.env["res.company"]
        period = period if mode == "period" else ""
        if not self.feed.day:
            return [(nobody, "")]
        if not self.choices.get("by_month"):
            return [(nobody, period)]
        if period:
            return [(company, period) for company in self.companies]
        rows = self._rows()
        found = self.env.execute_query(
            SQL(
                "SELECT DISTINCT company_id, to_char(month, 'YYYY-MM') AS month FROM (%s) AS cut"
                " ORDER BY month, company_id",
                rows.query.select(
                    SQL("DISTINCT %s AS company_id", rows.value(self.feed.company)),
                    SQL("date_trunc('month', %s) AS month", rows.value(self.feed.day)),
                ),
            )
        )
        known = {company.id: company for company in self.companies}
        return [(known[id_], month) for id_, month in found if month] or [(nobody, "")]

    def select(self, schema, company=None, month="", limit=None):
        """Return the SQL of rows, of a company and month where given."""
        rows = self._rows()
        if company:
            rows.query.add_where("%s = %s", [rows.value(self.feed.company), company.id])
        if month:
            first, last = days_of(month)
            rows.query.add_where("%s BETWEEN %s AND %s", [rows.value(self.feed.day), first, last])
        rows.query.limit = limit
        return self._columns(rows, schema)

    def _rows(self, domain=None):
        """Return the query of the feed's records; of all of the companies with domain ()."""
        feed = self.feed
        if feed.sql:
            table = SQL.identifier(self._table)
            return ComputedQuery(self.env, table)
        wanted = list(feed.domain if domain is None else domain)
        if feed.company:
            wanted.append((feed.company, "in", self.companies.ids))
        rows = RecordQuery(self.env[feed.model], wanted, feed.company)
        for join in feed.joins:
            rows.joined(join)
        return rows

    @property
    def _table(self):
        return f"finance_feed_{self.feed.code}"[:60]

    def _compute(self):
        """Keep the rows of a computed feed for the transaction: all parts are read from them."""
        table = SQL.identifier(self._table)
        self.env.cr.execute(SQL("DROP TABLE IF EXISTS %s", table))
        self.env.cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS %s",
                table,
                computed(self.env, self.feed, self.companies.ids),
            )
        )

    def _columns(self, rows, schema):
        by_name = {column.name: column for column in self.feed.columns}
        values = []
        for column in schema.columns:
            values.append(
                SQL(
                    "%s AS %s",
                    self._value(rows, column, by_name.get(column.name)),
                    SQL.identifier(column.name),
                )
            )
        return rows.query.select(*values)

    def _value(self, rows, column, declared):
        if declared is None and column is OPERATION:
            return SQL("'U'")
        if declared is None:
            return self._code(rows, column)
        value = rows.column(declared)
        if declared.type == "decimal" and declared.scale is not None:
            # not money: as many places as are published
            value = SQL("round((%s)::numeric, %s)", value, declared.scale)
        privacy = self.privacy[column.name]
        if privacy != "open":
            return guarded(value, rows, declared, privacy, self.choices["salt"])
        return written(value, declared.type)

    def _code(self, rows, column):
        day, company = self.feed.day, self.feed.company
        return self._codes(column.mapping).join(
            rows.query,
            f"code_{column.name}"[:60],
            rows.value(column.source),
            rows.value(company) if company else None,
            rows.value(day) if day else None,
        )

    def _used(self, kind):
        """Return {company: ids} of the records of a type that the rows show."""
        rows = self._rows()
        company = rows.value(self.feed.company) if self.feed.company else SQL("0")
        found = {}
        for column in self.feed.columns:
            if column.mapping != kind or not self._exists(column):
                continue
            record = rows.value(column.record or column.source)
            for owner, id_ in self.env.execute_query(
                rows.query.select(SQL("DISTINCT %s AS company, %s AS id", company, record))
            ):
                if id_:
                    found.setdefault(owner, set()).add(id_)
        companies = {company.id: company for company in self._owners()}
        return {
            companies[owner]: sorted(ids) for owner, ids in found.items() if owner in companies
        } or dict.fromkeys(companies.values(), [])

    # === PREVIEW === #

    def preview(self, limit):
        """Return {"columns": names, "rows": lists of text, "sql": text without secrets}."""
        schema = self.schema()
        if self.feed.sql:
            self._compute()
        for codes in filter(None, self.codes.values()):
            codes.fill(self._used(codes.kind), self.choices["suspense"])
        sql = self.select(schema, limit=limit)
        rows = self.env.execute_query(
            SQL(
                "SELECT %s FROM (%s) AS row",
                SQL(", ").join(
                    SQL("%s::text", SQL.identifier("row", name)) for name in schema.names
                ),
                sql,
            )
        )
        text = self.env.cr._obj.mogrify(sql.code, sql.params).decode()
        if self.choices["salt"]:
            text = text.replace(self.choices["salt"], "…")
        return {
            "columns": list(schema.names),
            "rows": [list(row) for row in rows],
            "sql": text,
        }

    # === INCREMENTS === #

    def watches(self):
        """Return the `Watch`es of what is told: see `feed_watches`."""
        if self.feed.sql:
            return ()
        told = [
            column
            for column in self.feed.columns
            if self._exists(column) and (self.privacy[column.name] != "drop" or column.mapping)
        ]
        more = [join.watch for join in self.feed.joins if join.watch]
        return watches_of(self.env[self.feed.model], told, more)

    def _increment(self, schema, since):
        """Return the `Part` of what has changed; what isn't told any more is told as gone."""
        changed = SQL.identifier(self.choices["changed"](self.watches(), since))
        ids = SQL("SELECT id FROM %s", changed)
        rows, told = self._rows(), self._rows()
        # A join, before those of the columns: as a condition it would come after them, and
        # PostgreSQL would join the whole ledger for a few rows.
        for query in (rows, told):
            same = SQL("%s = written.id", SQL.identifier(query.alias, "id"))
            query.query.add_join("JOIN", "written", changed, same)
        # Whatever has changed and is not told: deleted, no longer posted, another company's.
        gone = SQL("%s EXCEPT %s", ids, told.query.select(SQL.identifier(told.alias, "id")))
        return Part(self._columns(rows, schema), self._gone(schema, gone), self.env["res.company"])

    def _gone(self, schema, ids):
        values = []
        for column in schema.columns:
            if column is OPERATION:
                value = SQL("'D'")
            elif (column.name,) == schema.key:
                value = SQL("gone.id")
            else:
                value = nothing(column.type)
            values.append(SQL("%s AS %s", value, SQL.identifier(column.name)))
        return SQL("SELECT %s FROM (%s) AS gone", SQL(", ").join(values), ids)


def days_of(month):
    """Return (first, last) day of a month as "2026-03"."""
    year, number = map(int, month.split("-"))
    return date(year, number, 1), date(year, number, monthrange(year, number)[1])
