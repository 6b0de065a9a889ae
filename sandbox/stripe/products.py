"""Stripe's tax codes, a few of them, and what they are in the tax tables."""

__all__ = ["PRODUCTS", "TAX_CODES", "SHIPPING"]

SHIPPING = "txcd_92010001"

#: Code → (name, description, code in sandbox.us_tax, rate class in sandbox.vat or None = no VAT).
PRODUCTS = {
    "txcd_99999999": (
        "General - Tangible Goods",
        "A physical good that can be moved or touched.",
        "P0000000",
        "standard",
    ),
    "txcd_00000000": ("Nontaxable", "Any nontaxable good or service.", "NT", None),
    "txcd_10000000": (
        "General - Electronically Supplied Services",
        "Services delivered over the internet.",
        "SP140000",
        "standard",
    ),
    "txcd_10103001": (
        "Software as a service (SaaS) - business use",
        "Software used over the internet by a business.",
        "SD020800",
        "standard",
    ),
    "txcd_10302000": ("Digital Books - permanent", "A book as a file.", "P0000000", "books"),
    "txcd_20030000": ("General - Services", "Services of people.", "SP140000", "standard"),
    "txcd_30011000": (
        "Clothing and Footwear",
        "Clothes for everyday use.",
        "PC040100",
        "standard",
    ),
    "txcd_40060003": ("Food for Non-Immediate Consumption", "Groceries.", "PF050001", "food"),
    SHIPPING: ("Shipping", "Shipping of goods that are taxed.", "FR020100", "standard"),
}

#: Code → Stripe's object.
TAX_CODES = {
    code: {"id": code, "object": "tax_code", "name": name, "description": description}
    for code, (name, description, _us, _vat) in PRODUCTS.items()
}
