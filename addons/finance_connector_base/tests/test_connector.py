import json
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import config, file_open, mute_logger

from ..models.finance_connector import POLICY_PARAMETER, ConnectorClosed
from ..providers.errors import Transient
from .vendor import SECRET, SECRET_2, Acme, ConnectorCase


@tagged("post_install", "-at_install")
class TestConnector(ConnectorCase):
    """A connector: made, tested, stopped."""

    def test_takes_limits_and_version_from_the_provider(self):
        self.assertEqual(self.connector.api_version, "v7")
        self.assertEqual((self.connector.rate_per_second, self.connector.rate_burst), (5.0, 10))
        self.assertEqual(self.connector.environment, "sandbox")
        self.assertEqual(self.connector.state, "draft")
        gate = self.env["finance.gate"]._of(self.connector)
        self.assertEqual((gate.rate, gate.burst), (5.0, 10))

    def test_version_stays_pinned_when_the_provider_moves_on(self):
        with patch.object(Acme, "api_version", "v8"):
            self.connector.invalidate_recordset()
            self.assertEqual(self.connector.api_version, "v7")

    def test_form_can_be_filled_in(self):
        form = Form(self.env["finance.connector"].with_user(self.admin))
        form.name = "From the form"
        form.provider = "acme"
        self.assertEqual(form.api_version, "v7")
        connector = form.save()
        self.assertEqual(len(connector.credential_ids), 2)

    def test_limits_reach_the_gate(self):
        self.connector.rate_per_second = 1.5
        self.assertEqual(self.env["finance.gate"]._of(self.connector).rate, 1.5)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            self.connector.rate_per_second = 0
            self.env.flush_all()

    # === CONFIG === #

    def test_config_has_all_a_provider_needs(self):
        self.enter()
        found = self.connector.with_user(self.user)._config(self.company)
        self.assertEqual(found.base_url, "https://sandbox.acme.example.com")
        self.assertEqual(found.settings, {"account": "1000", "api_key": SECRET})
        self.assertEqual(found.secrets, (SECRET,))
        self.assertEqual(found.company_id, self.company.id)
        self.assertNotIn(SECRET, repr(found))

    def test_missing_value_is_named(self):
        with self.assertRaisesRegex(ConnectorClosed, "API key"):
            self.connector._config(self.company)

    def test_company_that_is_not_served(self):
        self.enter()
        other = self.env["res.company"].create({"name": "Not served"})
        with self.assertRaisesRegex(ConnectorClosed, "Not served"):
            self.connector._config(other)

    def test_local_environment_stays_on_this_machine(self):
        self.connector.environment = "local"
        self.credential("local").value = SECRET
        with self.assertRaises(ConnectorClosed):
            self.connector._config(self.company)
        with self.assertRaises(ValidationError):
            self.connector.local_url = "http://sandbox.example.com"
        self.connector.local_url = "http://localhost:8099/acme/"
        self.assertEqual(
            self.connector._config(self.company).base_url, "http://localhost:8099/acme"
        )

    def test_local_address_is_checked_again_on_the_way_out(self):
        self.connector.environment = "local"
        self.credential("local").value = SECRET
        self.env.cr.execute(
            "UPDATE finance_connector SET local_url = 'http://evil.example.com' WHERE id = %s",
            [self.connector.id],
        )
        self.connector.invalidate_recordset()
        with self.assertRaises(ConnectorClosed):
            self.connector._config(self.company)

    def test_self_hosted_only_from_the_list_in_odoo_conf(self):
        connector = self.env["finance.connector"].create(
            {
                "name": "Own server",
                "provider": "selfhosted",
                "target_url": "https://gw.example.com/api",
            }
        )
        with self.assertRaisesRegex(ConnectorClosed, "finance_allowed_hosts = gw.example.com"):
            connector._config(self.company)
        with patch.dict(config.options, {"finance_allowed_hosts": "gw.example.com"}):
            self.assertEqual(connector._config(self.company).base_url, "https://gw.example.com/api")

    # === TEST, STOP, RESUME === #

    def test_passed_test_makes_it_ready(self):
        self.enter()
        answer = self.connector.action_test()
        self.assertEqual(answer["params"]["type"], "success")
        self.assertIn("Account 1000", answer["params"]["message"])
        self.assertEqual((self.connector.state, self.connector.health), ("ready", "good"))
        self.assertTrue(self.connector._is_open_for_effects())
        self.assertTrue(self.events("connector.tested"))

    def test_refused_credentials_need_attention_until_a_test_passes(self):
        self.enter(SECRET_2)
        answer = self.connector.action_test()
        self.assertEqual(answer["params"]["type"], "danger")
        self.assertEqual((self.connector.state, self.connector.health), ("attention", "bad"))
        self.assertIn("refuses the API key", self.connector.health_words)
        exception = self.open_exceptions("connector.auth")
        self.assertEqual(len(exception), 1)
        self.assertFalse(self.connector._is_open_for_effects())
        self.enter(SECRET)
        self.connector.action_test()
        self.assertEqual(self.connector.state, "ready")
        self.assertFalse(self.open_exceptions("connector.auth"))

    def test_vendor_that_is_down_changes_nothing(self):
        self.make_ready()
        Acme.failure = Transient("Acme is down")
        answer = self.connector.action_test()
        self.assertIn("Acme is down", answer["params"]["message"])
        self.assertEqual(self.connector.state, "ready")

    def test_missing_value_is_told_by_the_test(self):
        answer = self.connector.action_test()
        self.assertEqual(answer["params"]["type"], "danger")
        self.assertIn("API key", answer["params"]["message"])

    def test_stop_and_resume(self):
        self.make_ready()
        self.connector.action_pause()
        gate = self.env["finance.gate"]._of(self.connector)
        self.assertEqual((self.connector.state, gate.stopped), ("paused", True))
        self.assertFalse(self.connector._is_open_for_effects())
        with self.assertRaisesRegex(ConnectorClosed, "stopped"):
            self.connector._config(self.company)
        self.connector.action_test()
        self.assertEqual(self.connector.state, "paused", "a test doesn't resume")
        self.connector.action_resume()
        self.assertEqual((self.connector.state, gate.stopped), ("ready", False))

    def test_open_breaker_does_not_keep_the_test_away(self):
        self.make_ready()
        gate = self.env["finance.gate"]._of(self.connector)
        gate.write({"breaker": "open", "open_until": "2999-01-01", "failures": 9})
        self.assertEqual(self.connector.health, "bad")
        answer = self.connector.action_test()
        self.assertEqual(answer["params"]["type"], "success")
        self.assertEqual(gate.breaker, "closed")

    def test_buttons_are_for_administrators(self):
        for who in (self.user, self.auditor):
            connector = self.connector.with_user(who)
            for button in (
                "action_test",
                "action_pause",
                "action_resume",
                "action_switch_to_production",
                "action_switch_to_sandbox",
            ):
                with self.assertRaises(AccessError):
                    getattr(connector, button)()
            with self.assertRaises(AccessError):
                connector.write({"name": "Renamed"})

    def test_denied_button_leaves_an_event_that_stays(self):
        """Written apart; assertRaises would take the savepoint of the test away with it."""
        try:
            self.connector.with_user(self.user).action_pause()
            self.fail("should be refused")
        except AccessError:
            event = self.events("action.denied")
        self.assertEqual(event.user_id, self.user)
        self.assertEqual(event.connector_id, self.connector)
        self.assertEqual(event.data, {"action": "connector.pause", "count": 1, "rule": "group"})

    # === STATE IS NOT WRITTEN BY HAND === #

    def test_plain_write_import_and_create_can_not_set_the_state(self):
        connectors = self.env["finance.connector"].with_user(self.admin)
        for vals in (
            {"state": "ready"},
            {"environment": "production"},
            {"tested_at": "2026-01-01"},
            {"attention_reason": "x"},
        ):
            with self.assertRaises(AccessError):
                self.connector.write(vals)
            with self.assertRaises(AccessError):
                self.connector.sudo().write(vals)
        for vals in ({"state": "ready"}, {"environment": "production"}):
            with self.assertRaises(AccessError):
                connectors.create({"name": "x", "provider": "acme", **vals})
            with self.assertRaises(AccessError):
                context = {f"default_{name}": value for name, value in vals.items()}
                connectors.with_context(**context).create({"name": "x", "provider": "acme"})
        with self.assertRaises(AccessError):
            self.connector.with_context(finance_write="BY_ACTION").write({"state": "ready"})
        result = connectors.load(
            ["name", "provider", "environment"], [["Imported", "acme", "production"]]
        )
        self.assertFalse(result["ids"])

    def test_copy_starts_from_the_beginning(self):
        self.make_ready()
        copied = self.connector.copy()
        self.assertEqual((copied.state, copied.environment), ("draft", "sandbox"))
        self.assertFalse(copied.tested_at)

    def test_what_was_tested_must_be_tested_again(self):
        self.make_ready()
        self.connector.api_version = "v8"
        self.assertEqual(self.connector.state, "draft")
        self.assertFalse(self.connector._is_open_for_effects())

    def test_provider_of_a_connector_in_use_stays(self):
        self.enter()
        with self.assertRaises(UserError):
            self.connector.provider = "selfhosted"

    def test_provider_can_be_corrected_before(self):
        self.connector.provider = "selfhosted"
        self.assertFalse(self.connector.credential_ids)

    # === PROVIDER GONE === #

    def test_unknown_provider_is_said_and_never_a_key_error(self):
        self.make_ready()
        with patch.object(self.registry["finance.connector"], "_provider_classes", lambda self: {}):
            self.connector.invalidate_recordset()
            with self.assertRaisesRegex(ConnectorClosed, "acme"):
                self.connector._config(self.company)
            self.assertFalse(self.connector._is_open_for_effects())
            self.connector.web_read(
                {
                    "provider": {},
                    "health": {},
                    "health_words": {},
                    "dashboard_graph": {},
                    "credential_ids": {"fields": {"label": {}}},
                }
            )
            self.env["finance.connector"]._cron_daily()
            self.assertEqual(self.connector.state, "paused")
            self.assertTrue(self.open_exceptions("provider.unknown"))
            with self.assertRaises(ConnectorClosed):
                self.connector.action_resume()
        self.connector.action_resume()
        self.assertFalse(self.open_exceptions("provider.unknown"))

    def test_leaving_addon_stops_connectors_and_erases_secrets(self):
        self.make_ready()
        self.env["finance.connector"]._provider_leaves(["acme"])
        self.assertEqual(self.connector.state, "paused")
        self.assertFalse(self.credential().has_value)
        self.assertTrue(self.open_exceptions("provider.unknown"))

    # === DASHBOARD === #

    def test_dashboard_shows_counters_and_graph(self):
        self.make_ready()
        self.connector._raise_exception("connector.auth", message="x")
        self.env["finance.exchange"].sudo().create(
            {
                "connector_id": self.connector.id,
                "company_id": self.company.id,
                "operation": "ping",
                "started_at": "2026-01-01",
                "outcome": "ok",
            }
        )
        seen = self.connector.with_user(self.user)
        self.assertEqual(seen.exception_count, 1)
        self.assertEqual((seen.waiting_count, seen.unknown_count), (0, 0))
        graph = json.loads(seen.dashboard_graph)
        self.assertEqual(len(graph[0]["values"]), 14)
        for button in (
            "action_open_exceptions",
            "action_open_waiting",
            "action_open_unknown",
            "action_open_exchanges",
        ):
            action = getattr(seen, button)()
            self.env[action["res_model"]].with_user(self.user).search(action["domain"])

    def test_health_in_the_readers_language(self):
        self.make_ready()
        self.assertRegex(self.connector.last_success_words, r"second.* ago")


