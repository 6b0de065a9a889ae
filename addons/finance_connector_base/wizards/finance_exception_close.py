"""Why an exception needs no more work."""

from odoo import fields, models
from odoo.exceptions import UserError


class FinanceExceptionClose(models.TransientModel):
    """Asks for the reason before exceptions are marked as handled or ignored."""

    _name = "finance.exception.close"
    _description = "Close Exceptions"

    exception_ids = fields.Many2many("finance.exception", required=True)
    outcome = fields.Selection(
        [("handled", "Mark as handled"), ("ignored", "Ignore")], default="handled", required=True
    )
    reason = fields.Text(required=True)
    quiet_until = fields.Date(
        help="If it comes back before this day it is only counted, and nobody is asked again."
    )

    def action_confirm(self):
        """Close the exceptions that allow it, with the reason."""
        self.ensure_one()
        if not (self.reason or "").strip():
            raise UserError(self.env._("Say why: an auditor will ask."))
        step = {"handled": "handle", "ignored": "ignore"}[self.outcome]
        quiet = self.outcome == "ignored" and self.quiet_until
        self.exception_ids._allowing(step)._close(self.outcome, self.reason.strip(), quiet)
        # The words are where they belong; a copy here could not be erased with them.
        self.unlink()
        return {"type": "ir.actions.act_window_close"}
