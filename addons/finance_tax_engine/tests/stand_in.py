"""A company whose vendors are stand-ins on real HTTP."""

import sys
from pathlib import Path

from odoo.tests.common import _super_send

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.finance_connector_base.tests.common import drain_jobs

# The sandbox lies beside the addons, in the root of the suite.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from sandbox.server import SandboxServer  # noqa: E402


class StandInCommon(AccountTestInvoicingCommon):
    """The sandbox in a thread, as new for each test, and a user who may do everything."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = SandboxServer().start()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        cls.sandbox = cls.server.sandbox
        cls.company = cls.company_data["company"]

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        """Let requests to the stand-in pass: Odoo's guard knows no (connect, read) time-outs."""
        if request.url.startswith(cls.server.url):
            return _super_send(session, request, **options)
        return super()._request_handler(session, request, **options)

    @classmethod
    def get_default_groups(cls):
        return (
            super().get_default_groups()
            | cls.env.ref("finance_connector_base.group_administrator")
            | cls.env.ref("finance_connector_base.group_controller")
        )

    def setUp(self):
        super().setUp()
        self.sandbox.reset()

    def drain(self, **options):
        """Run all jobs that are due."""
        drain_jobs(self.env, **options)