@tagged("post_install", "-at_install")
class TestProduction(ConnectorCase):
    """Production: by the button, in the confirmed database, by whom the policy allows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["finance.binding"].sudo().search([]).unlink()

    def fill_production(self, who=None):
        rows = self.connector.sudo().setting_ids.filtered(
            lambda row: row.environment == "production"
        )
        rows.with_user(who or self.admin).value = "2000"
        self.credential("production").with_user(who or self.admin).value = SECRET

    def in_production(self):
        self.fill_production()
        self.connector.action_switch_to_production()
        self.connector.action_test()

    def test_switch_needs_everything_filled_in(self):
        with self.assertRaisesRegex(UserError, "API key"):
            self.connector.action_switch_to_production()

    def test_switch_then_test_then_production(self):
        self.make_ready()
        self.fill_production()
        self.connector.action_switch_to_production()
        self.assertEqual(
            (self.connector.environment, self.connector.state), ("production", "draft")
        )
        self.connector.action_test()
        self.assertTrue(self.connector._is_open_for_effects())
        found = self.connector._config(self.company)
        self.assertEqual(found.base_url, "https://api.acme.example.com")
        self.assertEqual(found.settings["account"], "2000")
        event = self.events("connector.environment")
        self.assertEqual(event.data, {"before": "sandbox", "after": "production"})
        with self.assertRaises(AccessError):
            self.connector.environment = "sandbox"
        self.connector.action_switch_to_sandbox()
        self.assertEqual(self.connector.environment, "sandbox")

    def test_policy_of_another_person(self):
        self.env["ir.config_parameter"].sudo().set_param(POLICY_PARAMETER, "other_person")
        self.fill_production(self.admin)
        with self.assertRaisesRegex(UserError, "other than"):
            self.connector.action_switch_to_production()
        self.connector.with_user(self.admin_2).action_switch_to_production()
        self.assertEqual(self.connector.environment, "production")

    def test_no_switch_with_unfinished_jobs(self):
        self.fill_production()
        with (
            patch.object(
                self.registry["finance.connector"],
                "_check_no_unfinished_jobs",
                side_effect=UserError("unfinished"),
            ),
            self.assertRaisesRegex(UserError, "unfinished"),
        ):
            self.connector.action_switch_to_production()

    def test_copy_of_the_database_can_not_call_production(self):
        self.in_production()
        binding = self.env["finance.binding"]._last()
        for change in (
            {"database_oid": "1"},
            {"database_name": "the-original"},
            {"database_uuid": "other"},
        ):
            binding.write(change)
            self.assertFalse(self.connector._is_open_for_effects())
            with self.assertRaisesRegex(ConnectorClosed, "copy"):
                self.connector._config(self.company)
            answer = self.connector.action_test()
            self.assertEqual(answer["params"]["type"], "danger")
            binding.unlink()
            binding = self.env["finance.binding"]._confirm()
        self.assertTrue(self.connector._is_open_for_effects())

    def test_no_switch_in_a_copy(self):
        self.fill_production()
        self.env["finance.binding"]._confirm().database_oid = "1"
        with self.assertRaisesRegex(ConnectorClosed, "copy"):
            self.connector.action_switch_to_production()

    def test_neutralised_database_can_not_call_production(self):
        self.in_production()
        self.env["ir.config_parameter"].sudo().set_param("database.is_neutralized", "true")
        self.assertFalse(self.connector._is_open_for_effects())
        with self.assertRaisesRegex(ConnectorClosed, "neutralised"):
            self.connector._config(self.company)
        with self.assertRaises(UserError):
            self.env["finance.binding"]._confirm()

    def test_neutralize_script(self):
        self.in_production()
        self.env.flush_all()
        path = "finance_connector_base/data/neutralize.sql"
        with file_open(path) as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertEqual(self.connector.state, "paused")
        self.assertFalse(self.credential("production").has_value)
        self.assertFalse(self.env["finance.binding"]._last())

    def test_binding_is_confirmed_in_settings_by_administrators_only(self):
        self.in_production()
        self.env["finance.binding"]._last().database_name = "the-original"
        with self.assertRaises(AccessError):
            self.settings(self.user).action_finance_confirm_database()
        self.settings(self.system_administrator()).action_finance_confirm_database()
        self.assertTrue(self.connector._is_open_for_effects())
        self.assertTrue(self.events("database.confirmed"))

    def settings(self, user):
        return self.env["res.config.settings"].create({}).with_user(user)

    def system_administrator(self):
        self.admin.group_ids += self.env.ref("base.group_system")
        return self.admin
