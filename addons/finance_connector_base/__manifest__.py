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
