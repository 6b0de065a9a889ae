from odoo import api, fields, models


class FinanceBankTurn(models.Model):
    """One import at a time decides what is new in a journal.

    Two files of the same days, taken in at once, would not see each other's entries. Taking the
    turn writes this row: who comes second waits, then meets a row that has changed since his
    transaction began, and is repeated with what the first has written before his eyes.
    """

    _name = "finance.bank.turn"
    _description = "Turn of Imports in a Journal"
    _log_access = False
    _rec_name = "journal_id"

    journal_id = fields.Many2one("account.journal", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="journal_id.company_id", store=True)
    turns = fields.Integer(readonly=True)

    _journal_unique = models.Constraint("UNIQUE (journal_id)", "A journal has one turn.")

    @api.model
    def _take(self, journals):
        """Wait until no other transaction decides in ``journals``; held until the commit."""
        for journal in journals.sorted("id"):
            self.env.cr.execute(
                """
                INSERT INTO finance_bank_turn (journal_id, company_id, turns) VALUES (%s, %s, 1)
                ON CONFLICT (journal_id) DO UPDATE SET turns = finance_bank_turn.turns + 1
                """,
                (journal.id, journal.company_id.id),
                log_exceptions=False,
            )
