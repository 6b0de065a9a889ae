from odoo import api, models
from odoo.exceptions import UserError


class FinanceJobMixin(models.AbstractModel):
    """A record that jobs work on. It has the fields company_id, connector_id and trace_id."""

    _name = "finance.job.mixin"
    _description = "Record That Jobs Work On"

    def _finance_document(self):
        """Return the record that people know this one by (an invoice, say)."""
        return self

    def _finance_uuid(self):
        """Return the identity of this record in idempotency keys: random, never copied."""
        return self.uuid

    def _enqueue(self, operation, **options):
        """Write one job a record for ``operation``; see `finance.job._enqueue`."""
        return self.env["finance.job"]._enqueue(self, operation, **options)

    @api.ondelete(at_uninstall=False)
    def _unlink_without_jobs(self):
        """Refuse to delete a record that unfinished jobs still work on, naming them."""
        jobs = self.env["finance.job"]._unfinished(self)
        if jobs:
            raise UserError(
                self.env._(
                    "Unfinished work still needs this record: %(jobs)s. Wait until it is done, or"
                    " cancel it, then delete.",
                    jobs=", ".join(jobs.mapped("display_name")),
                )
            )
