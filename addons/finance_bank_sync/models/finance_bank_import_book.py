"""Bank lines from what is new, in chunks."""

from odoo import fields, models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.lanes.kill_points import kill_point

# How many lines are created in one transaction, where nothing else is set.
CHUNK, CHUNK_PARAMETER = 400, "finance_bank_sync.lines_per_job"
COUNTED = {
    "created": "created_count",
    "skipped": "skipped_count",
    "pending": "pending_count",
    "information": "information_count",
    "held": "held_count",
    "received": "waiting_count",
}


class FinanceBankImport(models.Model):
    _inherit = "finance.bank.import"

    # === JOBS === #

    def _read_all(self, job):
        """The first job: everything that is told, and what of it is new, in one transaction."""
        self.env["finance.bank.turn"]._take(self.journal_ids)
        self._stage()
        self._decide()
        self._go_on()

    def _book_next(self, job):
        """Each further job: one chunk of lines; the last one, with nothing left, is the end.

        The end has a transaction of its own: it touches what other imports of the journal touch
        too, and where it has to be repeated for that, no lines are made anew.
        """
        job._progress(self.entry_count - self.waiting_count, self.entry_count)
        entries = self._next_entries()
        if entries:
            entries._book()
            kill_point("bank_created")
            self._go_on()
            return
        self.env["finance.bank.turn"]._take(self.journal_ids)
        self._finish()

    def _next_entries(self):
        parameter = self.env["ir.config_parameter"].sudo().get_param(CHUNK_PARAMETER)
        ids = self.env.execute_query(
            SQL(
                """
                SELECT id FROM finance_bank_entry WHERE import_id = %s AND state = 'received'
                 ORDER BY journal_id, post_date, bank_statement_id, position, share LIMIT %s
                """,
                self.id,
                int(parameter or CHUNK),
            )
        )
        return self.env["finance.bank.entry"].browse(row[0] for row in ids)

    def _go_on(self):
        """Count, and see to what follows."""
        self._count()
        self.rounds += 1
        self._enqueue("bank.book", revision=lambda row: row.rounds, priority=20)

    def _count(self):
        """Write down how many entries are in which state."""
        self.env["finance.bank.entry"].flush_model(["state"])
        for row in self:
            found = dict(
                self.env.execute_query(
                    SQL(
                        "SELECT state, count(*) FROM finance_bank_entry WHERE import_id = %s"
                        " GROUP BY 1",
                        row.id,
                    )
                )
            )
            counts = {name: found.get(state, 0) for state, name in COUNTED.items()}
            row.write(counts | {"entry_count": sum(found.values())})

    def _finish(self):
        """The end: what is odd becomes exceptions, what was odd and is settled closes."""
        self.write({"state": "done", "finished_at": fields.Datetime.now()})
        self._tell_exceptions()
        for journal in self.journal_ids:
            self.env["finance.bank.statement"]._check_continuity(journal, self.statement_ids)
        self.env["finance.audit.event"]._record(
            "bank.imported", self, trace_id=self.trace_id, data=self._counted()
        )
        self._finished()
        self._tell_user()

    def _finished(self):
        """Called once an import is over: what is new is matched in the background."""
        if self.created_count:
            self.env["finance.bank.run"]._start(self.journal_ids)

    def _counted(self):
        """Return what an auditor asks of an import: digest and counts."""
        counts = {name: self[name] for name in ("entry_count", *COUNTED.values()) if self[name]}
        return {"digest": self.digest, "source": self.source, **counts}

    def _joined_count(self):
        """Return how many entries are lines that no import made."""
        query = SQL(
            "SELECT count(*) FROM finance_bank_entry"
            " WHERE import_id = %s AND state = 'created' AND reason ->> 'code' = 'joined'",
            self.id,
        )
        return self.env.execute_query(query)[0][0]

    def _tell_user(self):
        joined = self._joined_count()
        words = {"created": self.created_count - joined, "skipped": self.skipped_count}
        message = self.env._("%(created)s lines imported, %(skipped)s told before", **words)
        if joined:
            message += " " + self.env._("%(joined)s were entered by hand before", joined=joined)
        if self.held_count:
            message += " " + self.env._("%(held)s wait for a decision", held=self.held_count)
        self.user_id._bus_send(
            "simple_notification",
            {
                "type": "warning" if self.held_count else "success",
                "title": self.name,
                "message": message,
                "sticky": bool(self.held_count),
            },
        )
