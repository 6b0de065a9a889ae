from odoo import models


class ValidateAccountMove(models.TransientModel):
    """Odoo's questions before posting, asked for *Post with Tax* too."""

    _inherit = "validate.account.move"

    def validate_move(self):
        """Post what the person has chosen, and list what can't be posted instead of stopping."""
        batch = self.env["finance.tax.batch"]
        if not self.env.context.get("finance_tax_batch"):
            return super().validate_move()
        if self.ignore_abnormal_amount:
            self.abnormal_amount_partner_ids.ignore_abnormal_invoice_amount = True
        if self.ignore_abnormal_date:
            self.abnormal_date_partner_ids.ignore_abnormal_invoice_date = True
        if self.force_post:
            self.move_ids.auto_post = "no"
        moves = self.move_ids
        if not self.force_hash:
            moves = moves.filtered(lambda move: not move.restrict_mode_hash_table)
        return batch._post_moves(moves, soft=not self.force_post)
