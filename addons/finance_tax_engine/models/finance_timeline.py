"""What the timeline tells of tax."""

from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_audit_event_story import Fact


class FinanceTimeline(models.TransientModel):
    _inherit = "finance.timeline"

    @api.model
    def _answering(self):
        _ = self.env._
        answering = super()._answering()
        answering["came_back"] |= {
            "tax.recorded": _("Recorded. %(facts)s"),
            "tax.adjusted": _("Recorded again. %(facts)s"),
            "tax.unvoided": _("Void undone. %(facts)s"),
            "tax.uncommitted": _("Taken out of the return. %(facts)s"),
            "tax.voided": _("Made void. %(facts)s"),
        }
        return answering


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _facts(self):
        _ = self.env._
        code = Fact("code", _("Code at the engine"))
        return super()._facts() | {
            **{
                f"tax.{kind}": [code, Fact("tax", _("Tax"), "money")]
                for kind in ("recorded", "adjusted", "unvoided", "uncommitted")
            },
            "tax.voided": [code],
            "tax.trued_up": [
                Fact("booked", _("Charged"), "money"),
                Fact("tax", _("Tax"), "money"),
            ],
        }

    @api.model
    def _tones(self):
        return super()._tones() | {
            "tax.recorded": "success",
            "tax.trued_up": "success",
            "tax.voided": "muted",
        }


class AccountMove(models.Model):
    _inherit = "account.move"

    def _finance_traces(self):
        """Questions about a draft belong to its story too."""
        own = self.sudo().finance_tax_document_ids.mapped("trace_id")
        return list({*super()._finance_traces(), *filter(None, own)})


class FinanceTaxDocument(models.Model):
    _name = "finance.tax.document"
    _inherit = ["finance.tax.document", "finance.timeline.mixin"]

    def _finance_timeline_of(self):
        document = self._finance_document()
        return document if hasattr(document, "_finance_traces") else self

    def _finance_traces(self):
        return list({*super()._finance_traces(), *filter(None, self.sudo().mapped("trace_id"))})
