"""The engine's spelling of an address beside the one that was entered."""

from odoo import fields, models

from odoo.addons.finance_connector_base.actions import dialog

from ..canonical.tax import CORRECTED, UNKNOWN, VALID

PARTS = {"street": "line1", "street2": "line2", "city": "city", "zip": "postal_code"}


class FinanceTaxAddress(models.TransientModel):
    """Shows both addresses; a person accepts the engine's, or keeps what was entered."""

    _name = "finance.tax.address"
    _description = "Validated Address"

    partner_id = fields.Many2one("res.partner", required=True, readonly=True, ondelete="cascade")
    status = fields.Selection(
        [(VALID, "Valid"), (CORRECTED, "Spelled otherwise"), (UNKNOWN, "Not known")], readonly=True
    )
    messages = fields.Text(readonly=True)
    entered = fields.Text(readonly=True)
    has_suggestion = fields.Boolean(readonly=True)
    street = fields.Char(readonly=True)
    street2 = fields.Char(readonly=True)
    city = fields.Char(readonly=True)
    state_id = fields.Many2one("res.country.state", readonly=True)
    zip = fields.Char("ZIP", readonly=True)
    country_id = fields.Many2one("res.country", readonly=True)

    def _open(self, partner, answer):
        """Show an `AddressAnswer` beside the address of ``partner``."""
        values = {
            "partner_id": partner.id,
            "status": answer.status,
            "messages": "\n".join(answer.messages),
            "entered": partner._display_address(without_company=True).strip(),
        }
        suggestion = answer.suggestion
        if suggestion:
            country = self.env["res.country"].search([("code", "=", suggestion.country)], limit=1)
            state = self.env["res.country.state"].search(
                [("country_id", "=", country.id), ("code", "=", suggestion.region)], limit=1
            )
            values |= {name: getattr(suggestion, part) for name, part in PARTS.items()}
            values |= {"country_id": country.id, "state_id": state.id, "has_suggestion": True}
        wizard = self.create(values)
        return dialog(self.env._("Validate Address"), self._name, wizard.id)

    def action_accept(self):
        """Write the engine's spelling on the contact."""
        self.ensure_one()
        names = (*PARTS, "state_id", "country_id")
        changed = [name for name in names if self[name] != self.partner_id[name]]
        values = self._convert_to_write({name: self[name] for name in changed})
        self.partner_id.write(values)
        return self.action_keep()

    def action_keep(self):
        """The address on the contact is right as it is."""
        self.ensure_one()
        self.partner_id._finance_address_settled()
        return {"type": "ir.actions.act_window_close"}
