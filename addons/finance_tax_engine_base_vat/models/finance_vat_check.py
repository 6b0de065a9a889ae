from odoo import models


class FinanceVatCheck(models.Model):
    _inherit = "finance.vat.check"

    def _answered(self):
        """The newest answer decides Odoo's own field of all contacts with that number."""
        super()._answered()
        number = self.vat[2:]
        partners = self.env["res.partner"].sudo().search([("vat", "=like", f"%{number}")])
        same = partners.filtered(lambda partner: str(partner._finance_vat_number()) == self.vat)
        changed = same.filtered(lambda partner: partner.vies_valid != (self.status == "valid"))
        changed.vies_valid = self.status == "valid"
