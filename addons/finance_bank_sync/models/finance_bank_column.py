from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..formats.columns import FIELDS

MEANINGS = [
    ("date", "Booking date"),
    ("value_date", "Value date"),
    ("amount", "Amount, with sign"),
    ("debit", "Debit: money out"),
    ("credit", "Credit: money in"),
    ("indicator", "Debit or credit, as a word"),
    ("currency", "Currency"),
    ("balance", "Balance"),
    ("account", "Own account"),
    ("name", "Counterparty"),
    ("party_account", "Counterparty's account"),
    ("party_bic", "Counterparty's BIC"),
    ("text", "Text"),
    ("reference", "Reference"),
    ("end_to_end_id", "End-to-end id"),
    ("mandate", "Mandate"),
    ("unique_id", "Unique id of the bank"),
    ("code", "Kind of transaction"),
    ("original_amount", "Original amount"),
    ("original_currency", "Original currency"),
    ("rate", "Exchange rate"),
    ("status", "Status"),
]
assert {name for name, _label in MEANINGS} == set(FIELDS)


class FinanceBankColumn(models.Model):
    """What one column of a bank's file is."""

    _name = "finance.bank.column"
    _description = "Column of a Bank File"
    _order = "sequence, id"
    _rec_name = "head"

    map_id = fields.Many2one(
        "finance.bank.column.map", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    head = fields.Char("Column", required=True, help="Its head, or #3 for the third column.")
    meaning = fields.Selection(MEANINGS, required=True)

    @api.constrains("meaning", "map_id")
    def _check_meaning(self):
        """Only text may stand in several columns."""
        for columns in self.grouped("map_id").values():
            told = (columns.map_id.column_ids).filtered(lambda one: one.meaning != "text")
            names = told.mapped("meaning")
            if len(names) != len(set(names)):
                raise ValidationError(
                    self.env._("%(map)s: two columns have the same meaning.", map=told.map_id.name)
                )

    def _named(self) -> dict:
        """Return {name as the formats know it: head}; texts are numbered: text, text2, text3…"""
        named = {}
        for column in self:
            name, texts = column.meaning, sum(key.startswith("text") for key in named)
            if name == "text" and texts:
                name = f"text{texts + 1}"
            if name and column.head:
                named[name] = column.head
        return named
