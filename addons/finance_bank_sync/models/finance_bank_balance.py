from odoo import api, fields, models

SOURCES = [("statement", "Statement"), ("link", "Bank link"), ("hand", "By hand")]


class FinanceBankBalance(models.Model):
    """A balance that a bank told, or a person wrote down. All are kept; the newest counts."""

    _name = "finance.bank.balance"
    _description = "Bank Balance"
    _order = "day desc, received_at desc, id desc"
    _rec_name = "type"

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    journal_id = fields.Many2one(
        "account.journal", required=True, readonly=True, ondelete="restrict"
    )
    type = fields.Char(required=True, readonly=True, help="OPBD, CLBD, CLAV, ITBD… as in ISO 20022")
    subtype = fields.Char(readonly=True)
    day = fields.Date(readonly=True)
    amount = fields.Monetary(readonly=True, aggregator=None)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    source = fields.Selection(SOURCES, required=True, readonly=True)
    received_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    bank_statement_id = fields.Many2one(
        "finance.bank.statement", readonly=True, index="btree_not_null", ondelete="cascade"
    )

    _newest_index = models.Index("(journal_id, type, day, received_at)")

    @api.model
    def _told(self, statement, found):
        """Write every balance of a canonical `Statement` that has a currency known here."""
        known = self.env["res.currency"].with_context(active_test=False)
        currencies = {currency.name: currency for currency in known.search([])}
        source = "link" if statement.import_id.source == "api" else "statement"
        return self.create(
            [
                {
                    "company_id": statement.company_id.id,
                    "journal_id": statement.journal_id.id,
                    "type": balance.type,
                    "subtype": balance.subtype,
                    "day": balance.day or statement.end_date,
                    "amount": float(balance.amount),
                    "currency_id": currencies[balance.currency or statement.currency_id.name].id,
                    "source": source,
                    "bank_statement_id": statement.id,
                }
                for balance in found.balances
                if (balance.currency or statement.currency_id.name) in currencies
            ]
        )
