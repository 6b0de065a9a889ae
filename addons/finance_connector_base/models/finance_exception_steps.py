"""What may be done about an exception: its buttons."""

from odoo import models
from odoo.exceptions import UserError

from ..actions import dialog, notice


class FinanceException(models.Model):
    _inherit = "finance.exception"

    def _allowing(self, step):
        """Those of the selected exceptions that allow a step now; refuse when none does."""
        self.env["finance.denied.action"]._check_may(self, "write", f"exception.{step}")
        allowed = self.filtered(lambda exception: step in (exception.steps or ()))
        if not allowed:
            raise UserError(self.env._("None of the selected exceptions allows this step."))
        return allowed

    def action_retry(self):
        """Try again what failed."""
        allowed = self._allowing("retry")
        for exception in allowed:
            exception._retry()
        allowed.sudo().write({"question": "waiting"})
        allowed._note("exception.retried", user_id=self.env.uid)
        return self._told(allowed, self.env._("%(done)s tried again", done=len(allowed)))

    def _retry(self):
        """Try again one exception. Addons extend it for codes whose cause is not a job."""
        self.ensure_one()
        if not self.job_id.exists():
            raise UserError(
                self.env._("There is nothing to repeat for “%(title)s”.", title=self.title)
            )
        self.job_id.action_retry()

    def action_query(self):
        """Ask the vendor what became of work without an answer."""
        allowed = self._allowing("query")
        for exception in allowed:
            exception.job_id.action_query()
        return self._told(allowed, self.env._("%(done)s asked", done=len(allowed)))

    def action_done_outside(self):
        """Note that a person did it by hand at the vendor."""
        self.ensure_one()
        return self._allowing("done_outside").job_id.action_done_outside()

    def action_handle(self):
        """Mark as handled, with a reason."""
        return self._ask_reason(self._allowing("handle"), "handled")

    def action_ignore(self):
        """Mark as of no importance, with a reason."""
        return self._ask_reason(self._allowing("ignore"), "ignored")

    def action_assign_to_me(self):
        """Take the selected exceptions."""
        self.env["finance.denied.action"]._check_may(self, "write", "exception.assign")
        self.owner_id = self.env.user

    def action_assign(self):
        """Give the selected exceptions to somebody."""
        self.env["finance.denied.action"]._check_may(self, "write", "exception.assign")
        return self._wizard("finance.exception.assign", self, self.env._("Assign"))

    def action_open_document(self):
        """Open the document."""
        self.ensure_one()
        return self._open_weak(self.document_model, self.document_id)

    def action_open_job(self):
        """Open the job."""
        self.ensure_one()
        return self._open_weak("finance.job", self.job_id.id)

    def action_open_connector(self):
        """Open the connector."""
        self.ensure_one()
        return self._open_weak("finance.connector", self.connector_id.id)

    def _ask_reason(self, exceptions, outcome):
        names = {"handled": self.env._("Mark as Handled"), "ignored": self.env._("Ignore")}
        action = self._wizard("finance.exception.close", exceptions, names[outcome])
        action["context"]["default_outcome"] = outcome
        return action

    def _wizard(self, model, exceptions, name):
        return dialog(name, model, context={"default_exception_ids": exceptions.ids})

    def _told(self, allowed, words):
        """Say what was done with a selection, and how many were left out."""
        left = len(self) - len(allowed)
        if left:
            words += ", " + self.env._("%(left)s don't allow it", left=left)
        return notice("warning" if left else "success", words)
