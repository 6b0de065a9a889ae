from odoo import api, fields, models

from odoo.addons.finance_connector_base.models.finance_close_check import CloseRow

from ..reconciliation.compare import DIFFERENCE


class FinanceCloseCheck(models.TransientModel):
    """Do books and tax engine agree on the month?"""

    _inherit = "finance.close.check"

    @api.model
    def _rows(self, company, period):
        _ = self.env._
        rows = super()._rows(company, period)
        periods = self.env["finance.tax.reconciliation"]
        workflows = periods._workflows(company)
        if not workflows:
            return rows
        periods._ensure(workflows, [period.key])
        of_month = [("company_id", "in", company.ids), ("month", "=", period.key)]
        return [
            *rows,
            CloseRow(
                "tax.uncompared",
                _("Tax engines that were not compared with the books after the month"),
                _("Compare them under Tax Reconciliation; it is done each night by itself."),
                "finance.tax.reconciliation",
                [
                    *of_month,
                    "|", ("compared_at", "=", False),
                    ("compared_at", "<", fields.Datetime.to_string(period.end)),
                ],
                "first",
            ),
            CloseRow(
                "tax.differs",
                _("Documents that differ between the books and the tax engine"),
                _("Each has an exception that says what to do; or explain it there."),
                "finance.tax.reconciliation.line",
                [
                    ("company_id", "in", company.ids),
                    ("reconciliation_id.month", "=", period.key),
                    ("standing", "=", DIFFERENCE),
                    ("explained", "=", False),
                ],
                "day",
                "gap",
                "currency_id",
                blocks=True,
            ),
        ]  # fmt: skip


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "tax.reconciled": _("Books and tax engine compared"),
            "tax.stated": _("Statement of a tax reconciliation printed"),
        }


class FinanceDeniedAction(models.Model):
    _inherit = "finance.denied.action"

    @api.model
    def _actions(self):
        _ = self.env._
        return super()._actions() | {
            "tax.compare": _("Compare books and tax engine"),
            "tax.record_again": _("Have a document recorded again"),
            "tax.void_there": _("Have a document made void at the tax engine"),
        }
