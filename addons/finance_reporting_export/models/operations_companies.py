"""A run works for all companies of its export: what it writes of each of them is its own."""

from odoo import api, models


class ExportOperation(models.AbstractModel):
    _name = "finance.export.operation"
    _inherit = "finance.operation"
    _description = "Work on an export of several companies"

    @api.model
    def _check_company(self, job, family):
        return super()._check_company(job, {*family, *job.record.sudo().company_ids.ids})


class BuildExport(models.AbstractModel):
    _name = "finance.operation.export.build"
    _inherit = ["finance.operation.export.build", "finance.export.operation"]


class DeliverExport(models.AbstractModel):
    _name = "finance.operation.export.deliver"
    _inherit = ["finance.operation.export.deliver", "finance.export.operation"]


class ConfirmExport(models.AbstractModel):
    _name = "finance.operation.export.confirm"
    _inherit = ["finance.operation.export.confirm", "finance.export.operation"]
