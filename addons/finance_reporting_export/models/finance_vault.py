from odoo import api, models


class FinanceVault(models.AbstractModel):
    _inherit = "finance.vault"

    @api.model
    def _resealed_models(self):
        return [*super()._resealed_models(), "finance.export.file"]
