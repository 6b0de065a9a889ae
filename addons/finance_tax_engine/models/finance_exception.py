from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.models.finance_exception import ExceptionKind

VERIFY = "tax_verify"


class FinanceException(models.Model):
    _inherit = "finance.exception"

    can_tax_verify = fields.Boolean(compute="_compute_can_tax_verify")

    @api.depends("steps")
    def _compute_can_tax_verify(self):
        for exception in self:
            exception.can_tax_verify = VERIFY in (exception.steps or ())

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
                    " %(engine)s. Reset the document to draft, compute the tax again and post it;"
                    " or settle the difference with the engine's support."
                ),
                effect=_("The tax return and the ledger differ by %(amount)s."),
                kind="business",
                severity="high",
                steps=("open_document", "handle"),
                blocks_close=True,
            ),
            "tax.fallback": ExceptionKind(
                title=_("Posted with the fallback rate"),
                text=_(
                    "%(connector)s did not answer when %(document)s was posted: %(message)s. Ask it"
                    " now: where it says the same tax, the document is recorded. Where it says"
                    " another, reset the document to draft and post it again."
                ),
                effect=_(
                    "Invoice is posted with the fallback rate; nothing is recorded at"
                    " %(connector)s."
                ),
                kind="business",
                severity="high",
                steps=(VERIFY, "open_document", "open_connector", "handle"),
                blocks_close=True,
            ),
        }

    def action_tax_verify(self):
        """Ask the engine about invoices that were posted with the fallback rate."""
        for exception in self:
            if not exception.can_tax_verify or exception.document_model != "account.move":
                raise UserError(self.env._("There is nothing to ask the tax engine here."))
            move = self.env["account.move"].browse(exception.document_id)
            move.sudo().finance_tax_document_ids.filtered(
                lambda document, row=exception: document.connector_id == row.connector_id
            ).sudo(self.env.su).action_verify()
