"""What jobs do with statutory files: all of it inside Odoo."""

from odoo import models


class MakeStatutoryFile(models.AbstractModel):
    _name = "finance.operation.statutory.make"
    _inherit = "finance.operation"
    _description = "Write a statutory file"

    effect = "local"

    def _apply(self, job, result):
        job.record._make(job)

    def _failed(self, job, error):
        job.record._stopped()
        return ("statutory.unwritten", {})


class ProveStatutoryFile(models.AbstractModel):
    _name = "finance.operation.statutory.prove"
    _inherit = "finance.operation"
    _description = "Compare a statutory file with the books"

    effect = "local"

    def _apply(self, job, result):
        job.record._prove(job)

    def _failed(self, job, error):
        job.record._stopped()
        return ("statutory.unproved", {})
