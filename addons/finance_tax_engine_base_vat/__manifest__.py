{
    "name": "Finance Connect: VAT Checks with VAT Number Validation",
    "summary": "“Intra-Community Valid” rests on evidence, and an outage no longer reads as invalid",
    "description": "Evidence of VAT checks for Odoo's own field. See README.md.",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["finance_tax_engine", "base_vat"],
    "data": ["views/res_partner_views.xml"],
    "auto_install": True,
}
