"""What jobs change at a tax engine after a document was recorded."""

from odoo import models

from ..canonical.tax import RECORDED, SAVED, TaxAdjustment, TaxReference, TaxResult


class AdjustTax(models.AbstractModel):
    _name = "finance.operation.tax.adjust"
    _inherit = "finance.operation"
    _description = "Record a document again at the tax engine"

    flow = "tax"
    # The engine puts one content over another, under one code.
    effect = "idempotent"
    request_type = TaxAdjustment
    result_type = TaxResult
    late = True

    def _prepare(self, record):
        return TaxAdjustment(record._request_to_record(), "ledger", record.move_id.name or "")

    def _late(self, record, request):
        return TaxAdjustment(
            record._with_original_id(request.document), request.reason, request.words
        )

    @staticmethod
    def _call(provider, request):
        return provider.adjust(request.document, request.reason, request.words)

    @staticmethod
    def _query(provider, request):
        asked = request.document
        found = provider.lookup(TaxReference(asked.kind, asked.seller, asked.code))
        done = found and found.status == RECORDED and found.by_key() == asked.booked_by_key()
        return found if done else None

    def _apply(self, job, result):
        job.record._adjusted(result)

    def _failed(self, job, error):
        return job.record._recording_failed(error)


class ReferenceTax(models.AbstractModel):
    """A repair that needs no more than the name of the document."""

    _name = "finance.operation.tax.repair"
    _inherit = "finance.operation"
    _description = "Repair a document at the tax engine"

    flow = "tax"
    effect = "idempotent"
    request_type = TaxReference
    result_type = TaxResult

    def _prepare(self, record):
        return record._reference()

    def _failed(self, job, error):
        return job.record._recording_failed(error)


class UnvoidTax(models.AbstractModel):
    _name = "finance.operation.tax.unvoid"
    _inherit = "finance.operation.tax.repair"
    _description = "Undo a void at the tax engine"

    @staticmethod
    def _call(provider, request):
        return provider.unvoid(request)

    @staticmethod
    def _query(provider, request):
        found = provider.lookup(request)
        return found if found and found.status in (RECORDED, SAVED) else None

    def _apply(self, job, result):
        job.record._unvoided(result)


class UncommitTax(models.AbstractModel):
    _name = "finance.operation.tax.uncommit"
    _inherit = "finance.operation.tax.repair"
    _description = "Take a document out of the return at the tax engine"

    @staticmethod
    def _call(provider, request):
        return provider.uncommit(request)

    @staticmethod
    def _query(provider, request):
        found = provider.lookup(request)
        return found if found and found.status == SAVED else None

    def _apply(self, job, result):
        job.record._uncommitted(result)
