import base64
import os
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools import config

from .vendor import KEY, KEY_2, ConnectorCase


@tagged("post_install", "-at_install")
class TestSettings(ConnectorCase):
    """The Finance Connect block in Settings."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin.group_ids += cls.env.ref("base.group_system")

    def settings(self, user=None):
        return self.env["res.config.settings"].with_user(user or self.admin).create({})

    def test_says_which_key_seals(self):
        settings = self.settings()
        self.assertTrue(settings.finance_vault_ready)
        self.assertIn("test-1", settings.finance_vault_words)

    def test_says_where_to_put_a_key(self):
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": "", "FINANCE_VAULT_KEY_FILE": ""}):
            settings = self.settings()
            self.assertFalse(settings.finance_vault_ready)
            self.assertIn("finance_vault_key_file", settings.finance_vault_words)

    def test_seals_again_with_a_new_key(self):
        self.forget_demo()
        self.enter()
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": f"{KEY_2},{KEY}"}):
            self.assertIn(
                "1 values are still sealed with test-1", self.settings().finance_vault_words
            )
            self.settings().action_finance_reseal()
            self.assertNotIn("test-1", self.settings().finance_vault_words)
        event = self.events("vault.resealed")
        self.assertEqual(event.data, {"values": 1, "key": "test-2"})
        self.assertNotIn(base64.b64encode(b"2" * 32).decode(), str(event.data))

    def test_buttons_are_for_connector_administrators(self):
        self.user.group_ids += self.env.ref("base.group_system")
        for button in (
            "action_finance_reseal",
            "action_finance_confirm_database",
            "action_finance_metrics_token",
            "action_finance_metrics_close",
        ):
            with self.assertRaises(AccessError):
                getattr(self.settings(self.user), button)()

    def test_warns_of_too_few_threads(self):
        with patch.dict(config.options, {"max_cron_threads": 2}):
            self.assertTrue(self.settings().finance_lane_warning)
        with patch.dict(config.options, {"max_cron_threads": 4}):
            settings = self.settings()
            self.assertFalse(settings.finance_lane_warning, settings.finance_lane_words)

    def test_policy_change_is_an_event(self):
        settings = self.settings()
        settings.finance_production_policy = "other_person"
        settings.set_values()
        self.assertEqual(self.events("policy.changed").data["after"], "other_person")

    def test_form_opens(self):
        with Form(self.env["res.config.settings"].with_user(self.admin)) as form:
            form.finance_retention_days = 30
        self.assertEqual(self.env["finance.job"]._retention_days(), 90, "not before it is applied")
