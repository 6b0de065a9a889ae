"""Amounts in the currency of the group, after IAS 21. No Odoo in here."""
