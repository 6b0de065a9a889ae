from odoo import api, fields, models

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind

RENEW = "bank_renew"


class FinanceException(models.Model):
    """A consent that has ended, and the button that renews it."""

    _inherit = "finance.exception"

    can_bank_renew = fields.Boolean(compute="_compute_can_bank_renew")

    @api.depends("steps")
    def _compute_can_bank_renew(self):
        for exception in self:
            exception.can_bank_renew = RENEW in (exception.steps or ())

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "bank.consent": ExceptionKind(
                title=_("The consent of %(bank)s has ended"),
                text=_(
                    "%(bank)s no longer lets us read the account of %(journal)s: %(text)s."
                    " %(renew)s Until then import files."
                ),
                effect=_("New transactions of %(journal)s are not in your books."),
                kind="business",
                severity="high",
                question="stopped",
                steps=(RENEW, "open_document", "open_connector", "handle"),
                blocks_close=True,
            ),
        }

    @api.model
    def _endings(self):
        return super()._endings() | {
            "bank.consent_renewed": self.env._("The consent was renewed."),
            "bank.link_paused": self.env._("The bank link was stopped."),
        }

    def _words(self, job):
        words = super()._words(job)
        if self.code == "bank.consent":
            link = self.env["finance.bank.link"].sudo().browse(self.document_id).exists()
            words["renew"] = link.renew_words or ""
        return words

    def action_bank_renew(self):
        """Send the user to the bank of the link."""
        self.ensure_one()
        return self.env["finance.bank.link"].browse(self.document_id).action_renew()
