from odoo import fields, models

from ..canonical.tax import Address


class ResPartner(models.Model):
    _inherit = "res.partner"

    finance_tax_exemption_ids = fields.One2many(
        "finance.tax.exemption", "partner_id", string="Tax exemptions"
    )

    def _finance_address(self):
        """Return the partner's address as a canonical `Address`."""
        return Address(
            line1=self.street or "",
            line2=self.street2 or "",
            city=self.city or "",
            region=self.state_id.code or "",
            postal_code=self.zip or "",
            country=self.country_id.code or "",
        )
