"""A batch that was stopped: run again, from the run or from the exception that tells of it."""

from odoo import api, fields, models

from .finance_exception_controls import RUN_AGAIN

STOPPED = ("blocked", "failed", "overtaken")


class FinanceExportRun(models.Model):
    _inherit = "finance.export.run"

    def action_run_again(self):
        """Start a new run of the same export for the same month."""
        self.ensure_one()
        self._press(STOPPED)
        export = self.export_id
        export._check_may_run()
        run = export._start(
            why=self.env._("After %(run)s, which was stopped", run=self.name),
            period=self.period or "",
            everything=self.everything,
        )
        return run.get_formview_action()


class FinanceException(models.Model):
    _inherit = "finance.exception"

    can_export_run_again = fields.Boolean(compute="_compute_can_export_run_again")

    @api.depends("steps")
    @api.depends_context("uid")
    def _compute_can_export_run_again(self):
        for exception in self:
            exception.can_export_run_again = RUN_AGAIN in (exception.steps or ())

    def _is_possible(self, step, job):
        possible = super()._is_possible(step, job)
        if step != RUN_AGAIN:
            return possible
        return possible and self._stopped_runs().state in STOPPED

    def _stopped_runs(self):
        """Return the runs that these tell of, as far as they are there."""
        ids = self.filtered(lambda row: row.document_model == "finance.export.run")
        return self.env["finance.export.run"].sudo().browse(ids.mapped("document_id")).exists()

    # === NEXT STEPS === #

    def action_export_run_again(self):
        """Start a new run of each export; what stopped the former one is settled by its success."""
        allowed = self._allowing(RUN_AGAIN)
        runs = allowed._stopped_runs().sudo(self.env.su)
        newest = {run.export_id: run for run in runs.sorted("id")}
        actions = [run.action_run_again() for run in newest.values()]
        allowed.sudo().write({"question": "waiting"})
        allowed._note("exception.retried", user_id=self.env.uid)
        if len(actions) == 1:
            return actions[0]
        return self._told(allowed, self.env._("%(done)s run again", done=len(allowed)))
