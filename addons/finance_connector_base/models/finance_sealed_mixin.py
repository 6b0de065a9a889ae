from odoo import api, models
from odoo.tools import SQL

# What one look at a table counts at most: the words in Settings must not cost a scan of years.
MOST_COUNTED = 10_000


class FinanceSealedMixin(models.AbstractModel):
    """Rows with sealed columns, bound to their table, their uuid and the part they hold."""

    _name = "finance.sealed.mixin"
    _description = "Rows With Sealed Columns"

    # column → part; a value is sealed for (model, uuid, part)
    _sealed_parts = {}

    @api.model
    def _check_field_access(self, field, operation):
        if field.name in self._sealed_parts and not self._has_field_access(field, operation):
            self.env["finance.denied.action"]._deny(operation, "secret", self)
        super()._check_field_access(field, operation)

    @api.model
    def _reseal(self, limit) -> int:
        """Seal up to ``limit`` values again with the first key of the ring; return how many."""
        vault = self.env["finance.vault"]._vault()
        done = 0
        for column, part in self._sealed_parts.items():
            rows = self.env.execute_query(
                SQL(
                    "SELECT id, uuid, %s FROM %s WHERE %s LIMIT %s FOR UPDATE SKIP LOCKED",
                    SQL.identifier(column),
                    SQL.identifier(self._table),
                    self._sealed_with(column, vault.older_heads()),
                    limit - done,
                )
            )
            for row_id, uuid, sealed in rows:
                self.env.cr.execute(
                    SQL(
                        "UPDATE %s SET %s = %s WHERE id = %s",
                        SQL.identifier(self._table),
                        SQL.identifier(column),
                        vault.reseal(bytes(sealed), self._name, uuid, part),
                        row_id,
                    )
                )
            done += len(rows)
        return done

    @api.model
    def _key_ids(self) -> dict:
        """Return how many values are sealed with which key that is not the first of the ring."""
        vault, counts = self.env["finance.vault"]._vault(), {}
        for column in self._sealed_parts:
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT encode(substring(c FROM 5 FOR get_byte(c, 3)), 'escape'), count(*)
                      FROM (SELECT %(column)s AS c FROM %(table)s WHERE %(stale)s LIMIT %(most)s) s
                     GROUP BY 1
                    """,
                    column=SQL.identifier(column),
                    table=SQL.identifier(self._table),
                    stale=SQL(
                        "%s IS NOT NULL AND NOT %s",
                        SQL.identifier(column),
                        self._sealed_with(column, [vault.head()]),
                    ),
                    most=MOST_COUNTED,
                )
            )
            for key_id, count in rows:
                counts[key_id] = counts.get(key_id, 0) + count
        return counts

    def _sealed_with(self, column, heads):
        """The condition that a value begins with one of ``heads``, the bytes that name a key."""
        begins = [
            SQL("substring(%s FROM 1 FOR %s) = %s", SQL.identifier(column), len(head), head)
            for head in heads
        ]
        return SQL("(%s)", SQL(" OR ").join(begins)) if begins else SQL("FALSE")
