import hashlib
from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.fields import NO_ACCESS

from ..fields import WeakMany2one
from ..lanes.link import link_of
from ..providers.oauth import OPERATION, new_secret

MINUTES = 15
REDIRECT_PATH = "/finance/oauth/callback"

# Of two answers with one state only one gets the row; it is gone whatever happens next.
CLAIM = """
    DELETE FROM finance_sign_in
     WHERE state_digest = %s AND user_id = %s AND begun_at > now() AT TIME ZONE 'UTC' - %s
 RETURNING uuid, connector_id, environment, redirect_url, verifier_sealed
"""


class FinanceSignIn(models.Model):
    """A sign-in under way: somebody was sent to a vendor and has not come back yet.

    Found by the state that the browser brings back, of which only a digest stands here; for the
    user who began, once, and for a short time.
    """

    _name = "finance.sign.in"
    _inherit = ["finance.weak.mixin"]
    _description = "Sign-In Under Way"
    _log_access = False
    _rec_name = "connector_id"

    uuid = fields.Char("UUID", readonly=True)
    state_digest = fields.Char(readonly=True, index=True)
    connector_id = WeakMany2one("finance.connector", required=True, readonly=True)
    environment = fields.Char(readonly=True)
    user_id = WeakMany2one("res.users", readonly=True)
    redirect_url = fields.Char(readonly=True)
    verifier_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    begun_at = fields.Datetime(readonly=True)

    @api.model
    def _redirect_url(self):
        """Return the address to which vendors send the browser back."""
        return f"{self.get_base_url()}{REDIRECT_PATH}"

    @api.model
    def _begin(self, connector, client) -> str:
        """Note that the user goes to sign ``connector`` in; return the vendor's address to go to.

        client: `oauth.Client` of the connector.
        """
        uuid, state, verifier = str(uuid4()), new_secret(), new_secret()
        vault = self.env["finance.vault"]._vault()
        redirect_url = self._redirect_url()
        self.sudo().create(
            {
                "uuid": uuid,
                "state_digest": _digest(state),
                "connector_id": connector.id,
                "environment": connector.environment,
                "user_id": self.env.uid,
                "redirect_url": redirect_url,
                "verifier_sealed": vault.seal(verifier.encode(), self._name, uuid, "verifier"),
                "begun_at": fields.Datetime.now(),
            }
        )
        return client.authorization_url(redirect_url, state, verifier)

    @api.model
    def _claim(self, state):
        """Take the sign-in that ``state`` belongs to, once and for all.

        Return (connector, redirect URL, verifier), or None: no such state of this user, used
        before, begun too long ago, or for another environment than the connector is in now.
        """
        rows = link_of(self.env, durable=False).execute(
            CLAIM, (_digest(state), self.env.uid, timedelta(minutes=MINUTES))
        )
        for uuid, connector_id, environment, redirect_url, sealed in rows:
            connector = self.env["finance.connector"].browse(connector_id).exists()
            if connector.environment != environment:
                break
            vault = self.env["finance.vault"]._vault()
            verifier = vault.open(bytes(sealed), self._name, uuid, "verifier").decode()
            return connector, redirect_url, verifier
        foreign = self.sudo().search([("state_digest", "=", _digest(state))])
        if foreign.user_id.id not in (False, self.env.uid):
            self.env["finance.denied.action"]._deny(
                "connector.sign_in", "user", foreign.connector_id
            )
        return None

    @api.autovacuum
    def _vacuum(self):
        """Forget who never came back."""
        self.env.cr.execute(
            "DELETE FROM finance_sign_in WHERE begun_at < now() AT TIME ZONE 'UTC' - interval '1 day'"
        )


class SignInOperation(models.AbstractModel):
    """What the exchanges with a token endpoint are called; no job runs it."""

    _name = f"finance.operation.{OPERATION}"
    _inherit = "finance.operation"
    _description = "Sign in at the vendor"


def _digest(state):
    return hashlib.sha256((state or "").encode()).hexdigest()
