from odoo import models


class FinanceVatCheck(models.Model):
    _inherit = "finance.vat.check"

    def _answered(self):
        """The newest answer decides Odoo's own field of all contacts with that number."""
        super()._answered()
        companies = [False, *self.company_id.sudo().parent_ids.ids]
        partners = (
            self.env["res.partner"]
            .sudo()
            .search(
                # with or without prefix; a job changes no contact of another company
                [("vat", "=like", f"%{self.vat[2:]}"), ("company_id", "in", companies)]
            )
        )
        same = partners.filtered(lambda partner: str(partner._finance_vat_number()) == self.vat)
        changed = same.filtered(lambda partner: partner.vies_valid != (self.status == "valid"))
        changed.vies_valid = self.status == "valid"
