"""Plain Python of the addons in a process without Odoo."""

import importlib


def plain(name):
    """Return the module ``name`` of the addons, say ``finance_bank_sync.formats``."""
    importlib.import_module("tests.conftest")
    return importlib.import_module(f"odoo.addons.{name}")
