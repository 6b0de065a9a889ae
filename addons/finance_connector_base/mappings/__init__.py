"""Mappings: answers to a lookup, and lines as CSV. Plain Python: no Odoo import."""
