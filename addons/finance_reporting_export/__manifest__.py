{
    "name": "Finance Connect: Reporting Export",
    "summary": "The ledger to the warehouse: one snapshot, proved totals, no late commit lost",
    "description": "Feeds of the ledger for BI, consolidation and authorities. See README.md.",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["account", "analytic", "finance_connector_base"],
    "data": [
        "security/ir.model.access.csv",
        "security/rules.xml",
        "data/feeds.xml",
        "views/menus.xml",
    ],
    "uninstall_hook": "uninstall_hook",
}
