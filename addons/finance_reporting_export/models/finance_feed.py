"""A feed: which rows with which columns. Built in (``feeds/``), or made of the fields of a model."""

from odoo import fields, models

from ..feeds import FEEDS


class FinanceFeed(models.Model):
    """A table that can be exported; where it goes and when is said by `finance.export`."""

    _name = "finance.feed"
    _description = "Feed"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Name of the feed's files; journal_items, say.")
    sequence = fields.Integer(default=100)
    active = fields.Boolean(default=True)
    builtin = fields.Boolean(readonly=True, help="Its columns come with the suite.")
    model_id = fields.Many2one("ir.model", "Model", ondelete="cascade")
    model = fields.Char(related="model_id.model", store=True)
    domain = fields.Char(default="[]", help="Which records, for a feed of your own.")
    version = fields.Integer("Schema Version", default=1, readonly=True, copy=False)
    column_ids = fields.One2many("finance.feed.column", "feed_id", "Columns", copy=True)

    _code_unique = models.Constraint("UNIQUE (code)", "There is a feed with this code already.")

    def _definition(self):
        """Return the `Feed` that this is: a built-in one, or what its columns say."""
        self.ensure_one()
        return FEEDS[self.code]
