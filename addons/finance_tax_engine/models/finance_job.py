from odoo import models


class FinanceJob(models.Model):
    _inherit = "finance.job"

    def _done_outside(self, reference, day):
        """What a person did at the engine by hand is recorded or void from then on."""
        result = super()._done_outside(reference, day)
        for job in self.sudo():
            if job.operation in ("tax.commit", "tax.adjust", "tax.void"):
                job.record.exists()._done_by_hand(job.operation, day)
        return result
