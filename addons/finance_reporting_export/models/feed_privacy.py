"""What is done to columns that tell of persons."""

from odoo.tools import SQL

# Without a choice of its own: names stay here, numbers become digests.
DEFAULT = {"": "open", "name": "drop", "account_number": "hash", "tax_id": "hash"}


def guarded(sql, rows, column, privacy, salt):
    """Return the SQL of a column as it may leave the house.

    "hash": SHA-256 of the salt and the value, as hexadecimal digits; the same value is the same
    digest in all feeds of an export, and nobody without the salt can try values. "token":
    "res.partner/17", which Odoo can resolve.
    """
    if privacy == "hash":
        return SQL("encode(sha256(convert_to(%s || (%s)::text, 'UTF8')), 'hex')", salt, sql)
    if privacy == "token":
        *links, _last = column.source.split(".")
        model = rows.model
        for link in links:
            model = model.env[model._fields[link].comodel_name]
        record = rows.value(".".join((*links, "id")))
        return SQL("CASE WHEN %s IS NOT NULL THEN %s || %s END", sql, f"{model._name}/", record)
    return sql
