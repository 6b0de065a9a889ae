"""What has changed in a feed since the receiver was last told: the watermark and what it means.

The watermark is PostgreSQL's snapshot of the transaction that was delivered last. A row whose
writing transaction the snapshot may not have seen has changed: also one that began earlier and was
committed later, and one that plain SQL has written.

What a snapshot lists is top-level transactions alone. A row written inside a savepoint carries the
number of the subtransaction, which no snapshot names, so that ``pg_visible_in_snapshot`` takes it
for seen although its transaction was still open. A subtransaction's number is always greater than
that of its transaction, though, and that one is not below the snapshot's xmin: so every row at or
above xmin is told. Some are told twice, which a receiver that replaces by key does not notice.

The numbers on rows have 32 bits: they are compared modulo 2^32, within fewer numbers than that.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.evidence.mark import Identity
from odoo.addons.finance_connector_base.lanes.mark import HighWater

# Numbers of transactions that may have passed: more, and very old rows look new.
MOST_PASSED = 2**31
ROUND = 2**32
# What this transaction has written itself is above its snapshot; nothing else that it sees is.
OWN = 2**20
# Where the ids of deleted rows are from, beside the watched tables and their columns.
GONE = "gone"


class FinanceExportFeed(models.Model):
    _inherit = "finance.export.feed"

    snapshot = fields.Char(
        "Receiver Has",
        readonly=True,
        copy=False,
        help="PostgreSQL's snapshot of the last delivery: what it saw, the receiver has.",
    )
    told_at = fields.Datetime("Last Told", readonly=True, copy=False)
    told_run_id = fields.Many2one(
        "finance.export.run", "Last Delivery", readonly=True, copy=False, ondelete="set null"
    )
    definition = fields.Char(readonly=True, copy=False)
    database = fields.Char(readonly=True, copy=False)
    recorders = fields.Char(readonly=True, copy=False)

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.export_id._check_reader()
        return lines

    def write(self, vals):
        self.export_id._check_reader()
        result = super().write(vals)
        self.export_id._check_reader()
        return result

    # === WHAT IS WATCHED === #

    def _recorded(self):
        """Return {table: column with the row's id} of the tables whose deletions are recorded."""
        self.ensure_one()
        feed = self.feed_id.sudo()._definition()
        if not feed.incremental or feed.model not in self.env:
            return {}
        watches = self._reading(self.sudo().env).watches()
        return {watch.table: watch.link.rpartition(".")[2] for watch in watches if watch.own}

    def _recorders_text(self):
        """Return what tells the triggers of these tables, as this transaction sees them."""
        found = self.env["finance.export.tombstone"]._recorders()
        return codec.dump({table: found.get(table) for table in sorted(self._recorded())})

    def _database_text(self):
        return str(HighWater(self.env).identity())

    def _definition_text(self, extraction):
        """Return a digest of all that decides which rows and columns the receiver gets."""
        line, env = self.sudo(), extraction.env
        export = line.export_id
        return codec.digest(
            {
                "schema": extraction.schema,
                "domain": repr(extraction.feed.domain),
                "rules": repr(env["ir.rule"]._compute_domain(extraction.feed.model, "read")),
                "companies": sorted(export.company_ids.ids),
                "user": export.user_id.id,
                "receiver": [export.connector_id.id, export.code],
                "privacy": sorted([column.name, column.privacy] for column in line.column_ids),
                "codes": [line.with_codes, line._suspense_code()],
                "mappings": sorted(answer.version_id or 0 for answer in extraction.answers),
            }
        )

    # === EVERYTHING, OR WHAT HAS CHANGED === #

    def _why_everything(self, run, extraction, marks):
        """Return why an increment is not possible, as a code; "" where it is.

        marks: definition, database and recorders as they are now.
        """
        self.ensure_one()
        if not extraction.feed.incremental:
            return "computed"
        if run.everything:
            return "asked"
        if not self.snapshot:
            return "first"
        then, now = Identity.parse(self.database), Identity.parse(marks["database"])
        if now.differs(then, *Identity._fields):
            return "elsewhere"
        if self.export_id.number_there > self.told_run_id.number:
            return "overtaken"
        if not self._counter_fits(run.snapshot):
            return "counter"
        if self.definition != marks["definition"]:
            return "definition"
        if self.recorders != marks["recorders"] or '":null' in marks["recorders"]:
            return "recorders"
        return "emptied" if self._was_emptied() else ""

    def _counter_fits(self, snapshot):
        [(former, present, first)] = self.env.execute_query(
            SQL(
                """
                SELECT pg_snapshot_xmax(former)::text::numeric,
                       pg_snapshot_xmax(present)::text::numeric,
                       pg_snapshot_xmin(former)::text::numeric
                  FROM (SELECT %s::pg_snapshot AS former, %s::pg_snapshot AS present) AS snapshots
                """,
                self.snapshot,
                snapshot,
            )
        )
        return former <= present and present - first < MOST_PASSED

    def _was_emptied(self):
        query = SQL(
            """
            SELECT 1 FROM finance_export_tombstone AS changed
             WHERE relation = ANY(%s) AND record IS NULL AND %s LIMIT 1
            """,
            list(self._recorded()),
            self._is_new(self.snapshot),
        )
        return bool(self.env.execute_query(query))

    def _is_new(self, since):
        """SQL: whether the row ``changed`` was written by what the snapshot ``since`` may not see."""
        [(first, width)] = self.env.execute_query(
            SQL(
                """
                SELECT first, pg_snapshot_xmax(pg_current_snapshot())::text::numeric - first
                  FROM (SELECT pg_snapshot_xmin(%s::pg_snapshot)::text::numeric AS first) AS since
                """,
                since,
            )
        )
        return _is_between(int(first), int(first + width) + OWN)

    def _changed(self, watches, since):
        """Write the ids of the rows that have changed or are gone to a table; return its name.

        watches: the `Watch`es of what is told. since: PostgreSQL's snapshot, as text. The table
        lives as long as the transaction, and has each id once. It may hold ids that the feed never
        had, and more than have changed; it lacks none.
        """
        self.ensure_one()
        written = f"finance_export_written_{self.id}"
        present = self._note_written(written, watches, since)
        # The planner can't know of which tables no row is new, and would join whole ones for nothing.
        found = [_records(watch, written) for watch in watches if _source(watch) in present]
        found.append(SQL("SELECT id FROM %s WHERE source = %s", SQL.identifier(written), GONE))
        name = f"finance_export_changed_{self.id}"
        self._note(
            name,
            SQL(
                "SELECT DISTINCT id FROM (%s) AS found(id) WHERE id IS NOT NULL",
                SQL(" UNION ALL ").join(found),
            ),
        )
        return name

    def _note_written(self, name, watches, since):
        """Write to a table which rows are new, each table looked through once; return its sources.

        Of watched tables the ids, as the watch has them; of those that are gone theirs.
        """
        new = self._is_new(since)
        parts = [
            SQL(
                "SELECT %s AS source, %s AS id FROM %s AS changed WHERE %s",
                f"{table}.{column}",
                SQL.identifier("changed", column),
                SQL.identifier(table),
                new,
            )
            for table, column in sorted({_place(watch) for watch in watches})
        ]
        parts.append(
            SQL(
                "SELECT %s, record FROM finance_export_tombstone AS changed"
                " WHERE relation = ANY(%s) AND record IS NOT NULL AND %s",
                GONE,
                list(self._recorded()),
                new,
            )
        )
        self._note(name, SQL(" UNION ALL ").join(parts))
        return {
            source
            for (source,) in self.env.execute_query(
                SQL("SELECT DISTINCT source FROM %s", SQL.identifier(name))
            )
        }

    def _note(self, name, query):
        """Keep the rows of a query in a table for this transaction."""
        table = SQL.identifier(name)
        self.env.cr.execute(SQL("DROP TABLE IF EXISTS %s", table))
        # Not INSERT … SELECT: only this way PostgreSQL looks at the tables in parallel.
        self.env.cr.execute(SQL("CREATE TEMPORARY TABLE %s ON COMMIT DROP AS %s", table, query))
        self.env.cr.execute(SQL("ANALYZE %s", table))


def _is_between(lowest, above):
    """SQL: whether the row ``changed`` is of a transaction from ``lowest`` on and below ``above``.

    Less than 2^32 of them. The bytes of a number, highest first, have the order that numbers of
    transactions don't have; workers may look at them (at age() they may not), and no text is made.
    """
    bounds = [number % ROUND for number in (lowest, above)]
    first, last = (SQL("%s::bytea", rf"\x{number:08x}") for number in bounds)
    return SQL(
        "(xidsend(changed.xmin) >= %s %s xidsend(changed.xmin) < %s)",
        first,
        SQL("AND") if bounds[0] < bounds[1] else SQL("OR"),
        last,
    )


def _place(watch):
    """Return (table, column) of what is noted of new rows of a watched table."""
    return watch.table, watch.link.rpartition(".")[2] if watch.own else "id"


def _source(watch):
    return ".".join(_place(watch))


def _records(watch, written):
    """SQL: ids of the rows of a feed that the new rows of a watched table belong to."""
    noted = SQL("SELECT id FROM %s WHERE source = %s", SQL.identifier(written), _source(watch))
    if watch.own:
        return noted
    return SQL(
        "SELECT linked.id FROM (%s) AS noted JOIN %s AS changed ON changed.id = noted.id"
        " CROSS JOIN LATERAL (%s) AS linked(id)",
        noted,
        SQL.identifier(watch.table),
        SQL(watch.link),  # pylint: disable=sql-injection
    )
