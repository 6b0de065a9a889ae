from odoo import api, fields, models


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    finance_entry_ids = fields.One2many("finance.bank.entry", "line_id", readonly=True)
    finance_entry_id = fields.Many2one(
        "finance.bank.entry", "Bank's Entry", compute="_compute_finance_entry"
    )
    finance_value_date = fields.Date("Value Date", compute="_compute_finance_entry")

    @api.depends("finance_entry_ids")
    def _compute_finance_entry(self):
        for line in self:
            entry = line.sudo().finance_entry_ids[:1]
            line.finance_entry_id = entry
            line.finance_value_date = entry.value_date

    def unlink(self):
        """Remember of the bank's entries that somebody deleted their line."""
        entries = self.sudo().finance_entry_ids
        result = super().unlink()
        entries.exists().write({"state": "removed", "reason": {"code": "deleted"}})
        return result
