from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.finance_connector_base.actions import CLOSE

MONEY = ("bank", "credit", "cash")


class FinanceBankBalanceEntry(models.TransientModel):
    """A balance that a person writes down, from paper or the bank's own page."""

    _name = "finance.bank.balance.entry"
    _description = "Bank Balance by Hand"

    journal_id = fields.Many2one(
        "account.journal",
        "Account",
        required=True,
        domain="[('type', 'in', ('bank', 'credit')), ('company_id', 'in', allowed_company_ids)]",
    )
    day = fields.Date("At the End of", required=True, default=fields.Date.context_today)
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    amount = fields.Monetary("Balance")

    @api.depends("journal_id")
    def _compute_currency_id(self):
        facts = self.env["finance.bank.account.mixin"]
        for entry in self:
            journal = entry.journal_id.sudo()
            entry.currency_id = facts._currency_of(journal) if journal else False

    def action_confirm(self):
        """Keep it, with who wrote it down; the newest of a day counts, earlier ones stay."""
        self.ensure_one()
        self.env["finance.denied.action"]._check_may(self, "write", "bank.balance")
        journal = self.journal_id.sudo()
        if journal.company_id not in self.env.companies:
            self.env["finance.denied.action"]._deny("bank.balance", "company", self)
            raise AccessError(
                self.env._("The account belongs to a company that you don't work in now.")
            )
        if journal.type not in MONEY:
            raise UserError(self.env._("Choose the journal of a bank account or a card."))
        if self.day > fields.Date.context_today(self):
            raise UserError(
                self.env._("A balance of a day to come is not known yet: enter another day.")
            )
        balance = (
            self.env["finance.bank.balance"]
            .sudo()
            .create(
                {
                    "journal_id": journal.id,
                    "company_id": journal.company_id.id,
                    "type": "CLBD",
                    "day": self.day,
                    "amount": self.amount,
                    "currency_id": self.currency_id.id,
                    "source": "hand",
                }
            )
        )
        self.env["finance.audit.event"]._record(
            "bank.balance_entered",
            balance,
            company=journal.company_id,
            data={
                "journal": journal.id,
                "day": str(self.day),
                "amount": f"{self.amount:.{self.currency_id.decimal_places}f}",
                "currency": self.currency_id.name,
            },
        )
        return CLOSE
