from odoo import models


class AccountPayment(models.Model):
    """A payment tells what happened to it."""

    _name = "account.payment"
    _inherit = ["account.payment", "finance.timeline.mixin"]

    def _finance_places(self):
        entries = self.exists().move_id.ids
        return super()._finance_places() | {"account.move": entries}
