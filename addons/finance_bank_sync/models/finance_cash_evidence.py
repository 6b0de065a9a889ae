"""Words of audit events and refusals about reconciliation statements and cash."""

from odoo import api, models


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "bank.balance_entered": _("Bank balance written down"),
            "bank.prepared": _("Bank reconciliation prepared"),
            "bank.restated": _("Bank reconciliation: another version begun"),
            "bank.reviewed": _("Bank reconciliation reviewed"),
            "bank.sent_back": _("Bank reconciliation sent back"),
            "cash.snapshot": _("Cash position kept"),
        }


class FinanceDeniedAction(models.Model):
    _inherit = "finance.denied.action"

    @api.model
    def _actions(self):
        _ = self.env._
        return super()._actions() | {
            "bank.prepare": _("Prepare a bank reconciliation"),
            "bank.review": _("Review a bank reconciliation"),
            "bank.balance": _("Write down a bank balance"),
            "cash.snapshot": _("Keep a cash position"),
        }
