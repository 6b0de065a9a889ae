from odoo import fields, models

from ..canonical.schema import PERSONAL

PERSONAL_WORDS = {
    "name": "Name of a person or partner",
    "account_number": "Bank account number",
    "tax_id": "Tax id",
}


class FinanceFeedColumn(models.Model):
    """A column of a feed that a user has defined."""

    _name = "finance.feed.column"
    _description = "Column of a Feed"
    _order = "sequence, id"

    feed_id = fields.Many2one("finance.feed", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, help="As in the file: small letters, digits and _.")
    source = fields.Char(
        "Field", required=True, help="Fields from the feed's model, with dots: partner_id.ref, say."
    )
    meaning = fields.Char(translate=True)
    personal = fields.Selection([(kind, PERSONAL_WORDS[kind]) for kind in PERSONAL if kind])

    _name_unique = models.Constraint("UNIQUE (feed_id, name)", "A feed has one column of a name.")
