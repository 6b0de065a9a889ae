from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_configuration_column import same


class FinanceConfiguration(models.AbstractModel):
    _inherit = "finance.configuration"

    @api.model
    def _sections(self):
        sections = super()._sections()
        columns = same("tax_estimate_days", "tax_on_send", "tax_on_confirm", "tax_on_portal")
        return sections | {"workflows": sections["workflows"].with_columns(columns)}
