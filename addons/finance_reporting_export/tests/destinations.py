"""Destinations for tests: a folder of this machine, a connector with its options."""

import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.tools import config

FOLDERS, REGIONS = "finance_allowed_folders", "finance_export_regions"


def destination(env, provider, url, **options):
    """Return a tested connector of the environment *local* to a destination."""
    connector = env["finance.connector"].create({"name": "Warehouse", "provider": provider})
    connector.write({"environment": "local", "local_url": url})
    options = {"region": "de"} | options
    for row in (*connector.setting_ids, *connector.credential_ids):
        if row.environment == "local" and row.name in options:
            row.value = options[row.name]
    return connector


def folder(case):
    """Return (path, connector) of a folder that odoo.conf opens."""
    path = Path(case.enterContext(tempfile.TemporaryDirectory())).resolve()
    case.enterContext(patch.dict(config.options, {FOLDERS: str(path.parent), REGIONS: ""}))
    connector = destination(case.env, "export_folder", f"file://{path}")
    connector.action_test()
    return path, connector
