"""External codes beside a feed's values: looked up by the approved mappings, joined by SQL."""

from datetime import date, timedelta

from odoo.tools import SQL

FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)


class Codes:
    """The codes of one type of mapping, for the rows of one feed, in a temporary table.

    What a record is called may change from a day on, so each code has its days. answers: the
    answers of finance.mapping._lookup that they are from.
    """

    def __init__(self, env, feed, kind, keeper, connector, day):
        self.env = env
        self.feed = feed
        self.kind = kind
        self.answers = []
        self.table = f"finance_code_{feed.code}_{kind}"[:60]
        self._keeper = keeper
        self._connector = connector
        self._day = day

    def serves(self, companies):
        """Whether somebody keeps such a mapping for this feed: only then it has the column."""
        return any(self._choice(company)[0] for company in companies)

    def fill(self, used, suspense=None):
        """Look up the codes of records. used: {company: ids}. suspense: code of what has none."""
        cr = self.env.cr
        cr.execute(SQL("DROP TABLE IF EXISTS %s", SQL.identifier(self.table)))
        cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE %s (company_id int, id int, first date, last date,"
                " code text) ON COMMIT DROP",
                SQL.identifier(self.table),
            )
        )
        for company, ids in used.items():
            for first, last in self._spans(company):
                self._fill(company, ids, first, last, suspense)
        cr.execute(SQL("ANALYZE %s", SQL.identifier(self.table)))

    def _fill(self, company, ids, first, last, suspense):
        day = last if first == FIRST and last != LAST else first
        answer = self._mapping._lookup(
            self.kind,
            ids,
            self._day if (first, last) == (FIRST, LAST) else day,
            company or self._keeper,
            self._connector,
            self.feed.code,
        )
        self.answers.append(answer)
        codes = {id_: hit.code for id_, hit in answer.found.items()}
        if suspense:
            codes |= dict.fromkeys(answer.missing, suspense)
        if codes:
            self.env.cr.execute(
                SQL(
                    "INSERT INTO %s SELECT %s, id, %s, %s, code FROM unnest(%s, %s) AS hit(id, code)",
                    SQL.identifier(self.table),
                    company.id or 0,
                    first,
                    last,
                    list(codes),
                    list(codes.values()),
                )
            )

    def join(self, query, alias, record, company, day):
        """Join the code of ``record`` (SQL of an id); return its SQL.

        company: SQL of the row's company, None where all share it; day: of its business day.
        """
        conditions = [
            SQL("%s = %s", SQL.identifier(alias, "id"), record),
            SQL("%s = %s", SQL.identifier(alias, "company_id"), company or SQL("0")),
        ]
        if day is not None:
            conditions.append(
                SQL(
                    "%s BETWEEN %s AND %s",
                    day,
                    SQL.identifier(alias, "first"),
                    SQL.identifier(alias, "last"),
                )
            )
        query.add_join("LEFT JOIN", alias, self.table, SQL(" AND ").join(conditions))
        return SQL.identifier(alias, "code")

    @property
    def _mapping(self):
        return self.env["finance.mapping"].sudo()

    def _choice(self, company):
        mapping = self._mapping
        mapping._flush_mappings(self.kind)
        return mapping._choice(self.kind, company or self._keeper, self._connector, self.feed.code)

    def _spans(self, company):
        """Yield (first, last) day of spans in which the lines of the version are the same."""
        if not self.feed.day:
            return [(FIRST, LAST)]
        _mapping_id, version_id, _root = self._choice(company)
        self.env.cr.execute(
            """
            SELECT DISTINCT day FROM (
                SELECT valid_from AS day FROM finance_mapping_line WHERE version_id = %(version)s
                UNION SELECT valid_to + 1 FROM finance_mapping_line WHERE version_id = %(version)s
            ) AS bound WHERE day IS NOT NULL ORDER BY day
            """,
            {"version": version_id or 0},
        )
        starts = [FIRST, *(day for [day] in self.env.cr.fetchall())]
        ends = [day - timedelta(days=1) for day in starts[1:]] + [LAST]
        return zip(starts, ends, strict=True)
