from odoo import api, models


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "tax.recorded": _("Tax recorded at the engine"),
            "tax.voided": _("Tax made void at the engine"),
        }
