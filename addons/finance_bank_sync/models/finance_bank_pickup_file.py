from odoo import fields, models

STATES = [
    ("seen", "Waits until it is complete"),
    ("taken", "Imported"),
    ("again", "Imported before"),
    ("refused", "Refused"),
]


class FinanceBankPickupFile(models.Model):
    """A file that was found at a place, and what became of it: none is imported twice."""

    _name = "finance.bank.pickup.file"
    _description = "Picked-up File"
    _order = "id desc"

    pickup_id = fields.Many2one(
        "finance.bank.pickup", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="pickup_id.company_id", store=True)
    name = fields.Char("File", required=True, readonly=True)
    size = fields.Integer("Bytes", readonly=True, aggregator=None)
    changed = fields.Integer("Written at", readonly=True, aggregator=None)
    digest = fields.Char("SHA-256", readonly=True, index="btree_not_null")
    state = fields.Selection(STATES, required=True, readonly=True, default="seen")
    seen_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    import_ids = fields.Many2many("finance.bank.import", string="Imports", readonly=True)

    _once = models.Constraint(
        "UNIQUE (pickup_id, name, size, changed)", "A file of a place is kept once."
    )
