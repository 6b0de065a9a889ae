"""What jobs do to compare the books with a tax engine."""

from odoo import models

from ..canonical.tax import TaxReference, TaxResult
from ..reconciliation import listing


class ReconcileTax(models.AbstractModel):
    _name = "finance.operation.tax.reconcile"
    _inherit = "finance.operation"
    _description = "List what a tax engine has recorded"

    flow = "tax"
    effect = "question"
    request_type = listing.Question
    result_type = listing.Listed

    def _prepare(self, record):
        return record._question()

    @staticmethod
    def _call(provider, request):
        return listing.ask(provider, request)

    def _apply(self, job, result):
        job.record._take(result)
        # it can be long, is asked for each night, and has been taken over
        job._sql("answer_sealed = NULL")

    def _failed(self, job, error):
        return job.record._failed(error)


class VoidThere(models.AbstractModel):
    _name = "finance.operation.tax.void_there"
    _inherit = "finance.operation"
    _description = "Make void at the tax engine what the books don't have"

    flow = "tax"
    effect = "idempotent"
    request_type = TaxReference
    result_type = TaxResult

    def _prepare(self, record):
        return record._reference()

    @staticmethod
    def _call(provider, request):
        return provider.void(request)

    def _apply(self, job, result):
        job.record._voided(result)
