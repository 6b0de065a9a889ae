from odoo import fields, models
from odoo.fields import Domain

from ..actions import listing


class AccountMove(models.Model):
    """An invoice says whether something about it waits for a person."""

    _name = "account.move"
    _inherit = ["account.move", "finance.timeline.mixin"]

    finance_exception_count = fields.Integer(
        "Open exceptions", compute="_compute_finance_exception_count"
    )

    def _compute_finance_exception_count(self):
        exceptions = self.env["finance.exception"]
        counts = {}
        if exceptions.has_access("read"):
            domain = self._finance_exception_domain() & Domain("state", "=", "open")
            counts = dict(exceptions._read_group(domain, ["document_id"], ["__count"]))
        for move in self:
            move.finance_exception_count = counts.get(move.id, 0)

    def _finance_exception_domain(self):
        return Domain("document_model", "=", self._name) & Domain("document_id", "in", self.ids)

    def action_finance_exceptions(self):
        """Open what waits for a person about these documents, closed exceptions among them."""
        exceptions = self.env["finance.exception"].search(self._finance_exception_domain())
        action = listing(
            self.env._("Exceptions"), "finance.exception", self._finance_exception_domain()
        )
        if len(exceptions) == 1:
            action |= {"view_mode": "form", "views": [(False, "form")], "res_id": exceptions.id}
        return action
