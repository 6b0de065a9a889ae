"""Configuration files: their text, and what differs between two. Plain Python: no Odoo import."""
