from odoo import api, fields, models

from ..fields import WeakMany2one
from ..lanes.link import link_of


class FinanceJobProgress(models.Model):
    """How far long work has come.

    A table of its own: a lane shows progress on its own connection while the business transaction
    that will end the job is still open.
    """

    _name = "finance.job.progress"
    _description = "Job Progress"
    _log_access = False
    _rec_name = "job_id"

    job_id = WeakMany2one("finance.job", required=True)
    done = fields.Integer()
    total = fields.Integer()

    _job_unique = models.Constraint("UNIQUE (job_id)", "A job has one progress.")

    @api.model
    def _of(self, jobs):
        """Return the rows of ``jobs``."""
        return self.sudo().search([("job_id", "in", jobs.ids)])

    @api.model
    def _show(self, job, done, total):
        """Write that ``done`` of ``total`` steps are over."""
        link_of(self.env, durable=False).execute(
            """
            INSERT INTO finance_job_progress (job_id, done, total) VALUES (%s, %s, %s)
            ON CONFLICT (job_id) DO UPDATE SET done = EXCLUDED.done, total = EXCLUDED.total
            """,
            (job.id, done, total),
        )

    @api.autovacuum
    def _vacuum(self):
        """Forget the progress of jobs that are gone or over."""
        self.env.cr.execute(
            """
            DELETE FROM finance_job_progress p WHERE NOT EXISTS (
                SELECT FROM finance_job j
                 WHERE j.id = p.job_id AND j.state NOT IN ('done', 'cancelled'))
            """
        )
