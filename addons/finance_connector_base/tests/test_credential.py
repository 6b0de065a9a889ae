from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from ..models import finance_connector, finance_credential
from .vendor import SECRET, SECRET_2, Acme, ConnectorCase


@tagged("post_install", "-at_install")
class TestCredential(ConnectorCase):
    """A secret goes in and never comes out."""

    # === NOWHERE TO BE SEEN === #

    def test_rows_come_from_the_provider(self):
        self.assertEqual(self.connector.credential_ids.mapped("label"), ["API key", "API key"])
        self.assertEqual(
            set(self.connector.credential_ids.mapped("environment")), {"sandbox", "production"}
        )
        self.assertEqual(self.credential().status, "missing")

    def test_only_a_hint_is_shown(self):
        self.enter()
        credential = self.credential()
        self.assertEqual(credential.value, "••••WXYZ")
        self.assertEqual(credential.status, "untested")
        self.enter("short-one")
        self.assertEqual(self.credential().value, "••••", "a short secret shows no character")

    def test_not_in_read_search_export_or_copy(self):
        self.enter()
        credential = self.credential()
        for who in (self.admin, self.env.ref("base.user_admin"), self.env.ref("base.user_root")):
            seen = credential.with_user(who).sudo()
            self.assertNotIn(SECRET, str(seen.read()))
            names = list(seen._fields)
            self.assertNotIn(SECRET, str(seen.export_data(names)))
            self.assertNotIn(SECRET, str(seen.web_read({name: {} for name in names})))
        self.assertNotIn("sealed", credential._fields)
        self.assertNotIn("sealed", credential.fields_get())
        for name in ("sealed", "sealed_next"):
            with self.assertRaises(ValueError):
                credential.search([(name, "!=", False)])
            with self.assertRaises(ValueError):
                credential._read_group([], [name], ["__count"])
        self.assertFalse(credential.search([("hint", "=", SECRET)]))
        self.assertFalse(credential.name_search(SECRET))
        copied = self.connector.copy()
        self.assertFalse(any(copied.credential_ids.mapped("has_value")))

    def test_not_in_what_saving_returns(self):
        """The web client saves and reads in one call."""
        credential = self.credential()
        answer = credential.web_save({"value": SECRET}, {"value": {}, "hint": {}})
        self.assertEqual(answer[0]["value"], "••••WXYZ")
        form = Form(credential)
        self.assertEqual(form.value, "••••WXYZ")

    def test_not_in_the_tables(self):
        self.enter()
        self.env.flush_all()
        self.env.cr.execute("SELECT row_to_json(c)::text FROM finance_credential AS c")
        self.assertNotIn(SECRET, str(self.env.cr.fetchall()))
        self.env.cr.execute("SELECT row_to_json(e)::text FROM finance_audit_event AS e")
        self.assertNotIn(SECRET, str(self.env.cr.fetchall()))

    def test_a_row_keeps_its_place(self):
        self.enter()
        for vals in (
            {"name": "other"},
            {"environment": "production"},
            {"connector_id": self.connector.copy().id},
        ):
            with self.assertRaises(UserError):
                self.credential().write(vals)

    def test_state_of_a_credential_is_not_written_by_hand(self):
        for vals in (
            {"has_value": True},
            {"tested_at": fields.Datetime.now()},
            {"hint": "x"},
            {"entered_by_id": self.user.id},
        ):
            with self.assertRaises(AccessError):
                self.credential().write(vals)
        with self.assertRaises(AccessError):
            self.credential().with_context(finance_write="INTERNAL").write({"has_value": True})

    def test_only_administrators_enter_and_only_they_and_auditors_look(self):
        credential = self.credential()
        with self.assertRaises(AccessError):
            credential.with_user(self.user).read(["hint"])
        with self.assertRaises(AccessError):
            credential.with_user(self.user).write({"value": SECRET})
        with self.assertRaises(AccessError):
            credential.with_user(self.auditor).write({"value": SECRET})
        self.assertEqual(credential.with_user(self.auditor).label, "API key")

    def test_bad_value_is_refused_without_being_repeated(self):
        with self.assertRaises(ValidationError) as caught:
            self.enter("bad one")
        self.assertNotIn("bad one", str(caught.exception))

    def test_saving_the_mask_or_nothing_changes_nothing(self):
        self.enter()
        for value in ("••••WXYZ", "", False):
            self.enter(value)
        self.assertEqual(self.credential()._open_sealed(), {"api_key": SECRET})

    def test_reveal_leaves_a_trace(self):
        self.enter()
        self.assertEqual(self.credential()._reveal(), SECRET)
        event = self.events("credential.revealed")
        self.assertEqual(event.user_id, self.admin)
        self.assertNotIn(SECRET, str(event.read()))

    # === ROTATION === #

    def test_old_value_stays_until_the_new_one_passed(self):
        self.make_ready()
        self.enter(SECRET_2)
        credential = self.credential()
        self.assertEqual(credential.status, "waiting")
        self.assertEqual(self.connector._config(self.company).settings["api_key"], SECRET)
        answer = self.connector.action_test()
        self.assertEqual(answer["params"]["type"], "danger")
        self.assertEqual(self.connector.state, "ready", "the old value still works")
        self.assertEqual(self.connector._config(self.company).settings["api_key"], SECRET)
        self.assertTrue(credential.has_next)

        Acme.accepted = {SECRET_2}
        answer = self.connector.action_test()
        self.assertEqual(answer["params"]["type"], "success")
        self.assertEqual(self.connector._config(self.company).settings["api_key"], SECRET_2)
        self.assertEqual((credential.status, credential.hint), ("valid", "••••ABCD"))
        self.assertFalse(credential._read_columns()[credential.id]["next"])
        self.assertTrue(self.events("credential.rotated"))

    def test_new_value_can_be_discarded(self):
        self.make_ready()
        self.enter(SECRET_2)
        self.credential().action_discard_next()
        self.assertFalse(self.credential().has_next)
        self.assertFalse(self.credential()._read_columns()[self.credential().id]["next"])

    def test_rotation_dialog(self):
        self.make_ready()
        Acme.accepted = {SECRET, SECRET_2}
        action = self.credential().action_rotate()
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.admin)
            .with_context(**action["context"])
            .create({"value": SECRET_2})
        )
        self.env.flush_all()
        self.env.cr.execute("SELECT row_to_json(w)::text FROM finance_credential_rotate AS w")
        self.assertNotIn(SECRET_2, str(self.env.cr.fetchall()))
        self.assertNotIn(SECRET_2, str(wizard.read()))
        answer = wizard.action_rotate()
        self.assertEqual(answer["params"]["type"], "success")
        self.assertEqual(self.connector._config(self.company).settings["api_key"], SECRET_2)
        self.assertIsNone(self._dialog_column(wizard))

    def _dialog_column(self, wizard):
        self.env.cr.execute(
            "SELECT sealed FROM finance_credential_rotate WHERE id = %s", [wizard.id]
        )
        return self.env.cr.fetchone()[0]

    def test_context_from_outside_does_not_choose_the_new_value(self):
        self.make_ready()
        self.enter(SECRET_2)
        forged = self.connector.with_context(finance_secrets="NEW_SECRETS")
        self.assertEqual(forged._config(self.company).settings["api_key"], SECRET)
        real = self.connector.with_context(finance_secrets=finance_connector.NEW_SECRETS)
        self.assertEqual(real._config(self.company).settings["api_key"], SECRET_2)

    def test_erased_is_gone(self):
        self.make_ready()
        self.credential().action_erase()
        self.assertEqual(self.credential().status, "missing")
        self.assertEqual(self.credential()._open_sealed(), {})

    # === EXPIRY === #

    def test_expiry_reminds_once_and_settles_itself(self):
        self.make_ready()
        credential = self.credential()
        credential.expires_on = fields.Date.today() + timedelta(days=10)
        self.assertEqual(credential.status, "expiring")
        for _day in range(2):
            self.env["finance.connector"]._cron_daily()
        activities = self.connector.sudo().activity_ids.filtered(
            lambda activity: activity.user_id == self.admin
        )
        self.assertEqual(len(activities), 1)
        self.assertEqual(activities.date_deadline, credential.expires_on)
        exception = self.open_exceptions("credential.expiring")
        self.assertEqual(len(exception), 1)
        self.assertIn("API key", exception.text)
        credential.expires_on = fields.Date.today() + timedelta(days=400)
        self.env["finance.connector"]._cron_daily()
        self.assertFalse(self.open_exceptions("credential.expiring"))

    def test_status_by_date(self):
        self.make_ready()
        credential = self.credential()
        today = fields.Date.today()
        for days, status in ((0, "expired"), (-1, "expired"), (30, "expiring"), (31, "valid")):
            credential.expires_on = today + timedelta(days=days)
            self.assertEqual(credential.status, status, days)

    def test_sentinels_are_objects_that_no_json_can_be(self):
        for sentinel in (
            finance_credential.INTERNAL,
            finance_connector.BY_ACTION,
            finance_connector.NEW_SECRETS,
        ):
            self.assertIs(type(sentinel), object)
