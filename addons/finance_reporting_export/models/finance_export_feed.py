from odoo import fields, models

MODES = [
    ("full", "Everything"),
    ("period", "The period"),
    ("incremental", "What has changed"),
]


class FinanceExportFeed(models.Model):
    """One feed of an export: how much of it goes, and how far the receiver has it."""

    _name = "finance.export.feed"
    _description = "Feed of an Export"
    _order = "export_id, sequence, id"
    _rec_name = "feed_id"

    export_id = fields.Many2one("finance.export", required=True, index=True, ondelete="cascade")
    feed_id = fields.Many2one("finance.feed", required=True, ondelete="restrict")
    sequence = fields.Integer(default=10)
    mode = fields.Selection(MODES, required=True, default="full")

    _feed_unique = models.Constraint("UNIQUE (export_id, feed_id)", "An export has a feed once.")
