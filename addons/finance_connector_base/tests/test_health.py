from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import Form, HttpCase, tagged
from odoo.tests.common import freeze_time

from ..controllers.metrics import Metric, Sample, text_of
from ..models.finance_alert_rule import CALM
from .evidence import EvidenceCase


def ago(**duration):
    """A moment in the past, UTC."""
    return fields.Datetime.now() - timedelta(**duration)


class HealthCase(EvidenceCase):
    """A tested connector with a workflow that runs on a schedule, and nothing else to measure."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["finance.alert.rule"].search([]).unlink()
        cls.env["finance.job"].search([]).unlink()
        cls.connector = cls.connector.sudo()
        cls.connector._by_action({"state": "ready"})
        cls.health = cls.env["finance.health"]
        cls.workflow = cls.env["finance.workflow"].create(
            {
                "connector_id": cls.connector.id,
                "company_id": cls.company_a.id,
                "flow": "tax",
                "mode": "scheduled",
            }
        )
        cls._born(cls.workflow, days=3)

    @classmethod
    def _born(cls, record, **duration):
        """Let a record be as old as that."""
        cls.env.cr.execute(
            f"UPDATE {record._table} SET create_date = %s WHERE id = %s",
            [ago(**duration), record.id],
        )
        record.invalidate_recordset()

    def exchanges(self, outcome, *durations, company=None, started_at=None, **values):
        """Exchanges that took so many milliseconds."""
        return self.env["finance.exchange"].create(
            [
                {
                    "connector_id": self.connector.id,
                    "company_id": (company or self.company_a).id,
                    "operation": "test",
                    "outcome": outcome,
                    "duration_ms": duration,
                    "started_at": started_at or ago(hours=1),
                    **values,
                }
                for duration in durations
            ]
        )

    def waiting_job(self, **duration):
        """A job that has waited so long for its first call."""
        since = ago(**duration)
        return self.make_job(
            state="pending", created_at=since, due_at=since, workflow_id=self.workflow.id
        )

    def read(self, companies=None):
        """What is measured of the connector."""
        return self.health._read(self.connector.ids, companies)[self.connector.id]

    def rule(self, measure, value, **values):
        """An alert rule."""
        values = {"name": "Watch", "measure": measure, "value": value, **values}
        return self.env["finance.alert.rule"].create(values)

    def check(self):
        """What the scheduled action does; the open alerts after it."""
        self.env["finance.alert.rule"]._cron_check()
        return self.alerts()

    def alerts(self, *states):
        """Alerts in these states, by default the open ones."""
        states = states or ("open",)
        return self.env["finance.exception"].search(
            [("code", "=", "health.alert"), ("state", "in", states)]
        )


@tagged("post_install", "-at_install")
class TestHealth(HealthCase):
    """The numbers, and the words on the connector."""

    def test_calls_of_a_day(self):
        self.exchanges("ok", *range(10, 1000, 10))
        self.exchanges("rejected", 1000)
        self.exchanges("transient", *[500] * 25)
        self.exchanges("ok", 9_000_000, started_at=ago(hours=25))
        health = self.read()
        self.assertEqual((health.calls, health.worked, health.refused), (125, 100, 1))
        self.assertEqual((health.success_rate, health.refused_rate), (80.0, 0.8))
        self.assertAlmostEqual(health.p50, 0.5)
        self.assertAlmostEqual(health.p95, 0.938)

    def test_nothing_is_no_number(self):
        health = self.read()
        self.assertEqual((health.calls, health.success_rate, health.p95), (0, None, None))
        self.assertIsNone(health.oldest)

    def test_backlog_has_the_situations_of_jobs(self):
        for state, error in (
            ("pending", False), ("pending", "Transient"), ("calling", False), ("answered", False),
            ("uncertain", "Uncertain"), ("dead", "Transient"), ("dead", "Rejected"),
            ("dead", "ContractBroken"), ("done", False), ("cancelled", False),
        ):  # fmt: skip
            self.make_job(state=state, error_class=error)
        jobs = self.env["finance.job"].search([("connector_id", "=", self.connector.id)])
        health = self.read()
        for situation in ("waiting", "retry", "running", "unknown", "stopped", "decision"):
            expected = jobs.filtered(lambda job, situation=situation: job.situation == situation)
            self.assertEqual(health.count(situation), len(expected), situation)
        self.assertEqual(health.count(), 8)
        self.assertIn("Needs a decision: 2", self.connector.backlog_words)

    def test_oldest_job_is_not_one_put_off_on_purpose(self):
        self.make_job(state="pending", created_at=ago(days=9), due_at=ago(days=-9))
        self.make_job(state="dead", created_at=ago(days=9))
        self.assertIsNone(self.read().oldest)
        self.waiting_job(hours=2)
        self.assertAlmostEqual(self.read().oldest, 7200, delta=5)
        self.make_job(
            state="pending", created_at=ago(hours=3), due_at=ago(hours=-1), error_class="Transient"
        )
        self.assertAlmostEqual(self.read().oldest, 3 * 3600, delta=5)
        self.assertEqual(self.connector.oldest_job_words, "3 hours ago")

    def test_readers_see_the_work_of_their_companies(self):
        self.exchanges("ok", 10, 10)
        self.exchanges("transient", 10, company=self.company_b)
        self.assertEqual(self.read(self.company_a).calls, 2)
        mine = self.connector.with_user(self.accountant_b)
        self.assertEqual((mine.calls_24h, mine.success_rate), (1, 0.0))
        self.assertEqual(self.connector.with_user(self.accountant).success_rate, 100.0)

    def test_lanes(self):
        self.assertEqual(self.health._lanes().awake, 0)
        self.assertIsNone(self.health._lanes().overdue)
        first = self.waiting_job(minutes=7)
        self.assertAlmostEqual(self.health._lanes().overdue, 420, delta=5)
        # what a lane could not take anyway makes no lane late
        later = self.make_job(state="pending", stream=first.stream, due_at=ago(days=1))
        self.assertAlmostEqual(self.health._lanes().overdue, 420, delta=5)
        self.env["finance.gate"]._stop(self.connector)
        self.assertIsNone(self.health._lanes().overdue)
        later.unlink()
        lane = self.env.ref("finance_connector_base.cron_lane_1")
        lane.lastcall = ago(minutes=3)
        self.connector.invalidate_recordset()
        self.assertEqual(self.connector.lane_words, "Asleep; last run 3 minutes ago")

    def test_a_lane_at_work_is_seen(self):
        with self.registry.cursor() as other:
            other.execute("SELECT pg_advisory_xact_lock(%s, 1)", [0x46494E01])
            self.assertEqual(self.health._lanes().awake, 1)
            self.assertEqual(self.connector.lane_words, "1 at work now")

    def test_form_opens(self):
        self.exchanges("ok", 10)
        self.waiting_job(hours=2)
        form = Form(self.connector.with_user(self.accountant))
        self.assertEqual(form.calls_24h, 1)
        self.assertIn("100.0 % of 1 calls worked", self.connector.calls_words)


@tagged("post_install", "-at_install")
class TestFreshness(HealthCase):
    """The last success of a workflow against its promise."""

    def freshness(self):
        self.workflow.invalidate_recordset()
        return self.workflow.freshness, self.workflow.freshness_words

    def test_late(self):
        self.workflow.last_success_at = ago(hours=26)
        self.assertEqual(
            self.freshness(), ("late", "Late: last success 26 hours ago, promised every 24 h")
        )
        self.workflow.freshness_hours = 3
        self.workflow.last_success_at = ago(hours=5)
        self.assertEqual(
            self.freshness(), ("late", "Late: last success 5 hours ago, promised every 3 h")
        )
        self.connector._by_action({"tested_at": fields.Datetime.now()})
        self.env["finance.gate"]._of(self.connector).last_success_at = fields.Datetime.now()
        self.assertEqual(self.connector.health, "warning")
        self.assertIn("Tax, Late: last success 5 hours ago", self.connector.health_words)

    def test_never(self):
        self.assertEqual(self.freshness()[0], "late", "three days old, promised every 24 h")
        self._born(self.workflow, hours=1)
        self.assertEqual(self.freshness(), ("never", "No success yet"))

    def test_fresh_by_a_job(self):
        job = self.make_job(
            state="done", workflow_id=self.workflow.id, done_at=ago(hours=2), key="1"
        )
        self.assertEqual(self.freshness()[0], "fresh")
        # what a person did by hand says nothing of the connector
        job.done_outside_ref = "by hand"
        self.assertEqual(self.freshness()[0], "late")

    def test_fresh_by_an_answer_that_somebody_waited_for(self):
        asked = SimpleNamespace(flow="tax")
        branch = self.env["res.company"].create({"name": "B", "parent_id": self.company_a.id})
        with patch.dict(self.registry.models, {"finance.operation.test.quote": asked}):
            self.exchanges("transient", 10, operation="test.quote")
            self.exchanges("ok", 10, operation="test.other")
            self.exchanges("ok", 10, operation="test.quote", company=self.company_b)
            self.assertEqual(self.freshness()[0], "late")
            self.exchanges("ok", 10, operation="test.quote", company=branch)
            self.assertEqual(self.freshness()[0], "fresh")

    def test_outlives_jobs(self):
        job = self.make_job(state="done", workflow_id=self.workflow.id, done_at=ago(hours=2))
        self.check()
        self.assertEqual(self.workflow.last_success_at, job.done_at)
        job.unlink()
        self.assertEqual(self.freshness()[0], "fresh")
        self.check()
        self.assertEqual(self.freshness()[0], "fresh")

    def test_events_owe_news_only_while_work_waits(self):
        self.workflow.mode = "event"
        self.workflow.last_success_at = ago(days=5)
        self.assertEqual(self.freshness()[0], "fresh")
        job = self.waiting_job(hours=23)
        self.assertEqual(self.freshness()[0], "fresh")
        job.created_at = ago(hours=26)
        self.assertEqual(self.freshness()[0], "late")

    def test_what_is_stopped_or_promises_nothing_is_not_late(self):
        self.workflow.last_success_at = ago(days=5)
        self.workflow.freshness_hours = 0
        self.assertEqual(self.freshness(), ("none", "Last success 5 days ago"))
        self.workflow.freshness_hours = 1
        self.connector._by_action({"state": "paused"})
        self.assertEqual(self.freshness()[0], "none")


@tagged("post_install", "-at_install")
class TestAlertRule(HealthCase):
    def mails(self):
        return self.env["mail.mail"].search([("email_to", "ilike", self.admin.email)])

    def test_opens_once_and_ends_by_itself(self):
        rule = self.rule("oldest_job", 60, severity="critical", user_ids=self.admin.ids)
        self.assertFalse(self.check())
        job = self.waiting_job(hours=2)
        alert = self.check()
        self.assertEqual(
            (alert.connector_id, alert.severity, alert.title),
            (self.connector, "critical", "Alert: Watch"),
        )
        self.assertIn("Oldest waiting job (minutes): 120, the alert is for above 60", alert.text)
        self.assertTrue(alert.can_open_connector)
        self.assertEqual(self.check(), alert)
        self.assertEqual((alert.occurrences, rule.alert_count), (2, 1))
        job.state = "done"
        self.assertEqual(self.check(), alert, "back once may be a coincidence")
        alert.last_seen_at -= CALM
        self.assertFalse(self.check())
        self.assertEqual(alert.state, "resolved")
        self.assertIn("within its bounds", alert.ending)
        self.assertEqual(len(self.mails()), 1)
        job.state = "pending"
        self.assertEqual(self.check(), alert, "the same exception, not a second one")
        self.assertEqual(len(self.mails()), 2)

    def test_mail_says_what_and_where(self):
        self.rule("oldest_job", 60, user_ids=self.admin.ids)
        self.waiting_job(hours=2)
        alert = self.check()
        mail = self.mails()
        self.assertEqual(mail.subject, "Alert: Watch")
        self.assertIn("Acme main", mail.body_html)
        self.assertIn(f"/odoo/finance-exceptions/{alert.id}", mail.body_html)

    def test_success_rate_needs_calls(self):
        self.rule("success_rate", 90, comparison="below", least_calls=20)
        self.exchanges("transient", *[10] * 19)
        self.assertFalse(self.check())
        self.exchanges("ok", 10)
        self.assertIn("5", self.check().text)

    def test_lanes_asleep_is_one_alert_without_connector(self):
        rule = self.rule("lanes_asleep", 5)
        self.waiting_job(minutes=4)
        self.assertFalse(self.check())
        self.waiting_job(minutes=6)
        alert = self.check()
        self.assertFalse(alert.connector_id)
        self.assertIn("max_cron_threads", alert.text)
        with self.assertRaises(ValidationError):
            rule.connector_id = self.connector

    def test_each_workflow_has_its_alert(self):
        self.rule("workflow_late", 0)
        second = self.workflow.copy({"company_id": self.company_b.id})
        self._born(second, days=3)
        alerts = self.check()
        self.assertEqual(alerts.company_id, self.company_a | self.company_b)
        second.last_success_at = fields.Datetime.now()
        alerts.last_seen_at = ago(hours=1)
        self.assertEqual(self.check().company_id, self.company_a)

    def test_of_one_company(self):
        self.rule("calls", 0, company_id=self.company_b.id)
        self.exchanges("ok", 10)
        self.assertFalse(self.check())
        self.exchanges("ok", 10, company=self.company_b)
        self.assertEqual(self.check().company_id, self.company_b)

    def test_ignored_stays_ignored_for_a_day(self):
        self.rule("oldest_job", 60, user_ids=self.admin.ids)
        self.waiting_job(hours=2)
        alert = self.check()
        alert._close("ignored", "known")
        self.assertFalse(self.check())
        with freeze_time(fields.Datetime.now() + timedelta(hours=25)):
            self.assertEqual(self.check(), alert)

    def test_rule_that_is_gone_leaves_no_alert(self):
        rule = self.rule("oldest_job", 60)
        self.waiting_job(hours=2)
        alert = self.check()
        rule.unlink()
        self.assertTrue(alert.text)
        self.assertFalse(self.check())

    def test_every_measure_is_measured(self):
        self.exchanges("ok", 10)
        for measure, _label in self.env["finance.alert.rule"]._fields["measure"].selection:
            with self.subTest(measure=measure):
                self.assertTrue(self.rule(measure, 1)._subjects())


@tagged("post_install", "-at_install")
class TestMetrics(HealthCase, HttpCase):
    """/finance/metrics, read by the parser of Prometheus."""

    def get(self, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.url_open("/finance/metrics", headers=headers)

    def scrape(self):
        """{(sample name, labels): value} by the official parser, and the metrics' types."""
        from prometheus_client.parser import text_string_to_metric_families

        response = self.get(self.env["finance.metrics.token"]._renew())
        self.assertEqual(response.status_code, 200)
        self.assertEqual(
            response.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8"
        )
        self.assertNotIn("Set-Cookie", response.headers)
        found = list(text_string_to_metric_families(response.text))
        samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for metric in found
            for sample in metric.samples
        }
        self.assertEqual(len(samples), sum(len(metric.samples) for metric in found), "no twins")
        return samples, {metric.name: metric.type for metric in found}, response.text

    def mine(self, samples, metric, /, **labels):
        labels = {"connector": str(self.connector.id), **labels}
        return samples[metric, frozenset(labels.items())]

    def test_closed_until_there_is_a_token(self):
        self.assertEqual(self.get().status_code, 404)
        self.assertEqual(self.get("anything").status_code, 404)
        tokens = self.env["finance.metrics.token"]
        token = tokens._renew()
        self.assertEqual(self.get(token).status_code, 200)
        for wrong in (None, "", "anything", token[:-1], token + "x", "ümlaut".encode()):
            response = self.get(wrong if not isinstance(wrong, bytes) else wrong.decode("latin-1"))
            self.assertEqual(response.status_code, 401)
            self.assertNotIn("finance_", response.text)
        newer = tokens._renew()
        self.assertEqual((self.get(token).status_code, self.get(newer).status_code), (401, 200))
        tokens._remove()
        self.assertEqual(self.get(newer).status_code, 404)

    def test_token_is_shown_once_and_stored_nowhere(self):
        action = self.env["res.config.settings"].create({}).action_finance_metrics_token()
        token = action["context"]["default_token"]
        stored = self.env["ir.config_parameter"].get_param("finance_connector.metrics_token")
        self.assertNotIn(token, stored)
        self.assertTrue(self.env["finance.metrics.token"]._fits(token))
        self.assertNotIn(token, str(self.events("metrics.token_renewed").data))
        self.assertTrue(self.env["res.config.settings"].create({}).finance_metrics_open)

    def test_figures(self):
        self.connector.name = 'Acme "main" \\ two\nlines'
        self.exchanges("ok", 100, 300)
        self.exchanges("transient", 200)
        self.waiting_job(hours=2)
        self.raised("connector.auth", document=None)
        self.workflow.last_success_at = moment = ago(hours=26).replace(microsecond=0)
        samples, types, text = self.scrape()
        self.assertEqual(types["finance_exchanges"], "counter")
        self.assertEqual(types["finance_exchange_duration_seconds"], "summary")
        mine = self.mine
        name = {"name": self.connector.name, "provider": "acme", "environment": "sandbox"}
        self.assertEqual(mine(samples, "finance_connector_info", **name), 1)
        self.assertEqual(mine(samples, "finance_exchanges_total", outcome="ok"), 2)
        self.assertEqual(mine(samples, "finance_exchanges_total", outcome="transient"), 1)
        self.assertAlmostEqual(
            mine(samples, "finance_exchange_duration_seconds", quantile="0.5"), 0.2
        )
        self.assertAlmostEqual(mine(samples, "finance_exchange_duration_seconds_sum"), 0.6)
        self.assertEqual(mine(samples, "finance_exchange_duration_seconds_count"), 3)
        self.assertEqual(mine(samples, "finance_jobs", state="pending"), 1)
        self.assertEqual(mine(samples, "finance_jobs", state="dead"), 0)
        self.assertAlmostEqual(mine(samples, "finance_job_oldest_seconds"), 7200, delta=30)
        self.assertEqual(mine(samples, "finance_breaker_open"), 0)
        where = {"flow": "tax", "company": str(self.company_a.id)}
        success = mine(samples, "finance_last_success_timestamp_seconds", **where)
        self.assertEqual(
            fields.Datetime.from_string("1970-01-01") + timedelta(seconds=success), moment
        )
        self.assertAlmostEqual(
            mine(samples, "finance_workflow_late_seconds", **where), 7200, delta=30
        )
        exception = {"code": "connector.auth", "kind": "technical", "blocks_close": "true"}
        self.assertGreaterEqual(samples["finance_exceptions_open", frozenset(exception.items())], 1)
        self.assertEqual(samples["finance_lanes_awake", frozenset()], 0)
        self.assertAlmostEqual(samples["finance_job_overdue_seconds", frozenset()], 7200, delta=30)
        for secret in (self.company_a.name, self.partner.name, self.admin.login, self.invoice.name):
            self.assertNotIn(str(secret), text)

    def test_counters_never_fall(self):
        self.exchanges("ok", 100, 100, started_at=ago(days=400))
        self.exchanges("ok", 100, started_at=ago(days=3))
        self.exchanges("ok", 100)
        days = self.env["finance.exchange.day"]
        before = days._totals()
        self.env["finance.exchange"]._vacuum()
        self.env["finance.exchange"]._vacuum()
        self.assertEqual(days._totals(), before)
        old = self.env["finance.exchange"].search([("started_at", "<", ago(days=100))])
        self.assertFalse(old, "they are deleted")
        [mine] = [row for row in before if row[0] == self.connector.id]
        self.assertEqual((mine[1], mine[2]), ("ok", 4))

    def test_an_empty_metric_and_labels_are_written_right(self):
        metric = Metric("a_b", "gauge", "Help.", [Sample(1, {"x": 'q"\\\n'}), Sample(0.5, {})])
        self.assertEqual(
            text_of([metric, Metric("c", "gauge", "None.", [])]),
            "# HELP a_b Help.\n# TYPE a_b gauge\n"
            'a_b{x="q\\"\\\\\\n"} 1\na_b 0.5\n# HELP c None.\n# TYPE c gauge\n',
        )
