from odoo import fields, models


class FinanceAuditEvent(models.Model):
    """What the next version might add: one plain column."""

    _inherit = "finance.audit.event"

    next_version = fields.Char()
