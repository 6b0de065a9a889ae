from odoo import api, models


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "tax.recorded": _("Tax recorded at the engine"),
            "tax.adjusted": _("Tax recorded again at the engine"),
            "tax.unvoided": _("Void undone at the engine"),
            "tax.uncommitted": _("Taken out of the tax return at the engine"),
            "tax.trued_up": _("Tax corrected to what the engine says"),
            "vat.checked": _("VAT number checked"),
            "tax.voided": _("Tax made void at the engine"),
        }

    @api.model
    def _detail_labels(self):
        _ = self.env._
        return super()._detail_labels() | {
            "vat": _("VAT number"),
            "consultation": _("Consultation number"),
            "name": _("Name returned"),
            "address": _("Address returned"),
            "answer": _("Answer"),
        }


class FinanceRetentionRule(models.Model):
    _inherit = "finance.retention.rule"

    @api.model
    def _detailed_kinds(self):
        return [*super()._detailed_kinds(), "vat.checked"]
