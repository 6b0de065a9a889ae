"""Whose exception it is."""

from fnmatch import fnmatchcase

from odoo import fields, models


class FinanceExceptionRule(models.Model):
    """Gives new exceptions an owner and a deadline; the first rule that fits wins."""

    _name = "finance.exception.rule"
    _description = "Exception Rule"
    _order = "sequence, id"

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    code_pattern = fields.Char(
        required=True, default="*", help="Code of the exceptions, * stands for anything: tax.*"
    )
    kind = fields.Selection([("business", "Business"), ("technical", "Technical")])
    company_id = fields.Many2one(
        "res.company", index=True, ondelete="cascade", help="Also for its branches."
    )
    connector_id = fields.Many2one("finance.connector", index=True, ondelete="cascade")
    user_id = fields.Many2one(
        "res.users", string="Owner", ondelete="cascade", domain="[('share', '=', False)]"
    )
    deadline_days = fields.Integer(default=2, help="Days until the exception is overdue.")

    _deadline_not_past = models.Constraint(
        "CHECK (deadline_days >= 0)", "A deadline can't lie before the exception."
    )

    def _fits(self, exception):
        """Whether the rule says whose ``exception`` is."""
        if not fnmatchcase(exception.code, self.code_pattern):
            return False
        if self.kind and self.kind != exception.kind:
            return False
        if self.connector_id and self.connector_id != exception.connector_id:
            return False
        return not self.company_id or self.company_id in exception.company_id.parent_ids
