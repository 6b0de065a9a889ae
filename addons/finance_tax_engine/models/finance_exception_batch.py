from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind


class FinanceException(models.Model):
    _inherit = "finance.exception"

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "tax.not_posted": ExceptionKind(
                title=_("Invoices could not be posted"),
                text=_(
                    "Of invoices that were posted together, %(refused)s could not be: the list"
                    " says why. Correct them, then post them again from the list; this closes when"
                    " all are posted."
                ),
                effect=_("%(refused)s invoices are drafts still; the others are posted."),
                kind="business",
                steps=("open_document", "handle", "ignore"),
            ),
        }

    @api.model
    def _endings(self):
        return super()._endings() | {"tax.all_posted": self.env._("All are posted.")}
