"""What bookings share about journal items."""

from odoo import models

# Journal items of a bank line are changed here alone, knowing what follows.
QUIET = {
    "skip_account_move_synchronization": True,
    "skip_readonly_check": True,
    "force_delete": True,
}
# Where account and partner change, and no amount: nothing is to be balanced or computed anew.
PLAIN = {"skip_invoice_sync": True, "check_move_validity": False}
# What is kept of a journal item before it is changed, and put back when a match is undone.
KEPT = ("account_id", "partner_id", "name", "currency_id", "amount_currency", "balance")
# Fields of an item that are set when it is made, or never.
TAXES = {"tax_ids", "tax_tag_ids", "tax_repartition_line_id"}


def quiet(companies):
    """Return the context to change journal items in. A restrictive audit trail is of what Odoo tracks
    of each item; elsewhere the match and its event say it all."""
    return QUIET | {"tracking_disable": not any(companies.mapped("restrictive_audit_trail"))}


def plain(value):
    """Return an id for a record, else the value."""
    return value.id if isinstance(value, models.BaseModel) else value
