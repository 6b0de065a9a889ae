import hashlib
import secrets

from odoo import api, fields, models

PARAMETER = "finance_connector.metrics_token"


class FinanceMetricsToken(models.AbstractModel):
    """The token of /finance/metrics: shown once, kept as a salted hash.

    Without a table, so that what is shown is stored nowhere. A plain hash is enough for 256 random
    bits.
    """

    _name = "finance.metrics.token"
    _description = "Token of the Metrics"

    token = fields.Char(readonly=True)

    @api.model
    def _renew(self):
        """Return a new token; the old one ends."""
        token, salt = secrets.token_urlsafe(32), secrets.token_hex(16)
        self.env["ir.config_parameter"].sudo().set_param(PARAMETER, f"{salt}${_hash(salt, token)}")
        self.env["finance.audit.event"]._record("metrics.token_renewed")
        return token

    @api.model
    def _remove(self):
        """Close the metrics."""
        self.env["ir.config_parameter"].sudo().set_param(PARAMETER, False)
        self.env["finance.audit.event"]._record("metrics.token_removed")

    @api.model
    def _is_set(self):
        return bool(self.env["ir.config_parameter"].sudo().get_param(PARAMETER))

    @api.model
    def _fits(self, token):
        """Whether this is the token; takes as long for a wrong one as for the right one."""
        stored = self.env["ir.config_parameter"].sudo().get_param(PARAMETER) or ""
        salt, _, digest = stored.partition("$")
        return bool(digest) and secrets.compare_digest(_hash(salt, token), digest)


def _hash(salt, token):
    return hashlib.sha256(f"{salt}{token}".encode()).hexdigest()
