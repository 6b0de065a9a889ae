from odoo import api, models

# What a write must touch to change the tax of an invoice.
TAXED = {
    "company_id",
    "currency_id",
    "fiscal_position_id",
    "invoice_date",
    "invoice_line_ids",
    "journal_id",
    "line_ids",
    "partner_id",
    "partner_shipping_id",
}


class AccountMove(models.Model):
    """A saved draft is brought up to date when Odoo is through with it."""

    _inherit = "account.move"

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        moves._finance_tax_saved()
        return moves

    def write(self, vals):
        result = super().write(vals)
        if TAXED & vals.keys():
            self._finance_tax_saved()
        return result
