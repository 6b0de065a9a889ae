"""Why a version of a mapping is not approved."""

from odoo import fields, models

from ..actions import CLOSE


class FinanceMappingReject(models.TransientModel):
    """Asks for the reason, and gives the version back."""

    _name = "finance.mapping.reject"
    _description = "Rejection of a Mapping"

    version_id = fields.Many2one("finance.mapping.version", required=True, ondelete="cascade")
    reason = fields.Char(required=True)

    def action_confirm(self):
        """Make it a draft again, with the reason on it."""
        self.ensure_one()
        self.version_id._reject(self.reason)
        return CLOSE
