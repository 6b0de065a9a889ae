"""What jobs do with exports: write a batch, deliver it, ask whether it was taken."""

from odoo import models


class BuildExport(models.AbstractModel):
    _name = "finance.operation.export.build"
    _inherit = "finance.operation"
    _description = "Write an export"

    effect = "local"

    def _apply(self, job, result):
        job.record._build(job)
