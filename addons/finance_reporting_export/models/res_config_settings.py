from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    finance_export_regions = fields.Char(
        related="company_id.finance_export_regions", readonly=False
    )
