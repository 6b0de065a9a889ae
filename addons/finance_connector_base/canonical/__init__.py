"""The language in which Odoo records and vendors meet: frozen dataclasses and their text form."""
