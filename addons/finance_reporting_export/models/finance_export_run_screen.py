"""What the form of a run shows beside its own fields."""

from odoo import api, fields, models
from odoo.tools import SQL, format_list

from odoo.addons.finance_connector_base.actions import listing


class FinanceExportRun(models.Model):
    _inherit = "finance.export.run"

    progress = fields.Float("Progress (%)", compute="_compute_progress")
    exception_count = fields.Integer("To Decide", compute="_compute_counts")
    restatement_count = fields.Integer("Restatements", compute="_compute_counts")
    stop_words = fields.Char("Why it Stopped", compute="_compute_stop_words")

    @api.depends("state")
    def _compute_progress(self):
        """How many of the files are written, as the job tells while it works."""
        self.env["finance.job"].flush_model(["res_model", "res_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT job.res_id, 100.0 * max(told.done) / NULLIF(max(told.total), 0)
                  FROM finance_job AS job JOIN finance_job_progress AS told ON told.job_id = job.id
                 WHERE job.res_model = %s AND job.res_id = ANY(%s) GROUP BY job.res_id
                """,
                self._name,
                self.ids,
            )
        )
        told = dict(rows)
        for run in self:
            over = run.state not in ("waiting", "building", "cancelled")
            run.progress = 100.0 if over else float(told.get(run.id) or 0.0)

    def _compute_counts(self):
        exceptions = self._exceptions_by_run()
        restated = dict(
            self.env["finance.export.restatement"]._read_group(
                [("run_id", "in", self.ids)], ["run_id"], ["__count"]
            )
        )
        for run in self:
            run.exception_count = exceptions.get(run.id, 0)
            run.restatement_count = restated.get(run, 0)

    def _exceptions_by_run(self):
        groups = self.env["finance.exception"]._read_group(
            [*self._exceptions_domain(), ("document_id", "in", self.ids)],
            ["document_id"],
            ["__count"],
        )
        return dict(groups)

    def _exceptions_domain(self):
        return [("document_model", "=", self._name), ("state", "=", "open")]

    @api.depends("state", "finding_ids.blocks", "total_ids.state")
    @api.depends_context("lang")
    def _compute_stop_words(self):
        for run in self:
            run.stop_words = run._why_stopped()

    def _why_stopped(self):
        if self.state == "blocked":
            blocking = self.finding_ids.filtered("blocks").mapped("title")
            return self.env._(
                "Nothing was delivered, because of: %(what)s. Put it right under Completeness, "
                "then press Run Again.",
                what=format_list(self.env, blocking),
            )
        if self.state == "overtaken":
            return self.env._(
                "Nothing was sent: the receiver has batch %(there)s already, which this database"
                " does not know. It was restored, or another one fills the same place. If the"
                " receiver shall follow this database, press Run Again: it tells everything.",
                there=self.export_id.sudo().number_there,
            )
        if self.state != "failed":
            return False
        different = self.total_ids.filtered(lambda total: total.state == "differs")
        if not different:
            return self.env._("It could not be written. The exception says why.")
        return self.env._(
            "Nothing was delivered: %(count)s totals of the file are not those of the ledger. See "
            "them under Totals, and press Run Again.",
            count=len(different),
        )

    # === BUTTONS === #

    def action_open_exceptions(self):
        """List what is to be decided about the run."""
        self.ensure_one()
        return listing(
            self.env._("Exceptions"),
            "finance.exception",
            [*self._exceptions_domain(), ("document_id", "=", self.id)],
        )

    def action_open_restatements(self):
        """List the final months that the run has told anew."""
        self.ensure_one()
        return listing(
            self.env._("Restatements"),
            "finance.export.restatement",
            [("run_id", "=", self.id)],
        )
