"""What a job that is not done yet waits for, in words."""

from odoo import models
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from .finance_job import FINISHED


class FinanceJob(models.Model):
    _name = "finance.job"
    _inherit = ["finance.job", "finance.timeline.mixin"]

    def _finance_timeline_of(self):
        """The story of a job is that of its document, where that has one."""
        document = self._document()
        told = document is not None and hasattr(document, "_finance_traces")
        return document if told and document else self

    def _finance_places(self):
        return {}

    def _finance_traces(self):
        return [trace for trace in self.sudo().mapped("trace_id") if trace]

    def _finance_situations(self):
        known = {"cancelled": "done"}
        return {
            job.id: "held" if job._is_held() else known.get(job.situation, job.situation)
            for job in self
        }

    def _is_held(self):
        return bool(self.held_reason) and self.state not in FINISHED

    def _blockers(self):
        """Return {job: the older unfinished job of its stream that it waits behind}."""
        if not self.ids:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT job.id, min(older.id) FROM finance_job job
                  JOIN finance_job older ON older.stream = job.stream AND older.id < job.id
                 WHERE job.id = ANY(%s) AND job.state NOT IN %s AND older.state NOT IN %s
                 GROUP BY job.id
                """,
                self.ids,
                FINISHED,
                FINISHED,
            )
        )
        return {self.browse(job): self.browse(older) for job, older in rows}

    def _why_not_yet(self, blocker=None):
        """Return what an unfinished job waits for; "" when it is done or running."""
        if self.state in FINISHED:
            return ""
        if blocker:
            return self.env._(
                "Waits behind “%(work)s” (%(state)s).",
                work=blocker.operation_name,
                state=blocker._situation_words(),
            )
        if self._is_held():
            return self.env._("Held; a controller releases it, or ends it as done outside.")
        if self.situation == "retry":
            return self.env._(
                "Next attempt %(due)s. Last failure: %(failure)s",
                due=format_datetime(self.env, self.due_at, tz=str(self.env.tz), dt_format=False),
                failure=self.error_text,
            )
        return self.error_text or ""

    def _situation_words(self):
        words = dict(self._fields["situation"]._description_selection(self.env))
        return words.get(self.situation, "")
