from odoo import fields, models

GROUPS = "finance_connector_base.group_user,finance_connector_base.group_auditor"


class AccountMove(models.Model):
    _inherit = "account.move"

    finance_bank_line_count = fields.Integer(
        "Bank Lines", compute="_compute_finance_bank_line_count", compute_sudo=True, groups=GROUPS
    )

    def _compute_finance_bank_line_count(self):
        # without dependencies: reconciling must not look for forms that are open
        for move in self:
            move.finance_bank_line_count = len(move._finance_bank_lines())

    def _finance_bank_lines(self):
        """Return the bank lines that settle these documents, directly or through a payment."""
        moves = self | self._finance_settling()
        moves |= moves.filtered("origin_payment_id")._finance_settling()
        return (moves - self).statement_line_ids

    def _finance_settling(self):
        """Return the entries whose items are reconciled with those of these documents."""
        items = self.line_ids
        partials = items.matched_debit_ids | items.matched_credit_ids
        return (partials.debit_move_id | partials.credit_move_id).move_id - self

    def action_finance_bank_lines(self):
        """Open the bank lines of the document on the screen where they are worked on."""
        self.ensure_one()
        self.check_access("read")
        return self.env["finance.bank.desk"]._action(self.sudo()._finance_bank_lines())
