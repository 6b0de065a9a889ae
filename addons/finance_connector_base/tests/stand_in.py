"""Vendors played by the sandbox, on real HTTP."""

import sys
from pathlib import Path

from odoo.tests.common import _super_send

# The sandbox lies beside the addons, in the root of the suite.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from sandbox.server import SandboxServer  # noqa: E402


class StandIn:
    """The sandbox in a thread, as new for each test; comes before the test case in the bases."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = SandboxServer().start()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        cls.sandbox = cls.server.sandbox

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        """Let requests to the stand-in pass: Odoo's guard knows no (connect, read) time-outs."""
        if request.url.startswith(cls.server.url):
            return _super_send(session, request, **options)
        return super()._request_handler(session, request, **options)

    def setUp(self):
        super().setUp()
        self.sandbox.reset()
