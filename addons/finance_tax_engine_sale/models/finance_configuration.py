from odoo import api, models


class FinanceConfiguration(models.AbstractModel):
    _inherit = "finance.configuration"

    @api.model
    def _sections(self):
        sections = super()._sections()
        columns = {"tax_estimate_days": "tax_estimate_days"}
        return sections | {"workflows": sections["workflows"].with_columns(columns)}
