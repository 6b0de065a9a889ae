{
    "name": "Finance Connect: Bank Sync",
    "summary": "Bank statements by file and by API: never twice, never half, matched, and the cash",
    "description": "Bank statements and cash. See README.md.",
    "version": "19.0.1.1.0",
    "category": "Accounting/Accounting",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["account", "finance_connector_base"],
    "data": [
        "security/ir.model.access.csv",
        "security/rules.xml",
        "views/menus.xml",
        "views/finance_bank_entry_views.xml",
        "views/finance_bank_statement_views.xml",
        "views/finance_bank_import_views.xml",
        "views/finance_bank_balance_views.xml",
    ],
}
