from odoo import fields, models

from ..models.finance_bank_column import MEANINGS


class FinanceBankColumnPreviewLine(models.TransientModel):
    """One column of a file that somebody looks at, and what it is taken for."""

    _name = "finance.bank.column.preview.line"
    _description = "Column of a File in Preview"
    _order = "position, id"

    preview_id = fields.Many2one(
        "finance.bank.column.preview", required=True, index=True, ondelete="cascade"
    )
    position = fields.Integer(readonly=True)
    head = fields.Char("Column", readonly=True)
    samples = fields.Char("First Values", readonly=True)
    meaning = fields.Selection(MEANINGS)
