"""``python -m …evidence verify FILE``, and ``python <this folder> verify FILE`` without Odoo."""

import importlib
import sys
import types
from pathlib import Path


def _as_package(folder):
    """Name this folder's package in an addon whose own ``__init__``, which wants Odoo, never runs."""
    addon = types.ModuleType(folder.parent.name)
    addon.__path__ = [str(folder.parent)]
    sys.modules[addon.__name__] = addon
    return f"{addon.__name__}.{folder.name}"


if __name__ == "__main__":
    package = __package__ or _as_package(Path(__file__).resolve().parent)
    sys.exit(importlib.import_module(f"{package}.cli").main())
