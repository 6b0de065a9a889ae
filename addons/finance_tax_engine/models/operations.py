"""What jobs do at a tax engine."""

from dataclasses import replace

from odoo import models

from odoo.addons.finance_connector_base.providers.errors import Rejected

from ..canonical.tax import RECORDED, TaxDocument, TaxReference, TaxResult


class QuoteTax(models.AbstractModel):
    _name = "finance.operation.tax.quote"
    _inherit = "finance.operation"
    _description = "Ask a tax engine what the tax of a document is"

    flow = "tax"
    effect = "question"
    request_type = TaxDocument
    result_type = TaxResult

    @staticmethod
    def _call(provider, request):
        if any(line.tax_included for line in request.lines) and not provider.takes_prices_with_tax:
            raise Rejected(f"{provider.label} needs prices without tax", code="tax_included")
        return provider.quote(request)


class CommitTax(models.AbstractModel):
    _name = "finance.operation.tax.commit"
    _inherit = "finance.operation"
    _description = "Record a posted document at the tax engine"

    flow = "tax"
    # Each posting has a document code of its own; the engine replaces what it has under a code.
    effect = "idempotent"
    request_type = TaxDocument
    result_type = TaxResult
    late = True

    def _prepare(self, record):
        return record._request_to_record()

    def _late(self, record, request):
        return record._with_original_id(request)

    @staticmethod
    def _call(provider, request):
        return provider.commit(request)

    @staticmethod
    def _query(provider, request):
        found = provider.lookup(TaxReference(request.kind, request.seller, request.code))
        return found if found and found.status == RECORDED else None

    def _apply(self, job, result):
        job.record._recorded(result)

    def _failed(self, job, error):
        return job.record._recording_failed(error)


class VoidTax(models.AbstractModel):
    _name = "finance.operation.tax.void"
    _inherit = "finance.operation"
    _description = "Make a recorded document void at the tax engine"

    flow = "tax"
    effect = "idempotent"
    cancels = ("tax.commit", "tax.adjust")
    request_type = TaxReference
    result_type = TaxResult
    late = True

    def _prepare(self, record):
        return record._reference()

    def _late(self, record, request):
        return replace(request, engine_id=record._engine_id_of(request.code))

    @staticmethod
    def _call(provider, request):
        return provider.void(request)

    @staticmethod
    def _query(provider, request):
        found = provider.lookup(request)
        return found if found and found.status == "voided" else None

    def _apply(self, job, result):
        job.record._voided(result)

    def _failed(self, job, error):
        return job.record._voiding_failed(error)

    def _vendor_knows(self, record):
        """Tell whether the engine has the document, beyond what jobs still say."""
        return bool(record.committed_at)


class PostInvoices(models.AbstractModel):
    _name = "finance.operation.tax.post"
    _inherit = "finance.operation"
    _description = "Post invoices together"

    effect = "local"

    def _apply(self, job, result):
        job.record._post_next(job)
