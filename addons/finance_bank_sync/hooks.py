from .models.finance_connector import FEEDS


def uninstall_hook(env):
    """Stop the connectors of banks, erase their secrets, cancel what was never sent."""
    env["finance.connector"]._provider_leaves(FEEDS)
    env["finance.cash.snapshot"]._remove_guard()
