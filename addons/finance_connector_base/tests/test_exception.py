from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from ..models.finance_exception_catalog import ExceptionKind
from ..models.finance_exception_raise import REOPEN_DAYS
from .evidence import GROUP, EvidenceCase


@tagged("post_install", "-at_install")
class TestException(EvidenceCase):
    """Raised, merged, worded, owned, decided, closed, back again."""

    # === RAISING === #

    def test_knows_what_its_document_says(self):
        exception = self.raised()
        self.assertEqual(exception.company_id, self.company_a)
        self.assertEqual(exception.partner_id, self.partner)
        self.assertEqual(exception.document_date, fields.Date.to_date("2026-03-31"))
        self.assertEqual(exception.period, "2026-03")
        self.assertEqual(exception.amount, 100.0)
        self.assertEqual(exception.currency_id, self.invoice.currency_id)
        self.assertEqual(exception.document_name, self.invoice.display_name)
        self.assertEqual((exception.kind, exception.question), ("business", "decision"))
        self.assertTrue(exception.blocks_close)

    def test_job_fills_the_rest(self):
        job = self.make_job()
        exception = self.Exception._raise("job.dead", job=job)
        self.assertEqual(exception.document_id, self.invoice.id)
        self.assertEqual(exception.connector_id, self.connector)
        self.assertEqual(exception.trace_id, job.trace_id)
        self.assertEqual(exception.job_id, job)

    def test_same_thing_is_counted_on_one_row(self):
        first = self.raised(params={"message": "once"})
        again = self.raised(params={"message": "twice"})
        self.assertEqual(first, again)
        self.assertEqual(again.occurrences, 2)
        self.assertIn("twice", again.text)

    def test_other_document_code_or_job_is_another_row(self):
        found = {self.raised().id, self.raised(document=self._invoice()).id}
        found |= {self.raised("job.held").id}
        found |= {self.Exception._raise("job.dead", job=self.make_job()).id for _ in range(2)}
        self.assertEqual(len(found), 5)

    def test_drift_is_one_row_per_field_and_version(self):
        def drift(field, document):
            params = {"field": field, "version": "2", "message": "missing"}
            return self.raised("contract.drift", document=document, params=params)

        first = drift("lines.tax", self.invoice)
        self.assertEqual(first, drift("lines.tax", self._invoice()))
        self.assertNotEqual(first, drift("totalTax", self.invoice))
        self.assertIn("lines.tax", first.text)
        self.assertIn("version 2", first.text)
        self.assertEqual(first.document_id, self.invoice.id)

    def test_open_fingerprint_is_unique_in_the_database(self):
        self.env.cr.execute(
            "SELECT indexdef FROM pg_indexes WHERE indexname = 'finance_exception_open_fingerprint'"
        )
        definition = self.env.cr.fetchone()[0]
        self.assertIn("UNIQUE", definition)
        self.assertIn("WHERE", definition)

    def test_row_of_a_concurrent_transaction_is_counted_on(self):
        """The INSERT meets the open row although it was not seen before."""
        exception = self.raised()
        values = exception.sudo().read(
            ["code", "kind", "severity", "question", "fingerprint"], load=None
        )[0]
        del values["id"]
        again = self.Exception.sudo()._insert(values | {"params": {}})
        self.assertEqual(again, exception)
        self.assertEqual(again.occurrences, 2)

    def test_secrets_in_parameters_are_masked(self):
        iban = "DE89370400440532013000"
        exception = self.raised(params={"message": f"unknown account {iban}", "token": "abcdef123"})
        self.assertNotIn(iban, exception.text)
        self.assertNotIn("abcdef123", str(exception.params))

    # === WORDING === #

    def test_every_kind_has_words_and_known_steps(self):
        for code, kind in self.Exception._catalog().items():
            with self.subTest(code=code):
                exception = self.raised(code)
                for step in kind.steps:
                    self.assertIn(f"can_{step}", exception._fields)
                    self.assertTrue(hasattr(exception, f"action_{step}"), step)
                self.assertTrue(exception.title and exception.text and exception.effect)
                self.assertNotIn("%(", exception.title + exception.text + exception.effect)

    def test_worded_for_the_reader_not_for_the_writer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        catalog = type(self.Exception)._catalog

        def translated(model):
            title = (
                "Refusé : %(document)s" if model.env.lang == "fr_FR" else "Refused: %(document)s"
            )
            return catalog(model) | {"test.lang": ExceptionKind(title, "", "")}

        self.patch(type(self.Exception), "_catalog", translated)
        exception = self.raised("test.lang")
        self.assertEqual(exception.title, f"Refused: {self.invoice.display_name}")
        in_french = exception.with_context(lang="fr_FR")
        self.assertTrue(in_french.title.startswith("Refusé"))
        self.assertTrue(in_french.display_name.startswith("Refusé"))

    def test_code_of_a_missing_addon_is_still_readable(self):
        exception = self.raised("gone.code", params={"message": "100 % wrong"})
        self.assertIn("gone.code", exception.title)
        self.assertIn("100 % wrong", exception.text)
        self.assertTrue(exception.can_handle)

    def test_found_by_title_code_and_document(self):
        self.invoice.name = "INV/2026/4711"
        exception = self.raised()
        for domain in (
            [("title", "ilike", "refused it")],
            [("code", "=", "job.rejected")],
            [("document_name", "ilike", "2026/4711")],
            [("display_name", "ilike", "refused it")],
            [("period", "=", "2026-03"), ("company_id", "=", self.company_a.id)],
        ):
            with self.subTest(domain=domain):
                self.assertIn(exception, self.Exception.search(domain))
        self.assertNotIn(exception, self.Exception.search([("title", "not ilike", "refused it")]))

    def test_age_and_overdue(self):
        exception = self.raised().sudo()
        exception.first_seen_at = fields.Datetime.now() - timedelta(days=5, hours=1)
        exception.deadline = fields.Date.today() - timedelta(days=2)
        self.assertEqual(exception.age_days, 5)
        self.assertTrue(exception.is_overdue)
        for domain, expected in (
            ([("age_days", ">=", 5)], True),
            ([("age_days", ">", 5)], False),
            ([("age_days", "<", 6)], True),
            ([("age_days", "<=", 4)], False),
            ([("is_overdue", "=", True)], True),
            ([("is_overdue", "=", False)], False),
        ):
            with self.subTest(domain=domain):
                found = self.Exception.search(domain + [("id", "=", exception.id)])
                self.assertEqual(bool(found), expected)

    def test_deleted_document_is_said_so(self):
        exception = self.raised(document=self._invoice())
        self.env["account.move"].browse(exception.document_id).unlink()
        exception.invalidate_recordset()
        self.assertIn("Deleted", exception.document_name)
        self.assertTrue(exception.web_read({"document_name": {}, "document_id": {"fields": {}}}))
        with self.assertRaises(UserError):
            exception.action_open_document()

    def test_unreadable_document_tells_only_kind_and_number(self):
        private = self.env["ir.mail_server"].create({"name": "Private", "smtp_host": "x"})
        exception = self.raised(document=private, company=self.company_a)
        shown = exception.with_user(self.accountant).document_name
        self.assertNotIn("Private", shown)
        self.assertIn(str(private.id), shown)

    # === OWNER === #

    def test_rule_gives_owner_deadline_and_activity(self):
        self.env["finance.exception.rule"].create(
            [
                {"name": "other", "code_pattern": "tax.*", "user_id": self.admin.id},
                {
                    "name": "jobs of A",
                    "code_pattern": "job.*",
                    "company_id": self.company_a.id,
                    "connector_id": self.connector.id,
                    "user_id": self.accountant.id,
                    "deadline_days": 4,
                },
            ]
        )
        exception = self.raised()
        self.assertEqual(exception.owner_id, self.accountant)
        self.assertEqual(exception.rule_id.name, "jobs of A")
        self.assertEqual(exception.deadline, exception._today() + timedelta(days=4))
        self.assertEqual(exception.activity_ids.user_id, self.accountant)
        self.assertEqual(exception.activity_ids.date_deadline, exception.deadline)
        self.assertEqual(exception.activity_ids.summary, exception.title)

    def test_without_rule_the_connectors_then_the_companys_person(self):
        self.company_a.finance_exception_user_id = self.colleague
        self.assertEqual(self.raised().owner_id, self.colleague)
        self.connector.sudo().responsible_id = self.admin
        self.assertEqual(self.raised(document=self._invoice()).owner_id, self.admin)

    def test_nobody_owns_what_they_may_not_see(self):
        self.connector.sudo().responsible_id = self.accountant_b
        exception = self.raised()
        self.assertFalse(exception.owner_id)
        self.assertFalse(exception.activity_ids)
        with self.assertRaises(ValidationError):
            exception.sudo().owner_id = self.accountant_b
        with self.assertRaises(ValidationError):
            exception.sudo().owner_id = self.auditor

    def test_assignment_moves_the_activity(self):
        self.connector.sudo().responsible_id = self.accountant
        exception = self.raised().with_user(self.accountant)
        exception.action_assign_to_me()
        exception.write({"owner_id": self.colleague.id, "deadline": "2026-12-24"})
        self.assertEqual(exception.activity_ids.user_id, self.colleague)
        self.assertEqual(str(exception.activity_ids.date_deadline), "2026-12-24")
        self.assertTrue(self.events("exception.assigned"))

    def test_assign_wizard(self):
        exceptions = self.raised() | self.raised("job.held")
        action = exceptions.with_user(self.accountant).action_assign()
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.accountant)
            .with_context(**action["context"])
            .create({"owner_id": self.colleague.id, "deadline": "2026-12-24"})
        )
        wizard.action_confirm()
        self.assertEqual(exceptions.owner_id, self.colleague)

    def test_owner_can_be_deleted(self):
        user = new_test_user(self.env, "f_leaving", f"{GROUP}user")
        self.connector.sudo().responsible_id = user
        exception = self.raised()
        user.unlink()
        self.assertFalse(exception.owner_id)

    # === STEPS === #

    def test_steps_follow_the_job(self):
        job = self.make_job(state="uncertain")
        exception = self.Exception._raise("job.uncertain", job=job)
        self.assertTrue(exception.can_query and exception.can_done_outside)
        self.assertFalse(exception.can_retry or exception.can_handle or exception.can_ignore)
        job._sql("state = 'pending'")
        exception.invalidate_recordset()
        self.assertFalse(exception.can_query)

    def test_retry_runs_the_job_again_and_waits(self):
        job = self.make_job(error_class="Transient")
        exception = self.Exception._raise("job.dead", job=job)
        exception.with_user(self.accountant).action_retry()
        self.assertEqual(job.state, "pending")
        self.assertEqual((exception.state, exception.question), ("open", "waiting"))
        self.assertTrue(self.events("exception.retried"))

    def test_bulk_retry_leaves_out_what_cannot_be_retried(self):
        jobs = [self.make_job(), self.make_job(), self.make_job(state="uncertain")]
        codes = ["job.dead", "job.dead", "job.uncertain"]
        exceptions = self.Exception.browse(
            self.Exception._raise(code, job=job).id for code, job in zip(codes, jobs, strict=True)
        )
        shown = exceptions.with_user(self.accountant).action_retry()
        self.assertEqual([job.state for job in jobs], ["pending", "pending", "uncertain"])
        self.assertEqual(shown["params"]["type"], "warning")
        with self.assertRaises(UserError):
            exceptions[-1].with_user(self.accountant).action_retry()

    def test_steps_are_checked_on_the_server(self):
        exception = self.raised("job.rejected").with_user(self.accountant)
        with self.assertRaises(UserError):
            exception.action_ignore()
        wizard = self.env["finance.exception.close"].with_user(self.accountant)
        wizard = wizard.create(
            {
                "exception_ids": [Command.set(exception.ids)],
                "outcome": "ignored",
                "reason": "no step",
            }
        )
        with self.assertRaises(UserError):
            wizard.action_confirm()
        with self.assertRaises(AccessError):
            exception.with_user(self.auditor).action_retry()

    def test_opens_document_connector_and_job(self):
        exception = self.Exception._raise("job.dead", job=self.make_job())
        self.assertEqual(exception.action_open_document()["res_id"], self.invoice.id)
        self.assertEqual(exception.action_open_connector()["res_id"], self.connector.id)
        self.assertEqual(exception.action_open_job()["res_model"], "finance.job")

    # === ENDING === #

    def _close(self, exceptions, button, **values):
        action = getattr(exceptions.with_user(self.accountant), button)()
        wizard = self.env[action["res_model"]].with_user(self.accountant)
        form = Form(wizard.with_context(**action["context"]))
        for name, value in values.items():
            form[name] = value
        form.save().action_confirm()

    def test_ignored_with_a_reason_and_audited(self):
        self.connector.sudo().responsible_id = self.accountant
        exception = self.raised("job.held")
        self._close(exception, "action_ignore", reason="Known outage")
        self.assertEqual(exception.state, "ignored")
        self.assertEqual(exception.closed_by_id, self.accountant)
        self.assertEqual(exception.ending, "Known outage")
        self.assertFalse(exception.activity_ids)
        event = self.events("exception.ignored")
        self.assertEqual(event.user_id, self.accountant)
        self.assertNotIn("Known outage", str(event.data))
        detail = self.env["finance.audit.detail"].search([("event_id", "=", event.id)])
        self.assertEqual(detail._values(), {"reason": "Known outage"})
        self.assertEqual(detail._digest(), event.data["detail"])

    def test_bulk_handled(self):
        params = ({"field": name, "version": "1"} for name in ("a", "b"))
        found = [self.raised("contract.drift", params=values).id for values in params]
        exceptions = self.Exception.browse(found)
        self._close(exceptions, "action_handle", reason="Vendor told")
        self.assertEqual(exceptions.mapped("state"), ["handled", "handled"])

    def test_reason_is_required(self):
        with self.assertRaises(UserError):
            self._close(self.raised("job.held"), "action_ignore", reason="  ")

    def test_closes_itself_when_the_job_succeeds(self):
        job = self.make_job()
        exception = self.Exception._raise("job.dead", job=job)
        other = self.Exception._raise("job.dead", job=self.make_job())
        self.assertEqual(self.Exception._resolve(job=job, note="job.done"), exception)
        self.assertEqual((exception.state, other.state), ("resolved", "open"))
        self.assertEqual(exception.ending, "The work was done later.")
        self.assertFalse(exception.closed_by_id)

    def test_resolve_by_code_document_and_connector(self):
        rejected, held = self.raised(), self.raised("job.held")
        self.Exception._resolve(code="job.held", document=self.invoice)
        self.assertEqual((rejected.state, held.state), ("open", "resolved"))
        self.Exception._resolve(connector=self.connector)
        self.assertEqual(rejected.state, "resolved")
        with self.assertRaises(ValueError):
            self.Exception._resolve(code="job.held")

    def test_new_matter_of_a_job_supersedes_the_old_one(self):
        job = self.make_job(state="uncertain")
        unknown = self.Exception._raise("job.uncertain", job=job)
        job._sql("state = 'dead'")
        dead = self.Exception._raise("job.dead", job=job)
        self.assertEqual((unknown.state, dead.state), ("resolved", "open"))

    def test_comes_back_on_the_same_row(self):
        exception = self.raised("job.held")
        self._close(exception, "action_ignore", reason="Once")
        again = self.raised("job.held")
        self.assertEqual(again, exception)
        self.assertEqual((again.state, again.occurrences), ("open", 2))
        self.assertFalse(again.close_reason or again.closed_by_id)
        self.assertEqual(len(self.events("exception.reopened")), 1)

    def test_quiet_ones_are_only_counted(self):
        exception = self.raised("job.held")
        tomorrow = fields.Date.today() + timedelta(days=2)
        self._close(exception, "action_ignore", reason="Outage", quiet_until=tomorrow)
        again = self.raised("job.held")
        self.assertEqual((again, again.state, again.occurrences), (exception, "ignored", 2))

    def test_old_story_is_not_reopened(self):
        exception = self.raised("job.held")
        exception._close("resolved")
        exception.sudo().closed_at = fields.Datetime.now() - timedelta(days=REOPEN_DAYS + 1)
        self.assertNotEqual(self.raised("job.held"), exception)

    # === GUARDS === #

    def test_people_write_owner_deadline_and_tags_only(self):
        exception = self.raised().with_user(self.accountant)
        exception.write({"deadline": "2026-12-24", "tag_ids": [Command.create({"name": "Later"})]})
        for values in (
            {"state": "handled"},
            {"question": "waiting"},
            {"amount": 1},
            {"close_reason": "x", "owner_id": self.accountant.id},
            {"fingerprint": "x"},
            {"company_id": self.company_b.id},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                exception.write(values)
        with self.assertRaises(AccessError):
            exception.create({"code": "job.dead"})
        with self.assertRaises(AccessError):
            exception.unlink()

    def test_companies_are_apart(self):
        of_a = self.raised()
        of_b = self.raised("job.held", document=self.connector, company=self.company_b)
        of_b.sudo().company_id = self.company_b
        shared = self.raised("connector.auth", document=None, record=self.connector)
        self.assertFalse(shared.company_id)
        a = self.Exception.with_user(self.accountant).search([])
        b = self.Exception.with_user(self.accountant_b).search([])
        self.assertIn(of_a, a)
        self.assertNotIn(of_b, a)
        self.assertNotIn(of_a, b)
        self.assertIn(of_b, b)
        self.assertIn(shared, a & b)
        with self.assertRaises(AccessError):
            of_a.with_user(self.accountant_b).read(["code"])

    def test_views_open_for_every_role(self):
        self.raised()
        for user in (self.accountant, self.admin, self.auditor):
            for view in ("list", "form", "kanban", "search", "graph", "pivot"):
                with self.subTest(user=user.login, view=view):
                    opened = self.Exception.with_user(user).get_views([(False, view)])
                    self.assertIn(view, opened["views"])

    def test_home_shows_all_four_questions_with_counters(self):
        self.raised()
        home = self.Exception.with_user(self.accountant).with_context(read_group_expand=True)
        groups = home.web_read_group([("state", "=", "open")], ["question"], ["__count"])["groups"]
        counts = {group["question"]: group["__count"] for group in groups}
        self.assertEqual(set(counts), {"decision", "unknown", "stopped", "waiting"})
        self.assertEqual(counts["decision"], 1)
