import logging
import os

from odoo.addons.finance_connector_base.models.finance_vault import VaultClosed

from .models.finance_connector import ENGINES, REGISTRIES

_logger = logging.getLogger(__name__)

# The sandbox's made-up account.
DEMO_ACCOUNT, DEMO_KEY = "1100000001", "SANDBOX-LICENSE-KEY-0001"
SANDBOX_PORT = "8099"


def post_init_hook(env):
    """Give the demo connector its made-up credentials, where there is a key to seal them with."""
    connector = env.ref("finance_tax_engine.demo_connector", raise_if_not_found=False)
    if not connector:
        return
    port = os.environ.get("FINANCE_SANDBOX_PORT", SANDBOX_PORT)
    connector.local_url = f"http://127.0.0.1:{port}/avatax"
    connector.setting_ids.filtered(lambda row: row.name == "account_id").value = DEMO_ACCOUNT
    workflow_rows = connector.workflow_ids.setting_ids
    workflow_rows.filtered(lambda row: row.name == "company_code").value = "DEFAULT"
    try:
        connector.credential_ids.filtered(lambda row: row.name == "license_key").value = DEMO_KEY
    except VaultClosed as closed:
        _logger.warning("The demo connector %s has no license key: %s", connector.name, closed)
        connector.message_post(body=str(closed))
        return
    # A stand-in on this machine needs no test before it is used.
    connector._by_action({"state": "ready"})


def uninstall_hook(env):
    """Stop connectors of tax engines and registries, erase their secrets, cancel what was never sent."""
    env["finance.connector"]._provider_leaves(ENGINES | REGISTRIES)
