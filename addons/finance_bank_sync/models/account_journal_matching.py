from odoo import models


class AccountJournal(models.Model):
    _inherit = "account.journal"

    def action_finance_match(self):
        """Match the open lines of these bank accounts, in the background."""
        lines = self.env["account.bank.statement.line"].search(
            [("journal_id", "in", self.ids), ("is_reconciled", "=", False)], limit=1
        )
        lines._finance_check_work()
        self.env["finance.bank.run"]._start(
            self.filtered(lambda j: j.type in ("bank", "cash", "credit"))
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._("Matching has started. Proposals appear as they are found."),
            },
        }
