from odoo import api, models


class FinanceWorkflow(models.Model):
    _inherit = "finance.workflow"

    @api.model
    def _flows(self):
        return super()._flows() | {"bank": self.env._("Bank transactions")}
