from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_close_check import CloseRow

from .account_move import KINDS
from .finance_tax_document import SETTLED


class FinanceCloseCheck(models.TransientModel):
    """Is the tax of every invoice of the month the engine's?"""

    _inherit = "finance.close.check"

    @api.model
    def _rows(self, company, period):
        _ = self.env._
        rows = super()._rows(company, period)
        served = self._served_by_tax_engine(company)
        if not served:
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
                    ("finance_tax_document_ids", "!=", False),
                    ("finance_tax_document_ids", "not any", [("state", "in", SETTLED)]),
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
                    ("finance_tax_document_ids", "=", False),
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
        """Return the domain of the documents that the engines of ``company`` tax; [] for none."""
        domains = []
        for one in company:
            workflow = self.env["finance.workflow"]._serving(one, "tax")
            if not workflow:
                continue
            domains.append(self._destined(one, workflow.tax_country_ids.ids))
        return ["|"] * (len(domains) - 1) + [leaf for domain in domains for leaf in domain]

    @api.model
    def _destined(self, company, countries):
        of_company = ("company_id", "=", company.id)
        if not countries:
            return [of_company]
        return [
            "&", of_company,
            "|", ("partner_shipping_id.country_id", "in", countries),
            "&", ("partner_shipping_id", "=", False), ("partner_id.country_id", "in", countries),
        ]  # fmt: skip
