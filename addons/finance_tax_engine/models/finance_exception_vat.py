from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind


class FinanceException(models.Model):
    _inherit = "finance.exception"

    @api.model
    def _catalog(self):
        _ = self.env._
        steps = ("open_document", "open_connector", "handle", "ignore")
        return super()._catalog() | {
            "vat.unknown": ExceptionKind(
                title=_("VAT number could not be checked"),
                text=_(
                    "Whether the VAT number of %(partner)s is valid is not known: %(answer)s. It is"
                    " asked for again by itself; this closes when the registry answers."
                ),
                effect=_(
                    "%(document)s relies on a number of which there is no evidence yet. It says"
                    " nothing against the number either."
                ),
                kind="business",
                question="unknown",
                steps=steps,
                blocks_close=True,
            ),
            "vat.invalid": ExceptionKind(
                title=_("VAT number is not valid"),
                text=_(
                    "%(document)s was posted to %(partner)s without a valid VAT number"
                    " (%(number)s). Ask the customer for the right number and check it, or credit"
                    " the document and invoice it with tax."
                ),
                effect=_(
                    "The exemption of %(document)s may be refused, and you would owe the tax."
                ),
                kind="business",
                severity="high",
                steps=steps,
                blocks_close=True,
            ),
            "tax.exemption_expired": ExceptionKind(
                title=_("A needed exemption certificate has expired"),
                text=_(
                    "%(document)s expired on %(day)s, and the customer still buys. Ask for a new"
                    " certificate and enter it; this closes by itself then. Until then the customer"
                    " is charged tax."
                ),
                effect=_("Invoices dated later carry tax."),
                kind="business",
                steps=("open_document", "handle", "ignore"),
            ),
            "vat.transport": ExceptionKind(
                title=_("Proof of transport is missing"),
                text=_(
                    "%(document)s delivers goods to another member state without tax. The proof"
                    " that they got there was due on %(due)s. Attach it under Supplies to VAT"
                    " Numbers; this closes by itself then."
                ),
                effect=_("A valid number alone does not prove the exemption of %(document)s."),
                kind="business",
                steps=steps,
            ),
        }

    @api.model
    def _endings(self):
        _ = self.env._
        return super()._endings() | {
            "vat.answered": _("The registry answered."),
            "tax.exemption_renewed": _("A new certificate was entered."),
            "vat.proved": _("The proof of transport is attached."),
            "vat.taken_back": _("The document was reset to draft."),
        }
