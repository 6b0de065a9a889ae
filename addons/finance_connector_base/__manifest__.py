{
    "name": "Finance Connect",
    "summary": "Connectors, sealed credentials, jobs, exceptions and evidence for finance integrations",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["account"],
    "external_dependencies": {"python": ["cryptography", "requests"]},
    "data": [
        "security/groups.xml",
        "security/ir.model.access.csv",
        "security/rules.xml",
        "data/lanes.xml",
        "data/connector_cron.xml",
        "views/finance_connector_views.xml",
        "views/finance_credential_views.xml",
        "views/finance_workflow_views.xml",
        "views/res_config_settings_views.xml",
        # actions before the menus that open them
        "views/menus.xml",
    ],
    "demo": [
        "demo/users.xml",
    ],
    "application": True,
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
}
