from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind

REBILL = "tax_rebill"
ADJUST = "tax_adjust"


class FinanceException(models.Model):
    """A tax document that was filed, or that the engine is to record again."""

    _inherit = "finance.exception"

    can_tax_rebill = fields.Boolean(compute="_compute_can_tax_life")
    can_tax_adjust = fields.Boolean(compute="_compute_can_tax_life")

    @api.depends("steps")
    def _compute_can_tax_life(self):
        for exception in self:
            exception.can_tax_rebill = REBILL in (exception.steps or ())
            exception.can_tax_adjust = ADJUST in (exception.steps or ())

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "tax.locked": ExceptionKind(
                title=_("%(connector)s has filed the tax already"),
                text=_(
                    "%(document)s was to be changed at %(connector)s, which has filed it with a tax"
                    " return and takes no change: %(answer)s. What was filed stays; it is corrected"
                    " by a credit note, which goes to the next return, and a new invoice. The button"
                    " posts the document again as it was filed, if it is a draft now, and writes"
                    " both as drafts."
                ),
                effect=_(
                    "The tax return has %(document)s as it was filed. While it is a draft, the"
                    " books have not."
                ),
                kind="business",
                severity="high",
                steps=(REBILL, "open_document", "open_job", "handle"),
                blocks_close=True,
            )
        }

    @api.model
    def _endings(self):
        _ = self.env._
        return super()._endings() | {
            "tax.recorded_again": _("The engine was told again what the books say."),
            "tax.restored": _("The document is posted again as it was filed."),
        }

    def _is_possible(self, step, job):
        """Recording again needs an engine that replaces what it has; a filed invoice is credited."""
        if not super()._is_possible(step, job):
            return False
        if step == ADJUST:
            return self._tax_document().can_record_again
        if step == REBILL:
            return self._tax_document().move_id.move_type == "out_invoice"
        return True

    def _tax_document(self):
        documents = self.env["finance.tax.document"].sudo()
        if self.document_model != "account.move":
            return documents
        return documents.search(
            [("move_id", "=", self.document_id), ("connector_id", "=", self.connector_id.id)]
        )

    def action_tax_adjust(self):
        """Put what the books say over what the engine has."""
        for exception in self:
            if not exception.can_tax_adjust:
                raise UserError(self.env._("There is nothing to record again here."))
            exception._tax_move()
            exception._tax_document().sudo(self.env.su).action_record_again()

    def action_tax_rebill(self):
        """Restore what was filed, and write the drafts that correct it."""
        self.ensure_one()
        if not self.can_tax_rebill:
            raise UserError(self.env._("There is nothing to credit here."))
        move = self._tax_move()
        if move.state == "draft":
            move.action_post()
        drafts = move._finance_tax_rebill()
        return self.env["finance.tax.true.up"]._open_moves(drafts)
