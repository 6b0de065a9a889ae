from uuid import uuid4

from odoo import fields, models


class FinanceTestNote(models.Model):
    """A record that test jobs work on: each job that is applied counts up."""

    _name = "finance.test.note"
    _inherit = ["finance.job.mixin"]
    _description = "Test Note"

    name = fields.Char()
    uuid = fields.Char(default=lambda self: str(uuid4()), copy=False)
    trace_id = fields.Char(default=lambda self: uuid4().hex, copy=False)
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    connector_id = fields.Many2one("finance.connector")
    applied = fields.Integer()
    answer = fields.Char()

    def action_enqueue(self, operation, revision=0, priority=10):
        """Enqueue one job a note, for tests that come over RPC; return the ids of the jobs."""
        return self._enqueue(operation, revision=revision, priority=priority).ids
