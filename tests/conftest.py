"""Plain Python of the addons, without Odoo.

Stub packages stand for ``odoo``, ``odoo.addons`` and each addon, so that, say,
``odoo.addons.finance_connector_base.providers.http`` imports with no addon's ``__init__`` run.
Whoever reaches for the rest of odoo there gets an ImportError, which is the rule.
"""

import sys
import types
from pathlib import Path

ADDONS = Path(__file__).resolve().parent.parent / "addons"


def _stub(name, path):
    package = types.ModuleType(name, "Stub package for tests without Odoo.")
    package.__path__ = [str(folder) for folder in path]
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)


def _register_stubs():
    _stub("odoo", [])
    _stub("odoo.addons", [])
    for manifest in ADDONS.glob("finance_*/__manifest__.py"):
        _stub(f"odoo.addons.{manifest.parent.name}", [manifest.parent])


_register_stubs()
