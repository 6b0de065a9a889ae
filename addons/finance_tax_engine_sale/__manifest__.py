{
    "name": "Finance Connect: Tax Engine on Orders",
    "summary": "Quotations and orders show the tax engine's amounts, and invoices carry them on",
    "description": "Tax of a tax engine on quotations and orders. See README.md.",
    "version": "19.0.1.1.0",
    "category": "Accounting/Accounting",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["finance_tax_engine", "sale"],
    "data": [
        "views/sale_order_views.xml",
        "views/finance_tax_document_views.xml",
    ],
    "auto_install": True,
    "uninstall_hook": "uninstall_hook",
}
