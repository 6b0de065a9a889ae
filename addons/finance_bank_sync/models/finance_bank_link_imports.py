from odoo import fields, models


class FinanceBankImport(models.Model):
    _inherit = "finance.bank.import"

    link_id = fields.Many2one(
        "finance.bank.link", "Bank Link", readonly=True, index="btree_not_null", ondelete="set null"
    )


class FinanceBankBalance(models.Model):
    _inherit = "finance.bank.balance"

    link_id = fields.Many2one(
        "finance.bank.link", "Bank Link", readonly=True, index="btree_not_null", ondelete="set null"
    )
