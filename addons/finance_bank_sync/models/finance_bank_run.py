from uuid import uuid4

from odoo import api, fields, models

from odoo.addons.finance_connector_base.lanes.kill_points import kill_point

CHUNK = 200
CHUNK_PARAMETER = "finance_bank_sync.matches_per_job"
KEEP_DAYS = 90


class FinanceBankRun(models.Model):
    """The open lines of one journal matched, in chunks that are committed one by one."""

    _name = "finance.bank.run"
    _inherit = "finance.job.mixin"
    _description = "Bank Matching Run"
    _order = "id desc"
    _rec_name = "journal_id"

    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    trace_id = fields.Char("Trace", readonly=True, copy=False, default=lambda self: uuid4().hex)
    journal_id = fields.Many2one(
        "account.journal", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    connector_id = fields.Many2one("finance.connector", readonly=True)
    user_id = fields.Many2one("res.users", "Started by", readonly=True, ondelete="set null")
    state = fields.Selection(
        [("running", "Under way"), ("done", "Done")],
        default="running",
        required=True,
        readonly=True,
    )
    started_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    finished_at = fields.Datetime(readonly=True)
    after_id = fields.Integer(readonly=True, help="The last line that was looked at.")
    rounds = fields.Integer(readonly=True)
    line_count = fields.Integer("Lines", readonly=True)
    automatic_count = fields.Integer("Matched", readonly=True)
    proposed_count = fields.Integer("Proposed", readonly=True)
    unknown_count = fields.Integer("Nothing found", readonly=True)

    _one_running = models.UniqueIndex(
        "(journal_id) WHERE state = 'running'", "One run of a journal is under way."
    )

    @api.model
    def _start(self, journals):
        """Start a run for each of ``journals`` that has none under way; return the runs."""
        busy = self.sudo().search([("journal_id", "in", journals.ids), ("state", "=", "running")])
        for run in busy:
            if not self.env["finance.job"]._unfinished(run):  # its job was cancelled
                run.write({"state": "done", "finished_at": fields.Datetime.now()})
                run.flush_recordset()
        busy = busy.filtered(lambda run: run.state == "running")
        runs = self.sudo().create(
            [
                {
                    "journal_id": journal.id,
                    "company_id": journal.company_id.id,
                    "user_id": self.env.uid,
                }
                for journal in journals - busy.journal_id
            ]
        )
        runs._enqueue("bank.match")
        return runs | busy

    def _next(self, job=None):
        """Match the next chunk of open lines; the following one is a job of its own."""
        self.ensure_one()
        if self.state == "done":
            return
        parameter = self.env["ir.config_parameter"].sudo().get_param(CHUNK_PARAMETER)
        chunk = int(parameter or CHUNK)
        lines = self._lines(chunk)
        if not lines:
            self._finish()
            return
        matches, proposals = lines._finance_match()
        kill_point("bank_matched")
        first = proposals.filtered(lambda proposal: proposal.rank == 1)
        self.write(
            {
                "after_id": lines[-1].id,
                "rounds": self.rounds + 1,
                "line_count": self.line_count + len(lines),
                "automatic_count": self.automatic_count + len(matches.line_id),
                "proposed_count": self.proposed_count
                + len(first.filtered(lambda proposal: proposal.kind != "none")),
                "unknown_count": self.unknown_count
                + len(first.filtered(lambda proposal: proposal.kind == "none")),
            }
        )
        if len(lines) < chunk:
            self._finish()
        else:
            self._enqueue("bank.match", revision=self.rounds)

    def _lines(self, limit):
        return self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal_id.id), ("is_reconciled", "=", False),
             ("state", "=", "posted"), ("id", ">", self.after_id), ("amount", "!=", 0)],
            order="id",
            limit=limit,
        )  # fmt: skip

    def _finish(self):
        """End the run, and say once a journal how many lines wait for a person."""
        self.write({"state": "done", "finished_at": fields.Datetime.now()})
        waiting = self.env["finance.bank.proposal"].search(
            [("journal_id", "=", self.journal_id.id), ("rank", "=", 1),
             ("line_id.is_reconciled", "=", False)]
        )  # fmt: skip
        unknown = waiting.filtered(lambda proposal: proposal.kind == "none")
        exceptions = self.env["finance.exception"]
        if not waiting:
            exceptions._resolve("bank.unmatched", document=self.journal_id)
            return
        exceptions._raise(
            "bank.unmatched",
            document=self.journal_id,
            company=self.company_id,
            params={
                "journal": self.journal_id.name,
                "proposed": len(waiting) - len(unknown),
                "unknown": len(unknown),
            },
        )

    def _finance_document(self):
        return self.journal_id

    @api.model
    def _cron_match(self):
        """Match all bank accounts that have open lines, in companies that use Finance Connect."""
        lines = (
            self.env["account.bank.statement.line"]
            .sudo()
            ._read_group([("is_reconciled", "=", False), ("state", "=", "posted")], ["journal_id"])
        )
        journals = self.env["account.journal"].union(*(journal for (journal,) in lines))
        for journal in journals:
            self.with_company(journal.company_id)._start(journal)

    @api.autovacuum
    def _vacuum(self):
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=KEEP_DAYS)
        self.search([("state", "=", "done"), ("finished_at", "<", limit)], limit=1000).unlink()
