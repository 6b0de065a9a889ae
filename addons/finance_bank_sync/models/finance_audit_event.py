from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_audit_event_story import Fact


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "bank.imported": _("Bank statements imported"),
            "bank.refused": _("Bank file refused"),
            "bank.forced": _("Skipped bank entry entered by decision"),
            "bank.dismissed": _("Bank entry left out by decision"),
            "bank.joined": _("Bank entry joined to a line that no import made"),
            "bank.moved": _("Bank entry of a locked period entered on an open day"),
        }

    @api.model
    def _facts(self):
        _ = self.env._
        entry = [
            Fact("amount", _("Amount"), "money"),
            Fact("booking_date", _("Booked by the bank on"), "date"),
            Fact("post_date", _("Accounting date"), "date"),
        ]
        return super()._facts() | {
            "bank.imported": [
                Fact("entry_count", _("Entries")),
                Fact("created_count", _("Created")),
                Fact("skipped_count", _("Skipped")),
                Fact("held_count", _("Held")),
            ],
            "bank.refused": [Fact("code", _("Reason"))],
            "bank.forced": entry,
            "bank.dismissed": entry,
            "bank.joined": entry,
            "bank.moved": entry,
        }
