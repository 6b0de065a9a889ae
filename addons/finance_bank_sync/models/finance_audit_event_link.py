from odoo import api, models


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "bank.consent_given": _("Consent given at a bank"),
            "bank.consent_ended": _("Consent of a bank ended"),
            "bank.link_made": _("Bank account linked"),
            "bank.link_paused": _("Bank link stopped"),
            "bank.link_resumed": _("Bank link started again"),
            "bank.history": _("Period of a bank account fetched"),
        }
