import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..canonical.schema import PERSONAL, Column
from .feed_query import field_of

NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")
TYPES = {
    "integer": "integer",
    "many2one": "integer",
    "many2one_reference": "integer",
    "char": "string",
    "text": "string",
    "html": "string",
    "selection": "string",
    "date": "date",
    "datetime": "datetime",
    "monetary": "decimal",
    "float": "decimal",
    "boolean": "boolean",
    "json": "json",
    "properties": "json",
}
# Fields that say who somebody is, whatever the user says of them.
PERSONAL_FIELDS = {
    ("res.partner", "name"): "name",
    ("res.partner", "display_name"): "name",
    ("res.partner", "complete_name"): "name",
    ("res.partner", "email"): "name",
    ("res.partner", "phone"): "name",
    ("res.partner", "street"): "name",
    ("res.users", "login"): "name",
    ("res.partner", "vat"): "tax_id",
    ("res.partner.bank", "acc_number"): "account_number",
    ("res.partner.bank", "sanitized_acc_number"): "account_number",
}
# Places of numbers that are no money and have no places of their own.
PLACES = 10

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

    @api.constrains("name", "source", "feed_id")
    def _check_column(self):
        for row in self.filtered(lambda row: row.feed_id.model in self.env):
            if not NAME.fullmatch(row.name or ""):
                raise ValidationError(
                    self.env._(
                        "%(name)s can't name a column everywhere. Use small letters, digits and "
                        "_, beginning with a letter.",
                        name=row.name,
                    )
                )
            row._check_source(self.env[row.feed_id.model])

    def _check_source(self, model):
        field = field_of(model, self.source or "")
        if field is None or field.type not in TYPES or not _in_database(field):
            raise ValidationError(
                self.env._(
                    "%(name)s: %(path)s is not a field of %(model)s that the database keeps. "
                    "Choose a stored field, with dots from record to record.",
                    name=self.name,
                    path=self.source,
                    model=model._description,
                )
            )

    def _column(self, model):
        """Return the canonical Column of this row."""
        field = field_of(model, self.source)
        type_ = TYPES[field.type]
        return Column(
            name=self.name,
            type=type_,
            meaning=self.meaning or field.string or self.name,
            source=self.source,
            scale=_places(self.env, field) if type_ == "decimal" else None,
            personal=self.personal or PERSONAL_FIELDS.get((field.model_name, field.name), ""),
        )

    def _check_readable(self):
        """Nobody makes a feed of what is closed to him; constraints would ask as superuser."""
        for row in self:
            _may_read(self.env[row.feed_id.sudo().model], row.source)

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._check_readable()
        rows.feed_id._next_version()
        return rows

    def write(self, vals):
        result = super().write(vals)
        self._check_readable()
        self.feed_id._next_version()
        return result

    def unlink(self):
        feeds = self.feed_id
        result = super().unlink()
        feeds._next_version()
        return result


def _may_read(model, path):
    """Raise AccessError where the user of ``model`` may not read a field of a path."""
    *links, last = path.split(".")
    for link in links:
        model.browse().check_access("read")
        model._check_field_access(model._fields[link], "read")
        model = model.env[model._fields[link].comodel_name]
    model.browse().check_access("read")
    model._check_field_access(model._fields[last], "read")


def _in_database(field):
    return field.store or bool(field.related)


def _places(env, field):
    """Return the scale of a number: None for money, which has its currency's."""
    if field.type == "monetary":
        return None
    digits = field.get_digits(env)
    return digits[1] if digits else PLACES
