from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

# The newest answer about each number, to whatever company.
NEWEST = """
SELECT DISTINCT ON (vat) vat, status FROM finance_vat_check
 WHERE vat = ANY(%s) AND status <> 'unknown' ORDER BY vat, id DESC
"""


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.depends("vat")
    def _compute_vies_valid(self):
        """Evidence alone decides where a connector checks numbers; nobody is asked here."""
        if not self._finance_vat_has_evidence():
            return super()._compute_vies_valid()
        valid = self._finance_vat_valid()
        for partner in self:
            partner.vies_valid = partner in valid

    @api.constrains("vies_valid")
    def _check_vies_valid(self):
        """What nobody asked about can't be set by hand."""
        claimed = self.filtered("vies_valid")
        if not claimed or not self._finance_vat_has_evidence():
            return
        wrong = claimed - claimed._finance_vat_valid()
        if wrong:
            raise ValidationError(
                self.env._(
                    "No registry says that the VAT number of %(partners)s is valid. Press Check"
                    " Now on the contact instead.",
                    partners=", ".join(wrong.mapped("display_name")),
                )
            )

    @api.model
    def _finance_vat_has_evidence(self):
        """Tell whether any connector of the database checks VAT numbers."""
        workflows = self.env["finance.workflow"].sudo()
        return bool(workflows.search_count([("flow", "=", "vat")], limit=1))

    def _finance_vat_valid(self):
        """Return those partners whose number was valid when a registry last answered."""
        numbers = {partner: str(partner._finance_vat_number() or "") for partner in self}
        self.env["finance.vat.check"].flush_model()
        found = dict(self.env.execute_query(SQL(NEWEST, list(numbers.values()))))
        return self.filtered(lambda partner: found.get(numbers[partner]) == "valid")
