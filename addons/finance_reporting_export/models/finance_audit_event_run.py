from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_audit_event_story import Fact


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "export.started": _("Export started"),
            "export.written": _("Export written"),
            "export.blocked": _("Export stopped: incomplete"),
            "export.failed": _("Export stopped"),
            "export.overtaken": _("Export stopped: the receiver is ahead"),
            "export.sent": _("Export sent"),
            "export.sent_again": _("Export sent again by hand"),
            "export.refused": _("Export refused by its receiver"),
            "export.delivered": _("Export delivered"),
            "export.cancelled": _("Export cancelled"),
        }

    @api.model
    def _facts(self):
        _ = self.env._
        which = [Fact("export", _("Export")), Fact("number", _("Number"))]
        return super()._facts() | {
            "export.started": [
                Fact("export", _("Export")),
                Fact("why", _("Reason")),
                Fact("period", _("Period")),
            ],
            "export.written": [*which, Fact("rows", _("Rows")), Fact("files", _("Files"))],
            "export.blocked": [Fact("export", _("Export"))],
            "export.failed": [Fact("export", _("Export"))],
            "export.overtaken": [Fact("export", _("Export"))],
            "export.sent": [*which, Fact("sent", _("Files")), Fact("bytes", _("Bytes"))],
            "export.sent_again": which,
            "export.refused": which,
            "export.delivered": [*which, Fact("rows", _("Rows"))],
            "export.cancelled": which,
        }
