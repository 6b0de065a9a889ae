from odoo import api, models
from odoo.fields import Domain

from odoo.addons.finance_connector_base.models.finance_close_check import CloseRow

from .account_move import KINDS
from .finance_tax_document import SETTLED, UNDECIDED

# What is recorded elsewhere, or by Odoo alone, is not for the engine to confirm.
CONFIRMED = (*SETTLED, "unrecorded")


class FinanceCloseCheck(models.TransientModel):
    """Is the tax of every invoice of the month the engine's?"""

    _inherit = "finance.close.check"

    @api.model
    def _rows(self, company, period):
        _ = self.env._
        rows = super()._rows(company, period)
        served = self._served_by_tax_engine(company)
        if served.is_false():
            return rows
        posted = [
            ("company_id", "in", company.ids),
            ("move_type", "in", list(KINDS)),
            ("state", "=", "posted"),
            ("date", ">=", str(period.first)),
            ("date", "<=", str(period.last)),
        ]
        return [
            *rows,
            CloseRow(
                "tax.unconfirmed",
                _("Invoices whose tax is not confirmed by the engine"),
                _(
                    "Wait until they are recorded; what is stuck or differs is among the exceptions."
                ),
                "account.move",
                [
                    *posted,
                    ("finance_tax_document_ids", "any", [("state", "not in", UNDECIDED)]),
                    ("finance_tax_document_ids", "not any", [("state", "in", CONFIRMED)]),
                ],
                "date",
                "amount_total_signed",
                blocks=True,
                view="account.view_out_invoice_tree",
                kind="out_invoice",
            ),
            CloseRow(
                "tax.unasked",
                _("Invoices that the engine was not asked about"),
                _("Look whether it should have been; then reset them to draft and post again."),
                "account.move",
                [
                    *posted,
                    ("finance_tax_document_ids", "not any", [("state", "not in", UNDECIDED)]),
                    # the engine has it with what it corrects
                    ("finance_tax_true_up_id", "=", False),
                    ("invoice_line_ids.display_type", "=", "product"),
                    *served,
                ],
                "date",
                "amount_total_signed",
                view="account.view_out_invoice_tree",
                kind="out_invoice",
            ),
        ]

    @api.model
    def _served_by_tax_engine(self, company):
        """Return the domain of the documents that the engines of ``company`` tax, none: False."""
        return Domain.OR(self.env["finance.tax.route"]._domain_of_engines(one) for one in company)
