from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .finance_timeline_mixin import OF_QUESTION, RANKS


class ResPartner(models.Model):
    """A partner tells what happened to the documents with them, and may be under a legal hold."""

    _name = "res.partner"
    _inherit = ["res.partner", "finance.timeline.mixin"]

    def _finance_places(self):
        """The invoices and payments with a partner that the reader may read."""
        places = super()._finance_places()
        for model, field in self._finance_partner_fields().items():
            if self.env[model].has_access("read"):
                places[model] = self.env[model]._search([(field, "child_of", self.ids)])
        return places

    def _finance_partner_fields(self):
        """Return {model: field that names the partner} of documents. Addons extend it."""
        return {"account.move": "partner_id", "account.payment": "partner_id"}

    def _finance_situations(self):
        """What is open with a partner: asked whenever a partner is opened, so of exceptions only."""
        exceptions = self.env["finance.exception"]
        if not exceptions.has_access("read"):
            return {}
        situations = dict.fromkeys(self.ids, "calm")
        found = exceptions._read_group(
            Domain("partner_id", "in", self.ids) & Domain("state", "=", "open"),
            ["partner_id", "question"],
        )
        for partner, question in found:
            key = OF_QUESTION.get(question, question)
            situations[partner.id] = min(situations[partner.id], key, key=RANKS.__getitem__)
        return situations

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_held(self):
        """Refuse to delete a contact that a legal hold names."""
        holds = self.env["finance.legal.hold"]._in_force()._naming(self)
        if holds:
            raise UserError(
                self.env._(
                    "This contact is under a legal hold and must be kept: %(holds)s. A controller"
                    " lifts it under Finance Connect / Evidence.",
                    holds=", ".join(holds.mapped("display_name")),
                )
            )
