"""Plain arithmetic of reconciliation statements and cash positions: no database, no Odoo."""
