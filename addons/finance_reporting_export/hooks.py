from .models.finance_connector import DESTINATIONS


def uninstall_hook(env):
    """Stop the destinations, erase their secrets, cancel what was never sent."""
    env["finance.connector"]._provider_leaves(DESTINATIONS)
    env["finance.export.tombstone"]._drop_all()
