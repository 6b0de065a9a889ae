{
    "name": "Finance Connect: operations for tests",
    "summary": "Small operations that crash, slow and concurrency tests and benchmarks run",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["finance_connector_base"],
    "data": ["security/ir.model.access.csv"],
    "installable": True,
}
