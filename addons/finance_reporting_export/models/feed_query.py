"""A feed's query: the ORM compiles it, so that it reads what its user may read."""

from odoo.fields import Domain
from odoo.tools import SQL, Query

from ..canonical.schema import PLACE

# How a value of a type is written, in every format the same.
WRITING = {
    "string": "(%s)::text",
    "datetime": """to_char(%s, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""",
    "boolean": "CASE WHEN %s THEN 'true' ELSE 'false' END",
    "json": "(%s)::text",
}
NULLS = {"integer": "int", "date": "date", "decimal": "numeric"}


class RecordQuery:
    """The rows of one model as its user may read them, with values by paths of fields.

    model: the empty recordset, of the user whose rows are read. domain: which rows. company: path
    of the company of a row, "" for none. Raises AccessError where a model or a field may not be
    read; values of joined records that record rules hide are empty, as in groups of a list.
    """

    def __init__(self, model, domain, company="company_id"):
        self.model = model.with_context(active_test=False, lang=None)
        self.query = self.model._search(list(domain), active_test=False)
        self.alias = self.query.table
        self._company = company

    def value(self, source):
        """Return the SQL of a `Column.source`, joining what it needs."""
        if source.startswith("="):
            return self._expression(source[1:])
        return self._path(chosen(self.model, source))

    def column(self, column):
        """Return the SQL of a `Column`, not yet written as its type is."""
        return self.value(column.source)

    def joined(self, join):
        """Join a `Join` of a feed."""
        self.query.add_join(
            "LEFT JOIN",
            join.alias,
            SQL(join.table),  # pylint: disable=sql-injection
            self._expression(join.condition),
        )

    def condition(self, domain):
        """Return the SQL of a domain on the same rows."""
        return Domain(domain).optimize_full(self.model)._to_sql(self.model, self.alias, self.query)

    def _expression(self, text):
        pieces, places, end = [], [], 0
        for place in PLACE.finditer(text):
            pieces.append(text[end : place.start()].replace("%", "%%"))
            places.append(self._path(place[1], bare=bool(place[2])))
            end = place.end()
        pieces.append(text[end:].replace("%", "%%"))
        return SQL("%s".join(pieces), *places)  # pylint: disable=sql-injection

    def _path(self, path, bare=False):
        *links, last = path.split(".")
        model, alias = self.model, self.alias
        for link in links:
            model, alias = self._joined_model(model, alias, link)
        if bare:
            model._check_field_access(model._fields[last], "read")
            return SQL.identifier(alias, last)
        if last == "id":
            return SQL.identifier(alias, "id")
        if (model._name, last) == ("account.account", "code") and self._company:
            return self._account_code(alias)
        return model._field_to_sql(alias, last, self.query)

    def _account_code(self, alias):
        """Codes of accounts are kept by root company: that of the row, not of the user."""
        return SQL(
            "%s ->> split_part(%s, '/', 1)",
            SQL.identifier(alias, "code_store"),
            self._path(f"{self._company}.parent_path", bare=True),
        )

    def _joined_model(self, model, alias, link):
        """Join the records of a many2one; those that the user may not read are empty."""
        field = model._fields[link]
        records = model.env[field.comodel_name]
        readable = records._search([], active_test=False)
        # a domain of the feed may have joined all of them under the ORM's own alias
        joined = self.query.make_alias(alias, f"{link}_readable")
        condition = SQL(
            "%s = %s",
            model._field_to_sql(alias, link, self.query),
            SQL.identifier(joined, "id"),
        )
        table = records._table
        if readable.where_clause:
            table = readable.subselect(SQL("%s.*", SQL.identifier(records._table)))
        self.query.add_join("LEFT JOIN", joined, table, condition)
        return records, joined


class ComputedQuery:
    """The rows of a computed feed: a table or sub-select with the feed's columns by name."""

    alias = "computed"

    def __init__(self, env, table):
        self.query = Query(env, self.alias, table)

    def value(self, source):
        """Return the SQL of a column of the table, by its name."""
        return SQL.identifier(self.alias, source)

    def column(self, column):
        """Return the SQL of a `Column`."""
        return self.value(column.name)


def computed(env, feed, companies):
    """Return the SQL of a computed feed's rows of companies (ids), as the user of env may read."""
    tables = {}
    for name, source in feed.sources.items():
        domain = [*source.domain]
        if source.company:
            domain.append((source.company, "in", companies))
        rows = RecordQuery(env[source.model], domain, source.company)
        values = [
            SQL("%s AS %s", rows.value(path), SQL.identifier(alias))
            for alias, path in source.fields.items()
        ]
        tables[name] = SQL("(%s)", rows.query.select(*values))
    pieces, places, end = [], [], 0
    for place in PLACE.finditer(feed.sql):
        pieces.append(feed.sql[end : place.start()].replace("%", "%%"))
        places.append(tables[place[1]])
        end = place.end()
    pieces.append(feed.sql[end:].replace("%", "%%"))
    return SQL("%s".join(pieces), *places)  # pylint: disable=sql-injection


def chosen(model, source):
    """Return the first of alternative paths whose fields there are; the first where none."""
    paths = source.split("|")
    return next((path for path in paths if has_path(model, path)), paths[0])


def has_path(model, path):
    """Whether all fields of a path exist."""
    return field_of(model, path) is not None


def field_of(model, path):
    """Return the field at the end of a path, None where there is none."""
    *links, last = path.split(".")
    for link in links:
        field = model._fields.get(link)
        if field is None or field.type != "many2one":
            return None
        model = model.env[field.comodel_name]
    return model._fields.get(last)


def written(sql, type):
    """Return the SQL of a value as text, number or date, as all formats write it."""
    return SQL(WRITING[type], sql) if type in WRITING else sql


def nothing(type):
    """Return the SQL of an empty value of a column's type."""
    return SQL(f"NULL::{NULLS.get(type, 'text')}")  # pylint: disable=sql-injection
