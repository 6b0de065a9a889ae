from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind

from .finance_bank_pickup import FAILING


class FinanceException(models.Model):
    _inherit = "finance.exception"

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            FAILING: ExceptionKind(
                title=_("Statements are not picked up from %(place)s"),
                text=_(
                    "Odoo looks for statement files at %(place)s and can't read them. Open the"
                    " pick-up: it says what is wrong and what to do."
                ),
                effect=_("None yet. Statements that wait there are not in the books."),
                severity="medium",
                steps=("open_document", "handle", "ignore"),
            ),
        }

    @api.model
    def _endings(self):
        return super()._endings() | {
            "bank.pickup_works": self.env._("The next look could read the place."),
        }
