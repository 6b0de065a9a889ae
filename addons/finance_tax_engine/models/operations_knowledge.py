"""What is asked of a tax engine beside the tax of documents."""

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.providers.errors import ProviderError

from ..canonical.knowledge import Knowledge, KnowledgeQuestion
from ..canonical.tax import Address, AddressAnswer


class FinanceOperation(models.AbstractModel):
    _inherit = "finance.operation"

    @api.model
    def _ask_one(self, workflow, company, request):
        """Ask one question that a person waits for; raise UserError when there is no answer."""
        answer = self._ask(workflow.connector_id, company, [request], seconds=workflow.tax_seconds)
        if isinstance(answer[0], ProviderError):
            raise UserError(
                self.env._(
                    "%(engine)s does not answer: %(reason)s. Nothing was changed; try again later.",
                    engine=workflow.connector_id.sudo().name,
                    reason=answer[0].message,
                )
            )
        return answer[0]


class ResolveAddress(models.AbstractModel):
    _name = "finance.operation.tax.address"
    _inherit = "finance.operation"
    _description = "Validate an address"

    flow = "tax"
    effect = "question"
    request_type = Address
    result_type = AddressAnswer
    answer_hours = 24 * 30

    @staticmethod
    def _call(provider, request):
        return provider.resolve_address(request)


class TaxCodes(models.AbstractModel):
    _name = "finance.operation.tax.codes"
    _inherit = "finance.operation"
    _description = "Search the engine's tax codes"

    flow = "tax"
    effect = "question"
    request_type = KnowledgeQuestion
    result_type = Knowledge

    @staticmethod
    def _call(provider, request):
        return Knowledge(tax_codes=provider.tax_codes(request.text))


class TaxCertificates(models.AbstractModel):
    _name = "finance.operation.tax.certificates"
    _inherit = "finance.operation"
    _description = "List a customer's certificates at the engine"

    flow = "tax"
    effect = "question"
    request_type = KnowledgeQuestion
    result_type = Knowledge
    answer_hours = 0.05

    @staticmethod
    def _call(provider, request):
        return Knowledge(certificates=provider.certificates(request.seller, request.customer))


class TaxKnowledge(models.AbstractModel):
    _name = "finance.operation.tax.knowledge"
    _inherit = "finance.operation"
    _description = "Read the engine's use codes and nexus"

    flow = "tax"
    effect = "question"
    request_type = KnowledgeQuestion
    result_type = Knowledge

    def _prepare(self, record):
        workflow = record._workflow(self.env.company, "tax")
        return KnowledgeQuestion(seller=self.env["finance.tax.mixin"]._finance_tax_seller(workflow))

    @staticmethod
    def _call(provider, request):
        offers = provider.capabilities
        return Knowledge(
            use_codes=provider.entity_use_codes() if "entity_use_codes" in offers else (),
            nexus=provider.nexus(request.seller) if "nexus" in offers else (),
        )

    def _apply(self, job, result):
        connector = job.record
        self.env["finance.tax.code"].sudo()._learn(connector, "entity_use", result.use_codes)
        self.env["finance.tax.nexus"].sudo()._learn(connector, job.company_id, result.nexus)
