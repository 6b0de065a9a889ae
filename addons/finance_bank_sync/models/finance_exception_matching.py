from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind


class FinanceException(models.Model):
    _inherit = "finance.exception"

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "bank.unmatched": ExceptionKind(
                title=_("Bank lines wait on %(document)s"),
                text=_(
                    "%(document)s has %(proposed)s bank lines with a proposal that somebody has to"
                    " accept, and %(unknown)s for which nothing was found. Open the bank lines of"
                    " the journal."
                ),
                effect=_(
                    "Until then their amounts stand in suspense. The line says why each one was not"
                    " matched by itself."
                ),
                kind="business",
                severity="low",
                steps=("open_document", "ignore"),
            ),
        }
