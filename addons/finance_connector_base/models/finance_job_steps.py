"""What people press on a job: who may, in which state, and what becomes of it."""

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..actions import dialog, listing
from .finance_job import ALLOWED, FINISHED, HELD
from .finance_operation import CHANGING


class FinanceJob(models.Model):
    _inherit = "finance.job"

    def action_retry(self):
        """Run again with the same key and the same stored request."""
        self._press("retry", "group_user")
        for job in self:
            state = "answered" if job._open("answer") else "pending"
            job._move(state, "job.replayed")
        self._wake()

    def action_cancel(self):
        """End without doing it."""
        self._press("cancel", "group_controller")
        for job in self:
            if job.called_at and job.effect in CHANGING and job.error_class != "Rejected":
                raise UserError(
                    self.env._(
                        "%(job)s was already sent at least once, so it may have been done. Ask the"
                        " vendor, or record it as done outside.",
                        job=job.display_name,
                    )
                )
            job._move("cancelled", "job.cancelled")

    def action_query(self):
        """Ask the vendor what became of it."""
        self._press("query", "group_user")
        self._check_can_query()
        self._sql("due_at = now() AT TIME ZONE 'UTC', worker = NULL")
        self._wake()

    def _check_can_query(self):
        for job in self:
            if not self.env["finance.operation"]._named(job.operation)._can_query():
                raise UserError(
                    self.env._(
                        "This vendor can't be asked about %(job)s. Look it up at the vendor, then"
                        " record it as done outside or send it again.",
                        job=job.display_name,
                    )
                )

    def action_send_again(self):
        """A person vouches that the vendor has not done it: send the same request again."""
        self._press("send_again", "group_approver")
        for job in self:
            job._move("pending", "job.sent_again")
        self._wake()

    def action_done_outside(self):
        """Open the wizard that records what a person did by hand."""
        self._press("done_outside", "group_controller")
        return dialog(
            self.env._("Done outside"),
            "finance.job.done.outside",
            context={"default_job_ids": self.ids},
        )

    def _done_outside(self, reference, day):
        """End as done by hand at the vendor; the key stays used. ``day`` is a date."""
        self._press("done_outside", "group_controller")
        for job in self:
            job._sql(SQL("done_outside_ref = %s, done_outside_date = %s", reference, day))
            job._move("done", "job.done_outside", {"reference": reference}, date=str(day))

    def action_open_document(self):
        """Open the document that people know the job by."""
        self.ensure_one()
        document = self._document()
        if not document:
            raise UserError(self.env._("The document of this job is deleted."))
        return document.get_formview_action()

    def action_open_exchanges(self):
        """List what was exchanged for the job."""
        self.ensure_one()
        return listing(
            self.env._("Exchanges"), "finance.exchange", [("trace_id", "=", self.trace_id)]
        )

    def _allows(self, button):
        """Return whether a button makes sense for this job now, whoever presses it."""
        states = (HELD if self.held_reason else ALLOWED).get(button, ())
        return not self.worker and self.state in states

    def _press(self, button, *groups):
        """Check who presses and in which state. Raises AccessError or UserError."""
        roles = (f"finance_connector_base.{group}" for group in groups)
        if not self.env.su and not any(map(self.env.user.has_group, roles)):
            self.env["finance.denied.action"]._deny(f"job.{button}", "group", self)
            raise AccessError(
                self.env._("You may not do this with a job. Ask a colleague with that role.")
            )
        self.check_access("read")
        for job in self:
            if not job._allows(button):
                raise UserError(
                    self.env._(
                        "%(job)s can't be changed this way while it is “%(state)s”.",
                        job=job.display_name,
                        state=dict(job._fields["situation"]._description_selection(self.env))[
                            job.situation
                        ],
                    )
                )

    def _move(self, state, kind, detail=None, **data):
        before = self.state
        self._sql(
            SQL(
                """state = %s, attempts = 0, apply_attempts = 0, solo = false, worker = NULL,
                due_at = now() AT TIME ZONE 'UTC', held_reason = NULL,
                done_at = CASE WHEN %s THEN now() AT TIME ZONE 'UTC' END""",
                state,
                state in FINISHED,
            )
        )
        if state in FINISHED:
            self._end_key("done outside" if kind == "job.done_outside" else state)
            self.env["finance.exception"]._resolve(job=self, note=kind)
        self._note(kind, detail, before=before, **data)

    def _sql(self, assignments):
        assignments = assignments if isinstance(assignments, SQL) else SQL(assignments)
        self.env.cr.execute(
            SQL("UPDATE finance_job SET %s WHERE id = ANY(%s)", assignments, self.ids)
        )
        self.invalidate_recordset()
