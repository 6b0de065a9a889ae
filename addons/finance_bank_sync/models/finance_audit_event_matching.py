from odoo import api, models


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "bank.matched": _("Bank line matched"),
            "bank.unmatched": _("Match of a bank line undone"),
            "bank.policy_active": _("Bank policy approved"),
            "bank.policy_refused": _("Bank policy refused"),
            "bank.rule_approved": _("Reconciliation model approved"),
            "bank.lesson_approved": _("Learned account approved"),
            "bank.sample_signed": _("Sample of automatic matches signed"),
        }
