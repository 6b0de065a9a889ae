from odoo import fields, models

from .account_move_bank import GROUPS


class AccountPayment(models.Model):
    _inherit = "account.payment"

    finance_bank_line_count = fields.Integer(
        "Bank Lines", compute="_compute_finance_bank_line_count", compute_sudo=True, groups=GROUPS
    )

    def _compute_finance_bank_line_count(self):
        for payment in self:
            payment.finance_bank_line_count = payment.move_id.finance_bank_line_count

    def action_finance_bank_lines(self):
        """Open the bank lines that the payment is matched with."""
        self.ensure_one()
        self.check_access("read")
        return self.env["finance.bank.desk"]._action(self.sudo().move_id._finance_bank_lines())
