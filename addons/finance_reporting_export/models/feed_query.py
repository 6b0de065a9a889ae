"""A feed's query: the ORM compiles it, so that it reads what its user may read."""

from odoo.fields import Domain
from odoo.tools import SQL

from ..canonical.schema import PLACE

# How a value of a type is written, in every format the same.
WRITING = {
    "datetime": """to_char(%s, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""",
    "boolean": "CASE WHEN %s THEN 'true' ELSE 'false' END",
    "json": "(%s)::text",
}


class FeedQuery:
    """The rows of one model as its user may read them, with columns by paths of fields.

    model: the empty recordset, of the user whose rows are read. Raises AccessError where a model
    or a field may not be read; values of joined records that record rules hide are empty, as
    they are in groups of a list.
    """

    def __init__(self, model, domain, company="company_id"):
        self._company = company
        self.model = model.with_context(active_test=False, lang=None)
        self.query = self.model._search(list(domain), active_test=False)
        self.alias = self.query.table

    def value(self, source):
        """Return the SQL of a `Column.source`, joining what it needs."""
        if source.startswith("="):
            return self.expression(source[1:])
        return self._path(self.chosen(source))

    def chosen(self, source):
        """Return the first of alternative paths whose fields there are; the first where none."""
        paths = source.split("|")
        return next((path for path in paths if has_path(self.model, path)), paths[0])

    def expression(self, text):
        """Return the SQL of an expression with paths in braces."""
        pieces, places, end = [], [], 0
        for place in PLACE.finditer(text):
            pieces.append(text[end : place.start()].replace("%", "%%"))
            places.append(self._path(place[1], bare=bool(place[2])))
            end = place.end()
        pieces.append(text[end:].replace("%", "%%"))
        return SQL("%s".join(pieces), *places)  # pylint: disable=sql-injection

    def joined(self, join):
        """Join a `Join` of a feed."""
        self.query.add_join(
            "LEFT JOIN",
            join.alias,
            SQL(join.table),  # pylint: disable=sql-injection
            self.expression(join.condition),
        )

    def condition(self, domain):
        """Return the SQL of a domain on the same rows."""
        return Domain(domain).optimize_full(self.model)._to_sql(self.model, self.alias, self.query)

    def where(self, condition):
        """Only rows that this SQL is true of."""
        self.query.add_where(condition)

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
        records = model.env[field.comodel_name].with_context(model.env.context)
        readable = records._search([], active_test=False)
        joined = self.query.make_alias(alias, link)
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


def has_path(model, path):
    """Whether all fields of a path exist."""
    *links, last = path.split(".")
    for link in links:
        field = model._fields.get(link)
        if field is None or field.type != "many2one":
            return False
        model = model.env[field.comodel_name]
    return last in model._fields


def written(sql, type):
    """Return the SQL of a value as text, number or date, as all formats write it."""
    return SQL(WRITING[type], sql) if type in WRITING else sql
