from odoo import api, models


class FinanceDeniedAction(models.Model):
    _inherit = "finance.denied.action"

    @api.model
    def _actions(self):
        _ = self.env._
        return super()._actions() | {
            "bank.lesson": _("Decide on what was learned from bank matches"),
            "bank.match": _("Match bank lines"),
            "bank.policy": _("Change a bank policy"),
            "bank.rule": _("Approve a reconciliation model"),
            "bank.sample": _("Sign a sample of automatic matches"),
        }
