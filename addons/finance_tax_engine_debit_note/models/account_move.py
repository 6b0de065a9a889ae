from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _finance_tax_corrected(self):
        """Return what a debit note adds to: its tax date, exemption and engine count."""
        corrected = super()._finance_tax_corrected()
        if corrected or self.move_type != "out_invoice":
            return corrected
        return self.debit_origin_id
