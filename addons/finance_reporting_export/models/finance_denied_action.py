from odoo import api, models


class FinanceDeniedAction(models.Model):
    _inherit = "finance.denied.action"

    @api.model
    def _actions(self):
        _ = self.env._
        return super()._actions() | {
            "export.run": _("Run, cancel or repeat an export"),
            "export.lent": _("Change an export that reads with another person's rights"),
        }
