"""A made-up vendor and the set-up that tests of connectors share."""

import base64
import os
import tempfile
from unittest.mock import patch

from odoo.tests import TransactionCase, new_test_user

from ..providers.base import Provider, Setting
from ..providers.errors import AuthFailed

KEY = "test-1:" + base64.b64encode(b"1" * 32).decode()
KEY_2 = "test-2:" + base64.b64encode(b"2" * 32).decode()
SECRET = "sk-planted-secret-0815-WXYZ"
SECRET_2 = "sk-another-secret-4711-ABCD"


class Acme(Provider):
    """Accepts the API keys in `accepted`, or raises `failure`."""

    code, label = "acme", "Acme Tax"
    hosts = {
        "sandbox": "https://sandbox.acme.example.com/",
        "production": "https://api.acme.example.com",
    }
    settings = (
        Setting("account", "Account number", check=r"\d+", default="1000"),
        Setting("api_key", "API key", secret=True, check=r"\S{8,}", help="From your profile"),
    )
    company_settings = (Setting("company_code", "Company code"),)
    api_version = "v7"
    rate = (5.0, 10)
    accepted = {SECRET}
    failure = None

    def ping(self):
        if self.failure:
            raise self.failure
        if self.config.settings["api_key"] not in self.accepted:
            raise AuthFailed("Acme refuses the API key", code="401", status=401)
        return f"Account {self.config.settings['account']} at {self.config.base_url}"


class SelfHosted(Provider):
    """A vendor whose server stands anywhere."""

    code, label = "selfhosted", "Self Hosted"

    def ping(self):
        return self.config.base_url


class ConnectorCase(TransactionCase):
    """A connector of the made-up vendor, and one user per role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        places = {"FINANCE_VAULT_KEYS": KEY, "FINANCE_EVIDENCE_DIR": folder}
        cls.startClassPatcher(patch.dict(os.environ, places))
        cls.startClassPatcher(
            patch.object(
                cls.registry["finance.connector"],
                "_provider_classes",
                lambda self: {"acme": Acme, "selfhosted": SelfHosted},
            )
        )
        cls.startClassPatcher(
            patch.object(cls.registry["finance.workflow"], "_flows", lambda self: {"tax": "Tax"})
        )
        cls.user, cls.admin, cls.admin_2, cls.auditor = (
            new_test_user(cls.env, login, f"finance_connector_base.{group}")
            for login, group in (
                ("f_user", "group_user"),
                ("f_admin", "group_administrator"),
                ("f_admin_2", "group_administrator"),
                ("f_auditor", "group_auditor"),
            )
        )
        cls.connector = (
            cls.env["finance.connector"]
            .with_user(cls.admin)
            .create(
                {
                    "name": "Acme main",
                    "provider": "acme",
                }
            )
        )
        cls.company = cls.connector.sudo().company_ids

    def setUp(self):
        super().setUp()
        self.startPatcher(patch.multiple(Acme, accepted={SECRET}, failure=None))

    def credential(self, environment="sandbox", connector=None):
        """The API key of the connector, as the administrator sees it."""
        connector = connector or self.connector
        return connector.credential_ids.filtered(
            lambda row: row.name == "api_key" and row.environment == environment
        )

    def enter(self, value=SECRET, environment="sandbox"):
        """Enter the API key."""
        self.credential(environment).value = value

    def forget_demo(self):
        """Erase what demo data sealed with the server's own key."""
        mine = self.connector.sudo().credential_ids
        self.env["finance.credential"].sudo().search([("id", "not in", mine.ids)])._erase()

    def make_ready(self):
        """Enter the API key and pass the test."""
        self.enter()
        self.connector.action_test()
        self.assertEqual(self.connector.state, "ready")

    def events(self, kind):
        """Audit events of a kind."""
        return self.env["finance.audit.event"].sudo().search([("kind", "=", kind)])

    def open_exceptions(self, code):
        """Open exceptions of the connector."""
        return (
            self.env["finance.exception"]
            .sudo()
            .search(
                [
                    ("code", "=", code),
                    ("connector_id", "=", self.connector.id),
                    ("state", "=", "open"),
                ]
            )
        )
