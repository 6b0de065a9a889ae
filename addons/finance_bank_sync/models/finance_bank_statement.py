from odoo import fields, models

KINDS = [
    ("statement", "Statement"),
    ("report", "Intraday report"),
    ("notification", "Notification"),
]


class FinanceBankStatement(models.Model):
    """One statement as the bank told it: of one account and one period."""

    _name = "finance.bank.statement"
    _description = "Received Bank Statement"
    _order = "end_date desc, id desc"

    name = fields.Char(required=True, readonly=True)
    import_id = fields.Many2one(
        "finance.bank.import", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    journal_id = fields.Many2one(
        "account.journal", required=True, readonly=True, index=True, ondelete="restrict"
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    index = fields.Integer(readonly=True, help="Which statement of the file it is, from 0.")
    format = fields.Char(readonly=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    bank_ref = fields.Char("Bank's Id", readonly=True)
    number = fields.Char(readonly=True)
    sequence = fields.Char("Electronic Number", readonly=True)
    page = fields.Char(readonly=True)
    start_date = fields.Date("From", readonly=True)
    end_date = fields.Date("To", readonly=True)
    opening_amount = fields.Monetary("Opening Balance", readonly=True, aggregator=None)
    has_opening = fields.Boolean(readonly=True)
    closing_amount = fields.Monetary("Closing Balance", readonly=True, aggregator=None)
    has_closing = fields.Boolean(readonly=True)
    entry_count = fields.Integer("Entries", readonly=True)
    booked_amount = fields.Monetary("Booked", readonly=True)
    findings = fields.Json(readonly=True, help="[{code, values}], worded on reading.")
    statement_id = fields.Many2one(
        "account.bank.statement", "Statement in the Books", readonly=True, ondelete="set null"
    )
    entry_ids = fields.One2many("finance.bank.entry", "bank_statement_id", readonly=True)
    balance_ids = fields.One2many("finance.bank.balance", "bank_statement_id", readonly=True)
