from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ..fields import WeakMany2one
from ..lanes.link import link_of


class FinanceToken(models.Model):
    """The access and refresh token of a connector in one environment (OAuth 2).

    Written by the tokens port on its own connection; Odoo shows the dates and erases. Without a
    foreign key, and of one database only: a copy starts without tokens, because renewing them
    there would take them away from the original.
    """

    _name = "finance.token"
    _inherit = ["finance.weak.mixin", "finance.sealed.mixin"]
    _description = "Token"
    _log_access = False
    _sealed_parts = {"token_sealed": "token"}
    _rec_name = "connector_id"

    uuid = fields.Char("UUID", readonly=True, help="A new one for every token")
    connector_id = WeakMany2one("finance.connector", required=True, readonly=True)
    environment = fields.Selection(
        lambda self: self.env["finance.connector"]._fields["environment"].selection,
        required=True,
        readonly=True,
    )
    database_oid = fields.Char("Database OID", readonly=True)
    token_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    renewed_at = fields.Datetime("Last renewed", readonly=True)
    renew_at = fields.Datetime("To be renewed", readonly=True)
    ends_at = fields.Datetime(
        "Sign in again before", readonly=True, help="End of the refresh token or of the consent."
    )
    signed_in_at = fields.Datetime(readonly=True)
    signed_in_by_id = WeakMany2one("res.users", "Signed in by", readonly=True)

    _one_per_environment = models.Constraint(
        "UNIQUE (connector_id, environment)", "A connector has one token per environment."
    )

    @api.model
    def _of(self, connectors):
        """Return {connector id: row} for the environments that ``connectors`` are in."""
        rows = self.sudo().search([("connector_id", "in", connectors.ids)])
        return {
            row.connector_id.id: row
            for row in rows
            if row.environment == row.connector_id.environment
        }

    @api.model
    def _forget(self, connectors, environment=None):
        """Erase the tokens of ``connectors``, in one environment or in all."""
        rows = self.sudo().search([("connector_id", "in", connectors.ids)])
        rows.filtered(lambda row: environment in (None, row.environment)).unlink()

    @api.model
    def _reseal(self, limit) -> int:
        """Seal up to ``limit`` tokens again with the first key of the ring; return how many.

        On the own connection and only in place of what was read: a lock held until our commit
        would keep a renewed token from being stored.
        """
        vault, link = self.env["finance.vault"]._vault(), link_of(self.env)
        stale = self._sealed_with("token_sealed", vault.older_heads())
        query = SQL(
            "SELECT id, uuid, token_sealed FROM finance_token WHERE %s LIMIT %s", stale, limit
        )
        rows = link.execute(query.code, query.params)
        for row_id, uuid, sealed in rows:
            link.execute(
                "UPDATE finance_token SET token_sealed = %s WHERE id = %s AND uuid = %s",
                (vault.reseal(bytes(sealed), self._name, uuid, "token"), row_id, uuid),
            )
        return len(rows)
