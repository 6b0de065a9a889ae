"""A field of our own."""

from odoo import fields


class WeakMany2one(fields.Many2one):
    """A Many2one without a foreign key in the database.

    For rows that an own connection writes while the business transaction is still open: a foreign
    key would make that connection wait for us, or refuse a record that is not committed yet. A row
    outlives the record it names; reading the name of a deleted record gives nothing.
    """

    def update_db_foreign_key(self, model, column):
        return

    def convert_to_record(self, value, record):
        """0, which jobs of no connector have, is no record."""
        return super().convert_to_record(value or None, record)


class BigInteger(fields.Integer):
    """A whole number of 64 bits: bytes of a file, say."""

    _column_type = ("int8", "int8")
