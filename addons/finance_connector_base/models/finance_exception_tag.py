"""Words that people sort exceptions by."""

from random import randint

from odoo import fields, models


class FinanceExceptionTag(models.Model):
    """A tag of exceptions."""

    _name = "finance.exception.tag"
    _description = "Exception Tag"
    _order = "name"

    name = fields.Char(required=True, translate=True)
    color = fields.Integer(default=lambda self: randint(1, 11))

    _name_unique = models.Constraint("UNIQUE (name)", "There is a tag of this name already.")
