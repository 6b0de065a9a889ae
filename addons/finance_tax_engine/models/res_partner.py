from odoo import api, fields, models

from ..canonical.tax import Address


class ResPartner(models.Model):
    _inherit = "res.partner"

    finance_tax_exemption_number = fields.Char(
        "Exemption number",
        help="Number of the customer's exemption certificate; exempts everything sold to it.",
    )
    finance_tax_entity_use_code = fields.Char(
        "Entity use code",
        help="The engine's code for who the customer is or what it buys for; wins over the"
        " exemption number.",
    )

    @api.model
    def _commercial_fields(self):
        return super()._commercial_fields() + [
            "finance_tax_exemption_number",
            "finance_tax_entity_use_code",
        ]

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
