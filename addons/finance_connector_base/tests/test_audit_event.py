from decimal import Decimal

from psycopg2 import errors

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .evidence import GROUP, EvidenceCase


@tagged("post_install", "-at_install")
class TestAuditEvent(EvidenceCase):
    """Rows are only ever added."""

    def setUp(self):
        super().setUp()
        self.Event = self.env["finance.audit.event"]

    def test_keeps_what_happened(self):
        event = self.Event.with_user(self.accountant)._record(
            "test.done",
            self.invoice,
            connector=self.connector,
            trace_id="abc",
            data={"amount": Decimal("10.50"), "document_id": 7},
        )
        event = event.sudo()
        self.assertEqual(event.user_id, self.accountant)
        self.assertEqual(event.company_id, self.company_a)
        self.assertEqual(event.connector_id, self.connector)
        self.assertEqual((event.res_model, event.res_id), ("account.move", self.invoice.id))
        self.assertEqual(event.data, {"amount": "10.50", "document_id": 7})
        self.assertEqual(event.trace_id, "abc")
        self.assertEqual(event.schema_version, 1)
        self.assertTrue(event.at)
        self.assertFalse(event.seal_id)
        self.assertIn("10.50", event.data_text)

    def test_many_with_one_statement(self):
        rows = [{"kind": "test.many", "res_id": number} for number in range(250)]
        self.env.flush_all()
        # 100 rows a statement
        with self.assertQueryCount(3):
            events = self.Event._record_many(rows)
        self.assertEqual(events.mapped("res_id"), list(range(250)))
        self.assertFalse(self.Event._record_many([]))

    def _attack(self, statement, *params):
        event = self.Event._record("test.guard", self.invoice, data={"amount": "1.0"})
        with (
            self.assertRaises(errors.RestrictViolation),
            mute_logger("odoo.sql_db"),
            self.cr.savepoint(),
        ):
            self.cr.execute(statement, [*params, event.id] if "%s" in statement else None)

    def test_database_refuses_change_and_deletion(self):
        for statement in (
            "UPDATE finance_audit_event SET kind = 'x' WHERE id = %s",
            'UPDATE finance_audit_event SET data = \'{"amount": "1.00"}\' WHERE id = %s',
            "UPDATE finance_audit_event SET seal_id = 1, user_id = 2 WHERE id = %s",
            "UPDATE finance_audit_event SET seal_id = NULL WHERE id = %s",
            "DELETE FROM finance_audit_event WHERE id = %s",
            "TRUNCATE finance_audit_event",
        ):
            with self.subTest(statement=statement):
                self._attack(statement)

    def test_a_seal_is_set_once(self):
        event = self.Event._record("test.seal", self.invoice, data={"n": 1})
        self.cr.execute("UPDATE finance_audit_event SET seal_id = 5 WHERE id = %s", [event.id])
        event.invalidate_recordset()
        self.assertEqual(event.seal_id, 5)
        for value in ("6", "NULL"):
            with (
                self.assertRaises(errors.RestrictViolation),
                mute_logger("odoo.sql_db"),
                self.cr.savepoint(),
            ):
                self.cr.execute(
                    f"UPDATE finance_audit_event SET seal_id = {value} WHERE id = %s", [event.id]
                )

    def test_orm_says_it_in_words_even_to_the_superuser(self):
        event = self.Event.sudo()._record("test.orm")
        for attack in (
            lambda: event.write({"kind": "x"}),
            lambda: event.write({"seal_id": 1}),
            event.unlink,
            event.copy,
            lambda: event.create({"kind": "x"}),
        ):
            with self.assertRaises(UserError):
                attack()

    def test_no_foreign_keys_and_no_log_columns(self):
        self.cr.execute(
            "SELECT count(*) FROM pg_constraint"
            " WHERE conrelid = 'finance_audit_event'::regclass AND contype = 'f'"
        )
        self.assertEqual(self.cr.fetchone()[0], 0)
        self.assertNotIn("create_uid", self.Event._fields)

    def test_user_connector_and_record_may_go(self):
        user = new_test_user(self.env, "f_leaving", f"{GROUP}user")
        move = self._invoice()
        event = self.Event.with_user(user)._record("test.leaving", move)
        user_id = user.id
        user.unlink()
        move.unlink()
        self.env.invalidate_all()
        shown = event.with_user(self.auditor)
        specification = {
            "user_id": {"fields": {"display_name": {}}},
            "connector_id": {"fields": {"display_name": {}}},
            "record_name": {},
        }
        [row] = shown.web_read(specification)
        self.assertEqual(row["user_id"]["id"], user_id)
        self.assertIn("Deleted", row["user_id"]["display_name"])
        self.assertIn("Deleted", row["record_name"])
        self.assertFalse(row["connector_id"])
        domain = [("id", "=", event.id)]
        groups = self.Event.with_user(self.auditor).web_read_group(domain, ["user_id"], ["__count"])
        [group] = groups["groups"]
        self.assertEqual(group["user_id"], (user_id, row["user_id"]["display_name"]))
        self.assertEqual(shown.read(["user_id"])[0]["id"], event.id)
        [exported] = shown.export_data(["kind", "user_id", "at"])["datas"]
        self.assertEqual(exported[:2], ["test.leaving", row["user_id"]["display_name"]])
        with self.assertRaises(UserError):
            shown.action_open_record()

    def test_live_names_are_shown(self):
        event = self.Event.with_user(self.accountant)._record("test.names", self.invoice)
        [row] = event.with_user(self.auditor).web_read(
            {"user_id": {"fields": {"display_name": {}}}}
        )
        self.assertEqual(row["user_id"]["display_name"], self.accountant.display_name)

    def test_companies_are_apart(self):
        auditor_a = new_test_user(
            self.env, "f_auditor_a", f"{GROUP}auditor", company_id=self.company_a.id
        )
        kinds = {
            "test.a": self.company_a,
            "test.b": self.company_b,
        }
        for kind, company in kinds.items():
            self.Event._record(kind, company=company)
        self.Event._record("test.connector", connector=self.connector)
        found = self.Event.with_user(auditor_a).search([("kind", "=like", "test.%")])
        self.assertEqual(set(found.mapped("kind")), {"test.a", "test.connector"})

    def test_guard_can_be_taken_away_and_put_back(self):
        """As an uninstallation and a new installation do."""
        event = self.Event._record("test.remove")
        self.Event._remove_guard()
        self.cr.execute("DELETE FROM finance_audit_event WHERE id = %s", [event.id])
        self.Event.init()
        self.Event.init()
        self._attack("DELETE FROM finance_audit_event WHERE id = %s")
