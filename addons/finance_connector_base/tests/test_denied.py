from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..models import finance_denied_action
from .evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestDenied(EvidenceCase):
    """Refusals are kept and counted; that they outlive the rollback is proved in tests/system."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Denied = cls.env["finance.denied.action"]
        cls.nobody = new_test_user(cls.env, "f_nobody", "base.group_user")

    def refused(self, user, function, error=AccessError):
        """The row that a refused call of ``function`` leaves."""
        before = self.Denied.search([])
        # not assertRaises: its savepoint would take the row back, an own connection does not
        try:
            function()
            self.fail("should be refused")
        except error:
            self.env.invalidate_all()
        [row] = self.Denied.search([]) - before
        self.assertEqual(row.user_id, user)
        event = self.events("action.denied").sorted("id")[-1:]
        self.assertEqual(event.user_id, user)
        self.assertEqual((event.res_model, event.res_id), (row.res_model, row.res_id))
        self.assertEqual(event.data, event.data | {"action": row.action, "rule": row.rule})
        return row

    def test_buttons(self):
        job = self.make_job(state="uncertain")
        exception = self.raised()
        exchange = self.env["finance.exchange"].create({"company_id": self.company_a.id})
        for user, record, button, action, rule in (
            (self.user, job, "action_send_again", "job.send_again", "group"),
            (self.user, job, "action_cancel", "job.cancel", "group"),
            (self.auditor, job, "action_retry", "job.retry", "group"),
            (self.auditor, exception, "action_handle", "exception.handle", "access"),
            (self.auditor, exception, "action_assign_to_me", "exception.assign", "access"),
            (self.user, exchange, "action_download_request", "payload.open", "group"),
            (self.user, self.connector, "action_pause", "connector.pause", "group"),
        ):
            with self.subTest(button=button):
                row = self.refused(user, getattr(record.with_user(user), button))
                self.assertEqual((row.action, row.rule, row.count), (action, rule, 1))
                self.assertEqual((row.res_model, row.res_id), (record._name, record.id))
                if "company_id" in record._fields:
                    self.assertEqual(row.company_id, self.company_a)
                self.assertNotEqual(row.action_words, row.action)
                self.assertNotEqual(row.rule_words, row.rule)

    def test_guarded_state(self):
        event = self.env["finance.audit.event"]._record("test")
        for user, record, values, error in (
            (self.admin, self.connector, {"state": "ready"}, AccessError),
            (self.admin, self.connector, {"environment": "production"}, AccessError),
            (self.admin, self.credential(), {"has_value": True}, AccessError),
            (self.user, self.raised(), {"state": "handled"}, UserError),
            (self.auditor, event, {"kind": "x"}, UserError),
        ):
            with self.subTest(model=record._name, values=values):
                record = record.with_user(user)
                row = self.refused(user, lambda: record.write(values), error)  # noqa: B023
                self.assertEqual((row.rule, row.res_id), ("guard", record.id))
        self.refused(self.auditor, event.with_user(self.auditor).unlink, UserError)
        seals = self.env["finance.audit.seal"].with_user(self.auditor)
        row = self.refused(self.auditor, lambda: seals.create({}), UserError)
        self.assertEqual((row.res_model, row.rule), ("finance.audit.seal", "guard"))
        models = self.env["finance.connector"].with_user(self.admin)
        values = {"name": "P", "provider": "acme", "environment": "production"}
        row = self.refused(self.admin, lambda: models.create(values))
        self.assertEqual((row.action, row.rule, row.res_id), ("create", "guard", 0))

    def test_policy(self):
        self.env["ir.config_parameter"].set_param(
            "finance_connector.production_policy", "other_person"
        )
        self.enter(environment="production")
        switch = self.connector.with_user(self.admin).action_switch_to_production
        row = self.refused(self.admin, switch, UserError)
        self.assertEqual((row.action, row.rule), ("connector.production", "policy"))
        self.assertEqual(row.connector_id, self.connector)

    def test_odoo_s_own_refusals(self):
        job, other = self.make_job(), self.make_job(company=self.company_b)
        row = self.refused(self.nobody, lambda: job.with_user(self.nobody).read(["state"]))
        self.assertEqual((row.action, row.rule), ("read", "access"))
        # Of the model as a whole, so that a list tried in vain is one row.
        self.assertEqual((row.res_model, row.res_id), ("finance.job", 0))
        row = self.refused(
            self.accountant, lambda: other.with_user(self.accountant).read(["state"])
        )
        self.assertEqual((row.action, row.rule, row.res_id), ("read", "company", other.id))
        row = self.refused(self.auditor, lambda: job.with_user(self.auditor).write({}))
        self.assertEqual((row.action, row.rule), ("write", "access"))

    def test_sealed_fields(self):
        job = self.make_job().with_user(self.auditor)
        row = self.refused(self.auditor, lambda: job.read(["request_sealed"]))
        self.assertEqual((row.action, row.rule, row.res_id), ("read", "secret", job.id))

    def test_other_models_are_none_of_our_business(self):
        partner = self.partner.with_user(self.nobody)
        with self.assertRaises(AccessError):
            partner.write({"name": "x"})
        self.assertFalse(self.Denied.search([]))

    def test_asking_whether_one_may_is_no_attempt(self):
        job = self.make_job().with_user(self.nobody)
        self.assertFalse(job.has_access("read"))
        self.assertFalse(job._filtered_access("read"))
        self.assertFalse(self.Denied.search([]))

    def test_repeats_are_counted_and_told_now_and_then(self):
        deny = self.Denied.with_user(self.user)._deny
        for _time in range(12):
            deny("job.cancel", "group", self.connector)
        [row] = self.Denied.search([])
        self.assertEqual((row.count, row.user_id), (12, self.user))
        counts = [event.data["count"] for event in self.events("action.denied").sorted("id")]
        self.assertEqual(counts, [1, 10])
        deny("job.cancel", "policy", self.connector)
        self.cr.execute("UPDATE finance_denied_action SET hour = hour - interval '1 hour'")
        deny("job.cancel", "group", self.connector)
        self.assertEqual(self.Denied.search_count([]), 3)

    def test_of_several_records_the_event_names_all(self):
        jobs = self.make_job() + self.make_job()
        self.Denied._deny("job.cancel", "group", jobs)
        event = self.events("action.denied")
        self.assertEqual((event.res_id, event.data["ids"]), (jobs[0].id, jobs.ids))

    def test_a_record_that_is_gone_or_none(self):
        job = self.make_job()
        job.unlink()
        for record in (job, self.env["finance.job"], None, self.env["finance.job"].new({})):
            self.Denied._deny("job.cancel", "group", record)
        self.assertEqual(sum(self.Denied.search([]).mapped("count")), 4)

    def test_it_never_fails_the_caller(self):
        broken = patch.object(
            finance_denied_action, "link_of", side_effect=psycopg2.OperationalError("no more")
        )
        with broken, self.assertLogs(finance_denied_action._logger, "ERROR") as logs:
            self.Denied.with_user(self.user)._deny("job.cancel", "group", self.connector)
        self.assertIn("job.cancel", logs.output[0])
        self.assertIn(str(self.user.id), logs.output[0])

    def test_vacuum(self):
        self.Denied._deny("job.cancel", "group", None)
        self.Denied._deny("job.retry", "group", None)
        self.cr.execute(
            "UPDATE finance_denied_action SET last_at = last_at - interval '500 days'"
            " WHERE action = 'job.retry'"
        )
        self.Denied._vacuum()
        self.env.invalidate_all()
        self.assertEqual(self.Denied.search([]).mapped("action"), ["job.cancel"])
        self.assertEqual(len(self.events("action.denied")), 2)
