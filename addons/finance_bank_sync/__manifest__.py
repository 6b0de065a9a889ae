{
    "name": "Finance Connect: Bank Sync",
    "summary": "Bank statements in every common format, read exactly or refused with the reason",
    "description": "Bank statements. See README.md.",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["account", "finance_connector_base"],
}
