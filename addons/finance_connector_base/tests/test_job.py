"""What a job does and doesn't do: on savepoints here, with real processes in tests/system."""

import os
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..providers.errors import AuthFailed, ContractBroken, Held, Rejected, Transient, Uncertain
from .common import drain_jobs
from .scribe import Scribe, ScribeCase
from .vendor import KEY, KEY_2


@tagged("post_install", "-at_install")
class TestJob(ScribeCase):
    # === ENQUEUE === #

    def test_goes_out_as_decided(self):
        job = self.enqueue()
        self.partner.name = "renamed"
        drain_jobs(self.env)
        self.assertEqual(job.state, "done")
        self.assertEqual([text for _key, text in Scribe.sent], ["first"])
        self.assertIn("FIRST", self.partner.comment)

    def test_same_key_is_the_same_job(self):
        job = self.enqueue()
        self.assertEqual(self.enqueue(), job)
        self.assertNotEqual(self.enqueue(revision=1), job)

    def test_same_key_with_other_content_is_refused(self):
        self.enqueue()
        self.partner.name = "other"
        with self.assertRaisesRegex(UserError, "already recorded with other content"):
            self.enqueue()

    def test_key_outlives_the_job(self):
        job = self.enqueue()
        drain_jobs(self.env)
        self.env.cr.execute("DELETE FROM finance_job WHERE id = %s", [job.id])
        self.assertFalse(self.enqueue())
        drain_jobs(self.env)
        self.assertEqual(len(Scribe.sent), 1)

    def test_recordset_costs_the_same_statements(self):
        partners = self.env["res.partner"].create([{"name": f"p{i}"} for i in range(40)])
        self.enqueue(record=partners[:1])
        few = self.env.cr.sql_log_count
        self.enqueue(record=partners[1:3])
        few = self.env.cr.sql_log_count - few
        many = self.env.cr.sql_log_count
        self.enqueue(record=partners[3:])
        many = self.env.cr.sql_log_count - many
        self.assertLessEqual(many, few)

    def test_unknown_operation(self):
        with self.assertRaisesRegex(UserError, "not known in this database"):
            self.enqueue("scribe.nonsense")

    def test_a_new_key_seals_payloads_again(self):
        self.forget_demo()
        job = self.enqueue()
        vault = self.env["finance.vault"]
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": f"{KEY_2}\n{KEY}"}):
            self.assertEqual(self.env["finance.job"]._key_ids(), {"test-1": 1})
            vault._reseal_all()
            self.assertEqual(self.env["finance.job"]._key_ids(), {})
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": KEY_2}):
            drain_jobs(self.env)
        self.assertEqual((job.state, Scribe.sent[0][1]), ("done", "first"))

    def test_request_is_sealed(self):
        job = self.enqueue()
        self.env.cr.execute("SELECT request_sealed FROM finance_job WHERE id = %s", [job.id])
        self.assertNotIn(b"first", bytes(self.env.cr.fetchone()[0]))
        with self.assertRaises(AccessError):
            job.with_user(self.admin).read(["request_sealed"])

    # === STREAMS AND PAIRS === #

    def test_never_called_commit_and_its_void_cancel_each_other(self):
        write = self.enqueue()
        erase = self.enqueue("scribe.erase")
        self.assertFalse(erase)
        drain_jobs(self.env)
        self.assertEqual(write.state, "cancelled")
        self.assertFalse(Scribe.sent)

    def test_called_commit_is_voided_after_it(self):
        Scribe.failures = [Transient("down", retry_after=60)]
        write = self.enqueue()
        drain_jobs(self.env)
        self.assertEqual(write.state, "pending")
        erase = self.enqueue("scribe.erase")
        drain_jobs(self.env, until_due=True)
        self.assertEqual((write | erase).mapped("state"), ["done", "done"])
        self.assertEqual([text for _key, text in Scribe.sent], ["first", "erase first"])

    def test_stopped_job_blocks_its_stream_only(self):
        Scribe.failures = [Rejected("no such customer", code="C1")]
        stopped = self.enqueue()
        later = self.enqueue(revision=1)
        other = self.enqueue(record=self.env["res.partner"].create({"name": "second"}))
        drain_jobs(self.env)
        self.assertEqual((stopped.state, later.state, other.state), ("dead", "pending", "done"))
        stopped.with_user(self.user).action_retry()
        drain_jobs(self.env)
        self.assertEqual((stopped.state, later.state), ("done", "done"))

    # === FAILURES === #

    def test_transient_waits_and_closes_its_exception(self):
        Scribe.failures = [Transient("down", status=503, retry_after=30)]
        job = self.enqueue()
        drain_jobs(self.env)
        self.assertEqual((job.state, job.attempts, job.situation), ("pending", 1, "retry"))
        self.env.cr.execute(
            "SELECT due_at - clock_timestamp() AT TIME ZONE 'UTC' FROM finance_job WHERE id = %s",
            [job.id],
        )
        self.assertAlmostEqual(self.env.cr.fetchone()[0].total_seconds(), 30, delta=10)
        drain_jobs(self.env, until_due=True)
        self.assertEqual((job.state, job.attempts), ("done", 2))

    def test_attempts_end(self):
        Scribe.failures = [Transient("down") for _i in range(20)]
        job = self.enqueue()
        for _i in range(20):
            drain_jobs(self.env, until_due=True)
        self.assertEqual((job.state, job.attempts), ("dead", 8))
        self.assertEqual(len(self.exceptions("job.dead")), 1)
        Scribe.failures = []
        job.with_user(self.user).action_retry()
        drain_jobs(self.env)
        self.assertEqual(job.state, "done")
        self.assertFalse(self.exceptions("job.dead"))

    def test_rejected_needs_a_decision(self):
        Scribe.failures = [Rejected("no such customer", code="C1", request_id="r-9")]
        job = self.enqueue()
        drain_jobs(self.env)
        self.assertEqual((job.state, job.situation), ("dead", "decision"))
        exception = self.exceptions("job.rejected")
        self.assertIn("no such customer", exception.text)
        self.assertIn("C1", exception.text)

    def test_contract_drift_is_one_exception(self):
        broken = {"field": "lines[0].tax", "version": "v2"}
        Scribe.failures = [ContractBroken("is missing", **broken) for _i in range(2)]
        first = self.enqueue()
        self.enqueue(record=self.env["res.partner"].create({"name": "second"}))
        drain_jobs(self.env)
        exception = self.exceptions("contract.drift")
        self.assertEqual((len(exception), exception.occurrences), (1, 2))
        self.assertIn("lines[0].tax", exception.text)
        self.assertIn("v2", exception.text)
        self.assertEqual(first.state, "dead")

    def test_refused_credentials_stop_the_connector_not_the_job(self):
        Scribe.failures = [AuthFailed("bad key", status=401)]
        job = self.enqueue()
        drain_jobs(self.env)
        self.assertEqual((job.state, job.attempts), ("pending", 0))
        self.assertEqual(self.scribe.state, "attention")
        drain_jobs(self.env, until_due=True)
        self.assertFalse(Scribe.sent)
        self.scribe.with_user(self.admin).action_test()
        drain_jobs(self.env, until_due=True)
        self.assertEqual(job.state, "done")

    def test_held_costs_no_attempt(self):
        Scribe.failures = [Held("rate", retry_after=3, reason="rate")]
        job = self.enqueue()
        drain_jobs(self.env)
        self.assertEqual((job.state, job.attempts, job.called_at), ("pending", 0, False))

    def test_stopped_connector_holds_jobs(self):
        job = self.enqueue()
        self.scribe.with_user(self.admin).action_pause()
        drain_jobs(self.env, until_due=True)
        self.assertEqual((job.state, job.attempts), ("pending", 0))
        self.scribe.with_user(self.admin).action_resume()
        drain_jobs(self.env, until_due=True)
        self.assertEqual(job.state, "done")

    # === UNCERTAIN === #

    def test_uncertain_is_asked_and_never_sent_twice(self):
        Scribe.failures = [Uncertain("no answer")]
        job = self.enqueue("scribe.once")
        drain_jobs(self.env)
        self.assertEqual((job.state, job.situation), ("uncertain", "unknown"))
        self.assertEqual(len(self.exceptions("job.uncertain")), 1)
        drain_jobs(self.env, until_due=True)
        self.assertEqual((job.state, len(Scribe.sent)), ("done", 1))
        self.assertFalse(self.exceptions("job.uncertain"))

    def test_asked_and_not_there_goes_out(self):
        Scribe.failures = [Uncertain("no answer")]
        job = self.enqueue("scribe.once")
        drain_jobs(self.env)
        Scribe.sent.clear()
        drain_jobs(self.env, until_due=True)
        self.assertEqual((job.state, len(Scribe.sent)), ("done", 1))

    def test_uncertain_without_query_waits_for_a_person(self):
        Scribe.failures = [Uncertain("no answer")]
        job = self.enqueue("scribe.blind")
        drain_jobs(self.env)
        drain_jobs(self.env, until_due=True)
        self.assertEqual((job.state, len(Scribe.sent)), ("uncertain", 1))
        with self.assertRaisesRegex(UserError, "can't be changed this way"):
            job.with_user(self.user).action_retry()
        with self.assertRaisesRegex(UserError, "can't be asked"):
            job.with_user(self.user).action_query()
        with self.assertRaises(AccessError):
            job.with_user(self.admin).action_send_again()
        wizard = (
            self.env["finance.job.done.outside"]
            .with_user(self.admin)
            .sudo()
            .create({"job_ids": job.ids, "reference": "receipt 7"})
        )
        wizard.action_confirm()
        self.assertEqual((job.state, job.done_outside_ref), ("done", "receipt 7"))
        event = self.env["finance.audit.event"].search([("kind", "=", "job.done_outside")])
        detail = self.env["finance.audit.detail"].search([("event_id", "=", event.id)])
        self.assertEqual(detail._values(), {"reference": "receipt 7"})
        self.assertNotIn("receipt", str(event.data))
        self.assertFalse(self.exceptions("job.uncertain"))
        self.assertFalse(self.enqueue("scribe.blind") - job)

    def test_unreadable_answer_is_not_repeated(self):
        Scribe.failures = [ContractBroken("is missing", field="id", version="v2")]
        job = self.enqueue("scribe.blind")
        drain_jobs(self.env)
        self.assertEqual(job.state, "uncertain")
        self.assertTrue(self.exceptions("contract.drift"))
        self.assertTrue(self.exceptions("job.uncertain"))

    def test_asking_in_vain_leaves_it_uncertain(self):
        Scribe.failures = [Uncertain("no answer")]
        job = self.enqueue("scribe.once")
        drain_jobs(self.env)
        query = self.registry["finance.operation.scribe.once"]
        for failure in (Rejected("what?"), ContractBroken("is missing"), Transient("down")):
            with patch.object(query, "_query", side_effect=failure):
                job.with_user(self.user).action_query()
                for _i in range(12):
                    drain_jobs(self.env, until_due=True)
            self.assertEqual((job.state, len(Scribe.sent)), ("uncertain", 1))
        job.with_user(self.user).action_query()
        drain_jobs(self.env)
        self.assertEqual((job.state, len(Scribe.sent)), ("done", 1))

    # === APPLY === #

    def test_failed_apply_keeps_the_answer(self):
        job = self.enqueue()
        apply = self.registry["finance.operation.scribe.write"]
        with patch.object(apply, "_apply", side_effect=UserError("The period is locked")):
            drain_jobs(self.env)
        self.assertEqual((job.state, len(Scribe.sent)), ("dead", 1))
        job.with_user(self.user).action_retry()
        self.assertEqual(job.state, "answered")
        drain_jobs(self.env)
        self.assertEqual((job.state, len(Scribe.sent)), ("done", 1))

    def test_runs_as_who_started_it(self):
        user = self.user
        self.env = self.env(user=user, su=True)
        job = self.enqueue("scribe.stamp")
        drain_jobs(self.env)
        self.assertEqual(job.state, "done")
        self.assertIn(f"f_user {self.company.id}", self.partner.comment)

    def test_other_company_is_refused(self):
        self.env["res.company"].create({"name": "Other"})
        job = self.enqueue("scribe.meddle")
        drain_jobs(self.env)
        self.assertEqual(job.state, "dead")
        self.assertIn("may not change", job.error_text)
        self.assertFalse(self.partner.company_id)

    # === PEOPLE === #

    def test_cancel_what_may_be_done_already(self):
        Scribe.failures = [Transient("down", retry_after=60)]
        job = self.enqueue()
        drain_jobs(self.env)
        controller = self.admin
        controller.group_ids += self.env.ref("finance_connector_base.group_controller")
        with self.assertRaisesRegex(UserError, "already sent at least once"):
            job.with_user(controller).action_cancel()

    def test_trail_of_a_job(self):
        job = self.enqueue(trace_id="trace-1")
        drain_jobs(self.env)
        events = self.env["finance.audit.event"].search([("trace_id", "=", job.trace_id)])
        self.assertEqual(events.sorted("id").mapped("kind"), ["job.enqueued", "job.done"])
        enqueued = events.sorted("id")[0]
        detail = self.env["finance.audit.detail"].search([("event_id", "=", enqueued.id)])
        self.assertEqual(detail._values(), {"document": "first", "partner": "first"})
        self.assertEqual(detail._digest(), enqueued.data["detail"])

    def test_vacuum_keeps_keys(self):
        job = self.enqueue()
        drain_jobs(self.env)
        self.env.cr.execute(
            "UPDATE finance_job SET done_at = done_at - interval '200 days' WHERE id = %s",
            [job.id],
        )
        key = job.key
        self.env["finance.job"]._vacuum()
        self.assertFalse(job.exists())
        known = self.env["finance.job.key"].search([("key", "=", key)])
        self.assertEqual(known.outcome, "done")
