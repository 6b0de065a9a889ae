"""Seals of the audit trail and their verification. Plain Python: no Odoo import."""
