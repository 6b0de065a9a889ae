"""Who takes care of exceptions, and until when."""

from odoo import fields, models


class FinanceExceptionAssign(models.TransientModel):
    """Gives exceptions to somebody."""

    _name = "finance.exception.assign"
    _description = "Assign Exceptions"

    exception_ids = fields.Many2many("finance.exception", required=True)
    owner_id = fields.Many2one("res.users", required=True, domain="[('share', '=', False)]")
    deadline = fields.Date(help="Leave empty to keep the deadlines.")

    def action_confirm(self):
        """Set owner and deadline of the exceptions."""
        self.ensure_one()
        values = {"owner_id": self.owner_id.id}
        if self.deadline:
            values["deadline"] = self.deadline
        self.exception_ids.write(values)
        return {"type": "ir.actions.act_window_close"}
