"""What jobs do with exports: write a batch, deliver it, ask whether it was taken."""

from odoo import models

from ..canonical.delivery import Acknowledgement, Delivery, Receipt


class ExportOperation(models.AbstractModel):
    """Work on a run: it is of all companies of its export, and writes what it told of each."""

    _name = "finance.operation.export"
    _inherit = "finance.operation"
    _description = "Work on an export"

    def _check_company(self, job, family):
        companies = job.record.sudo().company_ids
        super()._check_company(job, {*family, *companies.ids})


class BuildExport(models.AbstractModel):
    _name = "finance.operation.export.build"
    _inherit = "finance.operation.export"
    _description = "Write an export"

    effect = "local"

    def _apply(self, job, result):
        job.record._build(job)

    def _failed(self, job, error):
        job.record._build_failed()
        return ("export.unwritten", {})


class DeliverExport(models.AbstractModel):
    _name = "finance.operation.export.deliver"
    _inherit = "finance.operation.export"
    _description = "Deliver an export"

    effect = "idempotent"
    late = True
    request_type = Delivery
    result_type = Receipt

    def _prepare(self, run):
        return run._delivery()

    def _late(self, run, delivery):
        return run._openable(delivery)

    @staticmethod
    def _call(provider, delivery):
        return provider.deliver(delivery)

    def _apply(self, job, receipt):
        job.record._brought(receipt)

    def _failed(self, job, error):
        return ("export.undelivered", {})


class ConfirmExport(models.AbstractModel):
    _name = "finance.operation.export.confirm"
    _inherit = "finance.operation.export"
    _description = "Ask whether an export was taken"

    effect = "question"
    result_type = Acknowledgement

    def _prepare(self, run):
        return run._openable(run._delivery())

    @staticmethod
    def _call(provider, delivery):
        return provider.acknowledgement(delivery)

    def _apply(self, job, acknowledgement):
        job.record._answered(acknowledgement)

    def _failed(self, job, error):
        return ("export.undelivered", {})
