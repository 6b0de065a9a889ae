from odoo import api, fields, models
from odoo.tools import SQL


class FinanceCredentialRotate(models.TransientModel):
    _name = "finance.credential.rotate"
    _description = "New Value of a Credential"

    credential_id = fields.Many2one("finance.credential", required=True, ondelete="cascade")
    connector_id = fields.Many2one(related="credential_id.connector_id")
    hint = fields.Char("In use", related="credential_id.hint")
    value = fields.Char("New value", compute="_compute_value", inverse="_inverse_value")
    expires_on = fields.Date()

    def init(self):
        # a transient record is a table row too: the value is sealed in it
        self.env.cr.execute(
            "ALTER TABLE finance_credential_rotate ADD COLUMN IF NOT EXISTS sealed bytea"
        )

    def _compute_value(self):
        self.value = ""

    def _inverse_value(self):
        """Nothing to do: `create` and `write` take the value out before the ORM sees it."""

    @api.model_create_multi
    def create(self, vals_list):
        values = [vals.get("value") for vals in vals_list]
        wizards = super().create([_without_value(vals) for vals in vals_list])
        for wizard, value in zip(wizards, values, strict=True):
            wizard._keep(value)
        return wizards

    def write(self, vals):
        self.check_access("write")
        result = super().write(_without_value(vals)) if _without_value(vals) else True
        if "value" in vals:
            for wizard in self:
                wizard._keep(vals["value"])
        return result

    def action_rotate(self):
        """Keep the new value beside the old one and test the connector with it."""
        self.ensure_one()
        credential = self.credential_id
        credential.check_access("write")
        credential.value = self._take()
        if self.expires_on:
            credential.expires_on = self.expires_on
        if credential.environment != credential.connector_id.environment:
            return {"type": "ir.actions.act_window_close"}
        return credential.connector_id.action_test()

    def _keep(self, value):
        sealed = None
        if value:
            vault = self.env["finance.vault"]._vault()
            sealed = vault.seal(value.encode(), self._name, str(self.id))
        self._write_sealed(sealed)

    def _take(self):
        """Return the value and forget it."""
        [(sealed,)] = self.env.execute_query(
            SQL("SELECT sealed FROM finance_credential_rotate WHERE id = %s", self.id)
        )
        self._write_sealed(None)
        if sealed is None:
            return ""
        vault = self.env["finance.vault"]._vault()
        return vault.open(bytes(sealed), self._name, str(self.id)).decode()

    def _write_sealed(self, sealed):
        self.env.execute_query(
            SQL(
                "UPDATE finance_credential_rotate SET sealed = %s WHERE id = %s RETURNING id",
                sealed,
                self.id,
            )
        )


def _without_value(vals):
    return {name: value for name, value in vals.items() if name != "value"}
