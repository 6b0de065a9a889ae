from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_close_check import CloseRow


class FinanceCloseCheck(models.TransientModel):
    """Has the receiver the month, and is what changed after it was final explained?"""

    _inherit = "finance.close.check"

    @api.model
    def _rows(self, company, period):
        _ = self.env._
        rows = super()._rows(company, period)
        if not self.env["finance.export.close"]._is_asked(company):
            return rows
        of_company = ("company_id", "in", company.ids)
        return [
            *rows,
            CloseRow(
                "export.unpublished",
                _("Feeds that are not published"),
                _("Run the export; of a blocked one the list says why."),
                "finance.export.close",
                [
                    of_company,
                    ("period", "=", period.key),
                    ("standing", "in", ("blocked", "late", "open")),
                ],
                "due",
            ),
            CloseRow(
                "export.restated",
                _("Restatements without a reason"),
                _("A controller opens them and writes why the month has changed."),
                "finance.export.restatement",
                [of_company, ("period", "<=", period.key), ("state", "=", "pending")],
                "day",
                "debit",
                "currency_id",
                blocks=True,
            ),
        ]
