"""What jobs ask registries of VAT numbers."""

from dataclasses import replace

from odoo import models

from odoo.addons.finance_connector_base.providers.errors import Rejected

from ..canonical.vat import UNKNOWN, VatAnswer, VatQuestion


class CheckVat(models.AbstractModel):
    _name = "finance.operation.vat.check"
    _inherit = "finance.operation"
    _description = "Check a VAT number"

    flow = "vat"
    effect = "question"
    request_type = VatQuestion
    result_type = VatAnswer
    # Long enough for a transaction that Odoo runs again; whoever asks later wants a new answer.
    answer_hours = 0.05

    def _prepare(self, record):
        number = record._finance_vat_number()
        company = self.env.company
        workflow = number and self.env["finance.workflow"]._vat_workflow(company, number.prefix)
        return record._finance_vat_question(workflow, company) if workflow else None

    @staticmethod
    def _call(provider, request):
        if request is None:  # the number is gone, or nobody checks such numbers any more
            return VatAnswer(UNKNOWN)
        try:
            answer = provider.check(request)
        except Rejected as error:
            answer = VatAnswer(UNKNOWN, code=error.code, reason=error.message)
        return replace(answer, asked=request)

    def _apply(self, job, result):
        if result.asked:
            self.env["finance.vat.check"]._keep(
                job.connector_id, job.company_id, job.record, result.asked, result, job.trace_id
            )

    def _failed(self, job, error):
        return "vat.unknown", {"params": {"message": error.message, "code": error.code}}
