"""What happens once when the addon is removed."""


def uninstall_hook(env):
    """Estimates of orders go: without the addon nobody knows what they belong to."""
    env["finance.tax.document"].search([("order_id", "!=", False)]).unlink()
