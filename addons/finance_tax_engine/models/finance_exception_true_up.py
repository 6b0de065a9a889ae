from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind

from .finance_exception import REPOST

SETTLE = "tax_settle"


class FinanceException(models.Model):
    """Tax that was charged without the engine, and is another one by the engine."""

    _inherit = "finance.exception"

    can_tax_settle = fields.Boolean(compute="_compute_can_tax_settle")

    @api.depends("steps")
    def _compute_can_tax_settle(self):
        for exception in self:
            exception.can_tax_settle = SETTLE in (exception.steps or ())

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "tax.true_up": ExceptionKind(
                title=_("Posted without %(connector)s, which says another tax"),
                text=_(
                    "%(document)s went to the customer with %(sent)s %(money)s, of it %(booked)s of"
                    " tax. %(connector)s says %(engine)s: %(parts)s. Proposed: %(proposal)s. The"
                    " correction is written as a draft for you to post; if the customer has not got"
                    " the document yet, it can be posted again instead."
                ),
                effect=_(
                    "The books and the tax that is due differ by %(amount)s; nothing is recorded at"
                    " %(connector)s until it is settled."
                ),
                kind="business",
                severity="high",
                steps=(SETTLE, REPOST, "open_document", "open_connector", "handle"),
                blocks_close=True,
            )
        }

    @api.model
    def _endings(self):
        _ = self.env._
        return super()._endings() | {
            "tax.differs": _("The engine was asked: it says another tax, which is to be settled."),
            "tax.offset": _("Invoice and credit note cancel each other; neither is recorded."),
            "tax.trued_up": _("The correction is posted, and the engine told."),
        }

    def _words(self, job):
        words = super()._words(job)
        if self.code == "tax.true_up":
            ways = dict(
                self.env["finance.tax.true.up"]._fields["proposal"]._description_selection(self.env)
            )
            words["proposal"] = ways.get(words.get("way"), "–")
        return words

    def action_tax_settle(self):
        """Open the step that corrects the tax, or its drafts."""
        self.ensure_one()
        if not self.can_tax_settle:
            raise UserError(self.env._("There is nothing to correct here."))
        documents = self._tax_move().finance_tax_document_ids
        true_up = documents.true_up_ids.filtered(lambda row: row.state in ("open", "drafted"))
        if not true_up:
            raise UserError(
                self.env._(
                    "%(document)s can't be corrected by the tax alone: the engine does not say which"
                    " authority gets how much, or the prices include the tax. Post the document"
                    " again with the engine's tax.",
                    document=self._tax_move().display_name,
                )
            )
        return true_up[:1].action_settle()
