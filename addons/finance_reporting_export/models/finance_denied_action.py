from odoo import api, models


class FinanceDeniedAction(models.Model):
    _inherit = "finance.denied.action"

    @api.model
    def _actions(self):
        _ = self.env._
        return super()._actions() | {
            "export.run": _("Run, cancel or repeat an export"),
            "export.lent": _("Change an export that reads with another person's rights"),
            "statutory.check": _("Check the books for a statutory file"),
            "statutory.make": _("Write a statutory file"),
            "statutory.final": _("Make a statutory file final"),
            "statutory.reset": _("Forget a statutory file"),
            "statutory.map": _("Map what a statutory file has no code for"),
        }
