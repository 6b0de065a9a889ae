"""What the list and the form of an export show beside its own fields."""

from odoo import fields, models

from odoo.addons.finance_connector_base.actions import listing

from .finance_export_run import STATES


class FinanceExport(models.Model):
    _inherit = "finance.export"

    run_count = fields.Integer("Number of Runs", compute="_compute_last_run")
    last_run_id = fields.Many2one("finance.export.run", compute="_compute_last_run")
    last_state = fields.Selection(STATES, "Last State", compute="_compute_last_run")
    last_begun_at = fields.Datetime("Last Begun", compute="_compute_last_run")

    def _compute_last_run(self):
        groups = self.env["finance.export.run"]._read_group(
            [("export_id", "in", self.ids)], ["export_id"], ["__count", "id:max"]
        )
        told = {export.id: (count, last) for export, count, last in groups}
        for export in self:
            export.run_count, export.last_run_id = told.get(export.id, (0, False))
            export.last_state = export.last_run_id.state
            export.last_begun_at = export.last_run_id.begun_at

    def action_open_runs(self):
        """List the runs of the export."""
        self.ensure_one()
        return listing(
            self.env._("Runs of %(export)s", export=self.name),
            "finance.export.run",
            [("export_id", "=", self.id)],
            view_mode="list,form,graph",
        )
