"""Which rows were deleted: written by the database itself, whoever deletes and however."""

import logging

from psycopg2.errors import LockNotAvailable

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# A deletion in a transaction that was open so long when its receiver was told is kept, too.
KEPT_DAYS = 7
TRIGGER = "finance_export_deleted"
FUNCTION = """
CREATE OR REPLACE FUNCTION finance_export_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO finance_export_tombstone (relation) VALUES (TG_TABLE_NAME);
    ELSE
        EXECUTE format(
            'INSERT INTO finance_export_tombstone (relation, record)'
            ' SELECT %L, %I FROM gone WHERE %I IS NOT NULL', TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[0]);
    END IF;
    RETURN NULL;
END $$
"""
CREATE = """
CREATE TRIGGER %(trigger)s AFTER DELETE ON %(table)s REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION finance_export_deleted(%(column)s);
CREATE TRIGGER %(emptied)s AFTER TRUNCATE ON %(table)s
FOR EACH STATEMENT EXECUTE FUNCTION finance_export_deleted()
"""
FOUND = """
SELECT c.relname, string_agg(t.oid::text || t.tgenabled::text, ',' ORDER BY t.oid)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE t.tgfoid = to_regproc('finance_export_deleted') AND pg_table_is_visible(c.oid)
 GROUP BY 1
"""


class FinanceExportTombstone(models.Model):
    """A deleted row of a table that increments are told of; without a record: the table was emptied.

    Written by triggers, per statement, so that a deletion by SQL or by a cascade is known as well.
    """

    _name = "finance.export.tombstone"
    _description = "Deleted Row"
    _log_access = False
    _rec_name = "relation"

    relation = fields.Char("Table", required=True, readonly=True)
    record = fields.Integer("Id", readonly=True, aggregator=None)
    at = fields.Datetime(readonly=True)

    def init(self):
        """The function of the triggers, and the time of a row that only SQL writes."""
        self.env.cr.execute(FUNCTION)
        self.env.cr.execute(
            "ALTER TABLE finance_export_tombstone ALTER at SET DEFAULT (now() AT TIME ZONE 'UTC')"
        )

    @api.model
    def _watched(self):
        """Return {table: column} of what deletions are recorded of: feeds told by increments."""
        lines = self.env["finance.export.feed"].sudo()
        found = {}
        for line in lines.search([("mode", "=", "incremental"), ("export_id.active", "=", True)]):
            found |= line._recorded()
        return found

    @api.model
    def _recorders(self):
        """Return {table: what tells its triggers from all others}, as this transaction sees them."""
        return dict(self.env.execute_query(SQL(FOUND)))

    @api.model
    def _record_deletions(self):
        """Put triggers where they are missing, and take them away where nobody needs them.

        Before the transaction whose snapshot is a watermark: what is deleted after that is known.
        """
        watched, present = self._watched(), self._recorders()
        missing = {table: watched[table] for table in watched.keys() - present.keys()}
        needless = present.keys() - watched.keys()
        if not missing and not needless:
            return
        try:
            with self.env.cr.savepoint():
                self._change_triggers(missing, needless)
        except LockNotAvailable:
            # Somebody writes for long: until a later run gets the lock, everything is told.
            _logger.info("Deletions of %s are not recorded yet: the table is in use", [*missing])

    @api.model
    def _change_triggers(self, missing, needless):
        self.env.cr.execute("SET LOCAL lock_timeout = '3s'")
        for table, column in sorted(missing.items()):
            self.env.cr.execute(
                SQL(
                    CREATE,
                    trigger=SQL.identifier(TRIGGER),
                    emptied=SQL.identifier(f"{TRIGGER}_all"),
                    table=SQL.identifier(table),
                    column=SQL.identifier(column),
                ),
                log_exceptions=False,
            )
        for table in sorted(needless):
            self._drop(table)
        self.env.cr.execute("SET LOCAL lock_timeout = DEFAULT")

    @api.model
    def _drop(self, table):
        for trigger in (TRIGGER, f"{TRIGGER}_all"):
            self.env.cr.execute(
                SQL(
                    "DROP TRIGGER IF EXISTS %s ON %s",
                    SQL.identifier(trigger),
                    SQL.identifier(table),
                ),
                log_exceptions=False,
            )

    @api.model
    def _drop_all(self):
        """Take all triggers and their function away, when the addon goes."""
        for table in self._recorders():
            self._drop(table)
        self.env.cr.execute("DROP FUNCTION IF EXISTS finance_export_deleted()")

    @api.autovacuum
    def _vacuum(self):
        """Forget deletions that all receivers know of."""
        self.env.cr.execute(
            """
            DELETE FROM finance_export_tombstone WHERE at < (
                SELECT COALESCE(min(line.told_at), now() AT TIME ZONE 'UTC') - interval '1 day' * %s
                  FROM finance_export_feed AS line
                  JOIN finance_export AS export ON export.id = line.export_id
                 WHERE export.active AND line.mode = 'incremental' AND line.told_at IS NOT NULL)
            """,
            (KEPT_DAYS,),
        )
