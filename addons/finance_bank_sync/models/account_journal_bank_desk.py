from odoo import models


class AccountJournal(models.Model):
    _inherit = "account.journal"

    def _fill_bank_cash_dashboard_data(self, dashboard_data):
        """Tell the card of a bank account how many lines are to do."""
        super()._fill_bank_cash_dashboard_data(dashboard_data)
        desk = self.env["finance.bank.desk"]
        readable = desk._may_read()
        rows = []
        if readable:
            rows = self.env["account.bank.statement.line"]._read_group(
                [
                    ("journal_id", "in", self.ids),
                    ("state", "=", "posted"),
                    ("is_reconciled", "=", False),
                ],
                ["journal_id"],
                ["__count"],
            )
        counts = {journal.id: count for journal, count in rows}
        for journal in self:
            dashboard_data[journal.id] |= {
                "finance_bank_desk": readable,
                "finance_bank_lines": counts.get(journal.id, 0),
            }

    def action_finance_bank_desk(self):
        """Open the bank lines of the account."""
        self.ensure_one()
        return self.env["finance.bank.desk"]._action(journal=self)

    def action_finance_bank_import(self):
        """Open the bank lines of the account and let the person choose files at once."""
        action = self.action_finance_bank_desk()
        action["params"]["choose_files"] = True
        return action
