"""What a server spends on nothing that the system tests ask: a second of CPU and more each start."""

import os

from odoo.addons.base.models import res_users
from odoo.service.server import PreforkServer


def spare():
    """Hash passwords in one round; start no process for WebSockets unless a browser comes."""
    res_users.MIN_ROUNDS = 1
    if not os.environ.get("FINANCE_TEST_WEBSOCKETS"):
        PreforkServer.long_polling_spawn = lambda server: None
