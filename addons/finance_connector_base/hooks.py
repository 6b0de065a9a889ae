"""What happens once when the addon is installed or removed."""


def post_init_hook(env):
    """Give the main administrator the two roles needed to set the suite up."""
    admin = env.ref("base.user_admin", raise_if_not_found=False)
    if not admin:
        return
    roles = env.ref("finance_connector_base.group_administrator")
    roles |= env.ref("finance_connector_base.group_controller")
    admin.group_ids = [(4, role.id) for role in roles]


def uninstall_hook(env):
    """Leave Odoo as it was: our parameters and reminders go, everything else is dropped by Odoo."""
    env["ir.config_parameter"].sudo().search([("key", "=like", "finance_connector.%")]).unlink()
    # The guard's function would outlive the table, and dropping rows one by one would trip it.
    env["finance.audit.event"]._remove_guard()
    env["finance.audit.seal"]._remove_guard()
    # No model's, so they would stay.
    env.cr.execute("DROP SEQUENCE IF EXISTS finance_lane_worker_seq")
    env.cr.execute("DROP TABLE IF EXISTS finance_mark")
