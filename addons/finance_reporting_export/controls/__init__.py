"""Proof that a file holds what the ledger holds: read back, added up, compared. No Odoo in here."""
