{
    "name": "Finance Connect: one more column",
    "summary": "What an update of the suite does to the audit table, for tests",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["finance_connector_base"],
    "installable": True,
}
