from unittest.mock import patch
from uuid import uuid4

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from ..canonical import codec
from ..models import finance_exchange
from ..providers.errors import Rejected
from .common import drain_jobs
from .scribe import Scribe, ScribeCase, Text


@tagged("post_install", "-at_install")
class TestVacuum(ScribeCase):
    """What is old goes; what answers an auditor's questions stays."""

    def age(self, records, column):
        """Make rows older than they are kept."""
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s = %s - interval '200 days' WHERE id = ANY(%s)",
                SQL.identifier(records._table),
                SQL.identifier(column),
                SQL.identifier(column),
                records.ids,
            )
        )
        self.env.invalidate_all()

    def exchange(self, job, **values):
        """A row as the recorder leaves it."""
        payloads = dict.fromkeys(("request_sealed", "response_sealed"), b"FV1sealed")
        payloads |= dict.fromkeys(("request_masked", "response_masked"), "{}")
        values = {"job_id": job.id, "trace_id": job.trace_id, **payloads, **values}
        values |= {"started_at": fields.Datetime.now(), "connector_id": self.scribe.id}
        return self.env["finance.exchange"].create(values)

    def detail(self, event):
        """What is kept of an event in words."""
        return self.env["finance.audit.detail"].search([("event_id", "=", event.id)])._values()

    def test_the_five_questions_are_answered_by_what_is_left(self):
        """Who began it, what was sent, when it went out, what came back, how an exception ended."""
        Scribe.failures = [Rejected("name is too long", code="N1")]
        with patch.object(self, "env", self.env(user=self.user.id)):
            job = self.enqueue()
        job = job.with_env(self.env)
        drain_jobs(self.env)
        self.exceptions("job.rejected").with_user(self.user)._close("handled", "Shortened by phone")
        job.with_user(self.user).action_retry()
        drain_jobs(self.env)
        self.assertEqual(job.state, "done")
        effect = self.exchange(job, operation="scribe.write", outcome="ok", status=200)
        question = self.exchange(job, operation="tax.quote", job_id=None)
        trace, uuid = job.trace_id, job.uuid
        self.env["finance.answer"]._remember(self.scribe, "scribe.ask", "d", "{}", str(uuid4()))
        answer = self.env["finance.answer"].search([("digest", "=", "d")])
        self.age(job, "done_at")
        self.age(effect + question, "started_at")
        self.age(answer, "asked_at")
        for model in ("finance.job", "finance.exchange", "finance.answer"):
            self.env[model]._vacuum()
        self.env.invalidate_all()
        self.assertFalse(job.exists() or question.exists() or answer.exists())

        events = self.env["finance.audit.event"].search([("trace_id", "=", trace)])
        told = {event.kind: event for event in events}
        begun, done, ended = (
            told[kind] for kind in ("job.enqueued", "job.done", "exception.handled")
        )
        self.assertEqual((begun.user_id, begun.data["uuid"]), (self.user, uuid))
        self.assertEqual(self.detail(begun), {"document": "first", "partner": "first"})
        row = self.env["finance.audit.detail"].search([("event_id", "=", begun.id)])
        self.assertTrue(row._confirms("request_digest", codec.digest(Text("first"))))
        self.assertEqual(told["job.replayed"].user_id, self.user)
        row = self.env["finance.audit.detail"].search([("event_id", "=", done.id)])
        self.assertTrue(row._confirms("answer_digest", codec.digest(Text("FIRST"))))
        self.assertNotIn(codec.digest(Text("FIRST")), str(done.data))
        self.assertTrue(done.data["called_at"])
        self.assertEqual((ended.user_id, self.detail(ended)), (
            self.user, {"reason": "Shortened by phone"}))  # fmt: skip
        self.assertEqual((effect.status, effect.outcome, effect.trace_id), (200, "ok", trace))

    def test_of_effects_only_the_payloads_go(self):
        effect = self.exchange(self.enqueue(), operation="scribe.write")
        self.age(effect, "started_at")
        self.env["finance.exchange"]._vacuum()
        columns = ("request_sealed", "response_sealed", "request_masked", "response_masked")
        self.assertFalse(any(effect[name] for name in columns))
        with self.assertRaisesRegex(UserError, "were removed on"):
            effect.with_user(self.auditor)._open_sealed("request")

    def test_of_a_provider_that_is_gone_too(self):
        effect = self.exchange(self.enqueue(), operation="nobody.knows")
        self.age(effect, "started_at")
        self.env["finance.exchange"]._vacuum()
        self.assertTrue(effect.exists().stripped_at)

    def test_jobs_go_when_they_are_told_elsewhere(self):
        told, untold, proven = self.enqueue(), self.enqueue(revision=1), self.enqueue(revision=2)
        local = self.enqueue("scribe.stamp")
        drain_jobs(self.env)
        jobs = told + untold + proven + local
        self.assertEqual(set(jobs.mapped("state")), {"done"})
        untold.uuid = str(uuid4())
        self.env["ir.attachment"].create(
            {"name": "receipt", "res_model": "finance.job", "res_id": proven.id, "raw": b"x"}
        )
        self.env.flush_all()
        self.age(jobs, "done_at")
        self.env["finance.job"]._vacuum()
        self.assertEqual(jobs.exists(), untold + proven)

    def test_goes_on_where_it_stopped(self):
        job = self.enqueue()
        rows = self.env["finance.exchange"].union(
            *(self.exchange(job, operation="scribe.write") for _number in range(3))
        )
        self.age(rows, "started_at")
        with patch.object(finance_exchange, "VACUUM_ROWS", 2):
            self.assertEqual(rows._vacuum(), (2, 1))
            self.assertEqual(rows._vacuum()[1], 0)
            self.assertEqual(rows._vacuum()[0], 0)
        self.assertTrue(all(row.stripped_at for row in rows))
