"""What jobs do at a bank's API."""

from odoo import models

from odoo.addons.finance_connector_base.providers.errors import Rejected, Transient

from ..canonical.feed import CONSENT_ENDED, NOT_READY, QUOTA, Pull, PullRequest, Quota
from ..providers.feed import moment

# Failures that a link understands: it waits for its time or for a person, and no job does.
OUTCOMES = {(Rejected, CONSENT_ENDED), (Transient, QUOTA), (Transient, NOT_READY)}


def ask(provider, request) -> Pull:
    """Pull; the ends that a link understands come back as outcomes instead of errors."""
    try:
        return provider.pull(request)
    except (Rejected, Transient) as error:
        if (type(error), error.code) not in OUTCOMES:
            raise
        quota = provider.quota
        if error.code == QUOTA:
            quota = Quota(0, quota.resets_at or moment(error.retry_after or 3600))
        return Pull(quota=quota, outcome=error.code, words=error.message)


class PullBank(models.AbstractModel):
    _name = "finance.operation.bank.pull"
    _inherit = "finance.operation"
    _description = "Fetch bank transactions"

    flow = "bank"
    effect = "question"
    request_type = PullRequest
    result_type = Pull

    def _prepare(self, record):
        return record._pull_request()

    @staticmethod
    def _call(provider, request):
        return ask(provider, request)

    def _apply(self, job, result):
        job.record._pulled(result)


class PullBankHistory(models.AbstractModel):
    _name = "finance.operation.bank.history"
    _inherit = "finance.operation.bank.pull"
    _description = "Fetch a period of bank transactions"

    def _prepare(self, record):
        return record._history_request()

    def _apply(self, job, result):
        job.record._history_pulled(result)


class ConsentOperation(models.AbstractModel):
    """What the exchanges around a consent are called; no job runs it, since a person waits."""

    _name = "finance.operation.bank.consent"
    _inherit = "finance.operation"
    _description = "Ask for a bank's consent"

    flow = "bank"
