"""Plain Python of the addons, without Odoo.

Stub packages stand for ``odoo``, ``odoo.addons`` and each addon, so that, say,
``odoo.addons.finance_connector_base.providers.http`` imports with no addon's ``__init__`` run.
Whoever reaches for the rest of odoo there gets an ImportError, which is the rule.
"""

import sys
import types
from pathlib import Path

import pytest

from sandbox.client import SandboxProcess

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


@pytest.fixture(scope="session")
def sandbox_process():
    """The control of a sandbox on a free port, for all tests of this process."""
    with SandboxProcess() as control:
        yield control


@pytest.fixture
def sandbox(sandbox_process):
    """The control of a sandbox that is as new: ``sandbox.base_url``, ``.set_faults``."""
    sandbox_process.reset()
    return sandbox_process
