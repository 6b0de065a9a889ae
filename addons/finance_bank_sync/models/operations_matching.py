from odoo import models


class MatchBankLines(models.AbstractModel):
    _name = "finance.operation.bank.match"
    _inherit = "finance.operation"
    _description = "Match bank lines"

    effect = "local"

    def _apply(self, job, result):
        job.record._next(job)
