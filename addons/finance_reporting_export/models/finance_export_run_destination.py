"""Where a run may go is looked at once more, right before anything is sent."""

from odoo import models


class FinanceExportRun(models.Model):
    _inherit = "finance.export.run"

    def _openable(self, delivery):
        run = self.sudo()
        run.connector_id._check_regions(run.company_ids)
        return super()._openable(delivery)
