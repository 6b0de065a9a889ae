{
    "name": "Finance Connect: Tax Engine on Debit Notes",
    "summary": "Debit notes are taxed as on the day of the invoice that they correct",
    "description": "Tax of a tax engine on debit notes. See README.md.",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["finance_tax_engine", "account_debit_note"],
    "auto_install": True,
}
