"""What jobs do with bank imports: all of it inside Odoo."""

from odoo import models


class ImportStatements(models.AbstractModel):
    _name = "finance.operation.bank.import"
    _inherit = "finance.operation"
    _description = "Read bank statements"

    effect = "local"

    def _apply(self, job, result):
        job.record._read_all(job)

    def _failed(self, job, error):
        return ("bank.stopped", {})


class BookLines(models.AbstractModel):
    _name = "finance.operation.bank.book"
    _inherit = "finance.operation"
    _description = "Enter bank lines"

    effect = "local"

    def _apply(self, job, result):
        job.record._book_next(job)

    def _failed(self, job, error):
        return ("bank.stopped", {})
