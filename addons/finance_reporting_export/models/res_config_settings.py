from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    finance_export_regions = fields.Char(
        related="company_id.finance_export_regions", readonly=False
    )
    finance_lock_date = fields.Date(
        "Books Locked up to",
        compute="_compute_finance_lock_date",
        inverse="_inverse_finance_lock_date",
    )

    @api.depends("company_id")
    def _compute_finance_lock_date(self):
        for settings in self:
            settings.finance_lock_date = settings.company_id.fiscalyear_lock_date

    def _inverse_finance_lock_date(self):
        """Odoo checks a lock each time that it is written: only a new one is."""
        for settings in self:
            if settings.finance_lock_date != settings.company_id.fiscalyear_lock_date:
                settings.company_id.fiscalyear_lock_date = settings.finance_lock_date
