from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind

VERIFY = "tax_verify"
REPOST = "tax_repost"


class FinanceException(models.Model):
    _inherit = "finance.exception"

    can_tax_verify = fields.Boolean(compute="_compute_can_tax")
    can_tax_repost = fields.Boolean(compute="_compute_can_tax")

    @api.depends("steps")
    def _compute_can_tax(self):
        for exception in self:
            exception.can_tax_verify = VERIFY in (exception.steps or ())
            exception.can_tax_repost = REPOST in (exception.steps or ())

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "tax.rejected": ExceptionKind(
                title=_("%(connector)s refuses to record the tax"),
                text=_(
                    "%(document)s is posted, but %(connector)s does not take it: %(answer)s. Reset"
                    " the document to draft, correct what is named, and post it again; or correct"
                    " the account at %(connector)s and try again."
                ),
                effect=_(
                    "The books are right. %(document)s is missing from the tax return until"
                    " %(connector)s has recorded it."
                ),
                kind="business",
                severity="high",
                steps=("open_document", "retry", "done_outside", "open_job"),
                blocks_close=True,
            ),
            "tax.void_rejected": ExceptionKind(
                title=_("%(connector)s refuses to make the tax void"),
                text=_(
                    "%(document)s is no longer posted, but %(connector)s keeps it: %(answer)s. What"
                    " was reported to a tax authority can't be taken back: post the document again"
                    " unchanged and correct it with a credit note."
                ),
                effect=_("The tax return has %(document)s, the books have not."),
                kind="business",
                severity="high",
                steps=("open_document", "retry", "done_outside", "open_job"),
                blocks_close=True,
            ),
            "tax.mismatch": ExceptionKind(
                title=_("Tax differs between the books and %(connector)s"),
                text=_(
                    "%(document)s: the journal has %(booked)s of tax, %(connector)s says"
                    " %(engine)s. Where the books are right, have it recorded again. Where the engine"
                    " is, and keeps to it, correct the tax: by a document for the difference, or at"
                    " the company's cost. If the customer has not got the document yet, it can be"
                    " posted again instead."
                ),
                effect=_("The tax return and the ledger differ by %(amount)s."),
                kind="business",
                severity="high",
                steps=("tax_adjust", "tax_settle", REPOST, "open_document", "handle"),
                blocks_close=True,
            ),
            "tax.fallback": ExceptionKind(
                title=_("Posted with the fallback rate"),
                text=_(
                    "%(document)s was posted while %(connector)s did not answer. Last known:"
                    " %(message)s. It is asked again by itself: where it says the same tax, the"
                    " document is recorded; where it says another, you will be asked how to"
                    " correct it."
                ),
                effect=_(
                    "Invoice is posted with the fallback rate; nothing is recorded at"
                    " %(connector)s."
                ),
                kind="business",
                severity="high",
                steps=(VERIFY, REPOST, "open_document", "open_connector", "handle"),
                blocks_close=True,
            ),
        }

    @api.model
    def _endings(self):
        _ = self.env._
        return super()._endings() | {
            "tax.confirmed": _("The engine says the same tax, and the document is being recorded."),
            "tax.withdrawn": _(
                "The document was reset to draft; posting it asks the engine again."
            ),
        }

    def action_tax_verify(self):
        """Ask the engine about invoices that were posted with the fallback rate."""
        for exception in self:
            if not exception.can_tax_verify:
                raise UserError(self.env._("There is nothing to ask the tax engine here."))
            move = exception._tax_move()
            documents = move.sudo().finance_tax_document_ids.filtered(
                lambda document, row=exception: document.connector_id == row.connector_id
            )
            documents.sudo(self.env.su).action_verify()

    def action_tax_repost(self):
        """Reset invoices to draft and post them again at once, with the engine's tax."""
        for exception in self:
            if not exception.can_tax_repost:
                raise UserError(self.env._("This document needs not be posted again."))
            move = exception._tax_move()
            move.button_draft()
            move.action_post()

    def _tax_move(self):
        """Return the invoice that the exception is about, which the user may change."""
        move = self.env["account.move"].browse(
            self.document_id if self.document_model == "account.move" else []
        )
        if not move.exists():
            raise UserError(self.env._("The document is deleted."))
        move.check_access("write")
        return move
