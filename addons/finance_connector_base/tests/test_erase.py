from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

from psycopg2.errors import CheckViolation

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..models.finance_personal_mixin import Subject
from .evidence import GROUP, EvidenceCase


@tagged("post_install", "-at_install")
class TestErase(EvidenceCase):
    """What is known about a person goes, unless it is held; the proof stays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.controller = new_test_user(
            cls.env,
            "f_controller",
            f"{GROUP}controller,base.group_partner_manager",
            company_ids=[Command.set((cls.company_a | cls.company_b).ids)],
            company_id=cls.company_a.id,
        )
        cls.Detail = cls.env["finance.audit.detail"]
        cls.Hold = cls.env["finance.legal.hold"]
        cls.Rule = cls.env["finance.retention.rule"]
        cls.Rule.search([]).unlink()

    def work(self, partner, company=None):
        """What a recorded invoice leaves: (job, exchange, answer, closed exception)."""
        company = company or self.company_a
        invoice = self._invoice(partner)
        if company != self.company_a:
            journal = self.env["account.journal"].create(
                {"name": "S", "code": "S", "type": "sale", "company_id": company.id}
            )
            self.cr.execute(
                "UPDATE account_move SET company_id = %s, journal_id = %s WHERE id = %s",
                [company.id, journal.id, invoice.id],
            )
            self.env.invalidate_all()
        job = self.make_job(
            invoice, state="done", company=company, error_text="at Planted Street 1",
            request_digest="5" * 64, request_sealed=b"FV1r", answer_sealed=b"FV1a", done_outside_ref="by phone",
        )  # fmt: skip
        self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": "job.enqueued",
                    "res_model": invoice._name,
                    "res_id": invoice.id,
                    "company_id": company.id,
                    "trace_id": job.trace_id,
                    "connector_id": self.connector.id,
                    "data": {"uuid": job.uuid, "key": job.key},
                    "detail": {"partner": partner.name},
                    "partner_id": partner.id,
                }
            ]
        )
        self.env["finance.job.key"].create(
            {"connector_id": self.connector.id, "key": job.key, "digest": "5" * 64}
        )
        exchange = self.env["finance.exchange"].create(
            {
                "uuid": str(uuid4()),
                "job_id": job.id,
                "company_id": company.id,
                "connector_id": self.connector.id,
                "trace_id": job.trace_id,
                "operation": "test.commit",
                "url": "https://api.acme.example.com/write?name=Planted",
                "started_at": fields.Datetime.now(),
                "error_text": "Planted Street 1",
                "request_masked": "{}",
                "request_sealed": b"FV1r",
                "response_sealed": b"FV1a",
            }
        )
        self.env["finance.answer"]._remember(
            self.connector, "x", uuid4().hex, "{}", str(uuid4()), job.trace_id
        )
        answer = self.env["finance.answer"].search([("trace_id", "=", job.trace_id)])
        exception = self.raised(document=invoice, company=company, params={"answer": "Planted"})
        exception.message_post(body="Planted called back")
        exception._close("handled", "Planted was told")
        return job, exchange, answer, exception

    def eraser(self, partner=None, companies=None, user=None):
        """The wizard, as a controller opens it on a contact."""
        env = self.env(user=(user or self.controller).id)
        ids = (companies or self.company_a | self.company_b).ids
        action = env["ir.actions.act_window"]._for_xml_id(
            "finance_connector_base.action_finance_erasure"
        )
        self.assertEqual(action["binding_view_types"], "form")
        wizard = env[action["res_model"]].with_context(
            allowed_company_ids=ids, default_partner_id=(partner or self.partner).id
        )
        return Form(wizard).save()

    def line(self, wizard, model):
        """The line of the wizard about a model's rows."""
        words = self.env[model]._personal_words()
        return wizard.line_ids.filtered(lambda line: line.what == words)

    # === ERASING === #

    def test_everything_of_the_partner_goes_and_nothing_else(self):
        other = self.env["res.partner"].create({"name": "Other"})
        mine, theirs = self.work(self.partner), self.work(other)
        wizard = self.eraser()
        for model in ("finance.job", "finance.exchange", "finance.answer", "finance.exception"):
            self.assertEqual((self.line(wizard, model).count, wizard.obstacle), (1, ""), model)
        # job.enqueued and exception.handled
        self.assertEqual(self.line(wizard, "finance.audit.detail").count, 2)
        kept = wizard.line_ids.filtered("stays")
        self.assertTrue(kept.filtered(lambda line: line.what == "Audit events").count)
        self.assertTrue(all(line.why for line in kept))
        events = self.env["finance.audit.event"].search([])
        before = {event.id: event.data for event in events}
        wizard.action_erase()
        self.env.invalidate_all()
        job, exchange, answer, exception = mine
        self.assertFalse(answer.exists())
        self.assertFalse(
            job.request_sealed
            or job.answer_sealed
            or job.error_text
            or job.done_outside_ref
            or job.request_digest
        )
        self.assertFalse(
            exchange.request_sealed
            or exchange.response_sealed
            or exchange.request_masked
            or exchange.error_text
        )
        self.assertEqual(exchange.url, "https://api.acme.example.com/write")
        self.assertFalse(exception.params or exception.close_reason or exception.message_ids)
        self.assertEqual(exception.state, "handled")
        details = self.Detail.search([("partner_id", "=", self.partner.id)])
        self.assertEqual(len(details), 2)
        for detail in details:
            self.assertIsNone(detail._values())
            self.assertTrue(detail.erased_at)
            self.assertEqual(
                (detail.erased_by_id, detail.erased_basis), (self.controller, "request")
            )
        self.assertEqual({e.id: e.data for e in events}, before, "events are as they were")
        job, exchange, answer, exception = theirs
        self.assertTrue(job.request_sealed and exchange.request_sealed and answer.exists())
        self.assertEqual(exception.close_reason, "Planted was told")
        for detail in self.Detail.search([("partner_id", "=", other.id)]):
            self.assertTrue(detail._values())
            self.assertEqual(detail._digest(), detail.event_id.data["detail"])

    def test_the_erasing_is_an_event_without_names(self):
        self.work(self.partner)
        self.eraser().action_erase()
        event = self.events("partner.erased")
        self.assertEqual(event.user_id, self.controller)
        self.assertEqual((event.res_model, event.res_id), ("res.partner", self.partner.id))
        self.assertEqual(event.data["basis"], "request")
        self.assertEqual(event.data["partner_ids"], self.partner.ids)
        counts = {
            "finance.answer": 1,
            "finance.audit.detail": 2,
            "finance.exception": 1,
            "finance.exchange": 1,
            "finance.job": 1,
            "finance.job.key": 1,
        }
        self.assertEqual(event.data["counts"], counts)
        self.assertNotIn("Customer", str(event.data))
        self.eraser().action_erase()
        self.assertEqual(self.events("partner.erased")[0].data["counts"], {}, "nothing is left")

    def test_what_was_sent_once_is_not_sent_again_after_erasing(self):
        job = self.work(self.partner)[0]
        key = {"connector_id": self.connector.id, "key": job.key, "uuid": "another"}
        keys = self.env["finance.job.key"]
        with self.assertRaisesRegex(UserError, "other content"):
            keys._claim([key | {"request_digest": "6" * 64}])
        self.eraser().action_erase()
        [owner] = keys._claim([key | {"request_digest": "6" * 64}]).values()
        self.assertNotEqual(owner, "another")

    def test_with_the_contacts_of_a_company(self):
        contact = self.env["res.partner"].create(
            {"name": "N. N.", "parent_id": self.partner.id, "active": False}
        )
        job = self.work(contact)[0]
        self.eraser().action_erase()
        self.assertFalse(job.request_sealed)

    def test_of_a_contact_the_company_stays(self):
        contact = self.env["res.partner"].create({"name": "N. N.", "parent_id": self.partner.id})
        of_company, of_contact = self.work(self.partner)[0], self.work(contact)[0]
        self.eraser(contact).action_erase()
        self.assertTrue(of_company.request_sealed)
        self.assertFalse(of_contact.request_sealed)

    def test_companies_are_apart(self):
        of_a, of_b = self.work(self.partner)[0], self.work(self.partner, self.company_b)[0]
        self.eraser(companies=self.company_a).action_erase()
        self.assertFalse(of_a.request_sealed)
        self.assertTrue(of_b.request_sealed)
        wizard = self.eraser(companies=self.company_a)
        with self.assertRaises(AccessError):
            wizard.company_ids = self.company_b
        self.assertTrue(of_b.request_sealed)

    def test_of_a_shared_trace_the_others_stay(self):
        job = self.work(self.partner)[0]
        other = self.env["res.partner"].create({"name": "Other"})
        events = self.env["finance.audit.event"]._record_many(
            [
                {"kind": "test.batch", "trace_id": job.trace_id, "detail": {"n": "x"}, **values}
                for values in ({"partner_id": other.id}, {})
            ]
        )
        self.eraser().action_erase()
        of_other, of_nobody = self.Detail.search([("event_id", "in", events.ids)], order="id")
        self.assertTrue(of_other._values())
        self.assertIsNone(of_nobody._values())

    def test_what_is_about_the_partner_itself(self):
        exception = self.raised(document=self.partner, company=self.company_a)
        exception._close("ignored", "Planted")
        self.eraser().action_erase()
        self.assertFalse(exception.close_reason)

    def test_unfinished_jobs_are_named(self):
        self.work(self.partner)
        job = self.make_job(state="uncertain")
        wizard = self.eraser()
        self.assertIn(job.display_name, wizard.obstacle)
        with self.assertRaisesRegex(UserError, "Nothing was erased.*unfinished"):
            wizard.action_erase()
        self.assertFalse(self.events("partner.erased"))
        job.state = "done"
        self.eraser().action_erase()

    def test_open_exceptions_stay_and_say_so(self):
        exception = self.raised(params={"answer": "Planted"})
        wizard = self.eraser()
        line = wizard.line_ids.filtered(lambda line: line.what == "Open exceptions")
        self.assertEqual((line.count, line.stays), (1, True))
        wizard.action_erase()
        self.assertEqual(exception.params, {"answer": "Planted"})

    def test_the_own_company_is_never_erased(self):
        wizard = self.eraser(self.company_a.partner_id)
        with self.assertRaisesRegex(UserError, "one of your own companies"):
            wizard.action_erase()

    def test_only_controllers(self):
        for user in (self.user, self.accountant, self.admin, self.auditor):
            with self.assertRaises(AccessError):
                self.eraser(user=user)

    def test_wizards_keep_no_words(self):
        exception = self.raised("job.held")
        action = exception.with_user(self.accountant).action_ignore()
        wizards = self.env[action["res_model"]].with_user(self.accountant)
        wizard = wizards.with_context(**action["context"]).create({"reason": "Planted"})
        wizard.action_confirm()
        self.assertFalse(wizard.exists())
        proof = self.env["ir.attachment"].create(
            {"name": "receipt", "raw": b"x", "res_model": "finance.job.done.outside"}
        )
        job = self.make_job()
        wizard = self.env["finance.job.done.outside"].create(
            {"job_ids": job.ids, "reference": "Planted", "attachment_ids": proof.ids}
        )
        wizard.action_confirm()
        self.assertFalse(wizard.exists() or proof.exists())
        self.assertEqual(job.attachment_ids.name, "receipt")
        self.eraser().action_erase()
        self.assertFalse(job.attachment_ids)

    # === LEGAL HOLDS === #

    def hold(self, **values):
        values = {"reason": "File 12/2026"} | values
        return self.Hold.with_user(self.controller).create(values)

    def lift(self, hold):
        hold.lift_reason = "Settled"
        hold.action_lift()

    def test_refuses_to_erase_and_is_named(self):
        job = self.work(self.partner)[0]
        for covers in (
            {"partner_id": self.partner.id},
            {"company_id": self.company_a.id},
            {"partner_id": self.partner.id, "company_id": self.company_a.id},
        ):
            with self.subTest(covers=covers):
                hold = self.hold(**covers)
                wizard = self.eraser()
                self.assertIn(hold.display_name, wizard.obstacle)
                try:
                    wizard.action_erase()
                    self.fail("should be refused")
                except UserError as error:
                    self.assertIn(hold.display_name, str(error))
                denied = self.env["finance.denied.action"].search([("rule", "=", "hold")])
                self.assertEqual(denied.user_id, self.controller)
                self.assertTrue(job.request_sealed)
                self.lift(hold)
        for covers in (
            {"partner_id": self.invoice.company_id.partner_id.id},
            {"partner_id": self.partner.id, "company_id": self.company_b.id},
            {
                "partner_id": self.partner.id,
                "date_from": fields.Date.today() + timedelta(days=9),
            },
        ):
            self.hold(**covers)
        self.eraser(companies=self.company_a).action_erase()
        self.assertFalse(job.request_sealed)

    def test_covers_the_contacts_of_a_company(self):
        contact = self.env["res.partner"].create({"name": "N. N.", "parent_id": self.partner.id})
        self.hold(partner_id=self.partner.id)
        with self.assertRaisesRegex(UserError, "legal hold"):
            self.eraser(contact).action_erase()
        with self.assertRaisesRegex(UserError, "legal hold"):
            contact.unlink()

    def test_set_and_lifted_are_events(self):
        hold = self.hold(partner_id=self.partner.id)
        event = self.events("hold.set")
        self.assertEqual((event.user_id, event.res_id), (self.controller, hold.id))
        self.assertNotIn("File", str(event.data))
        detail = self.Detail.search([("event_id", "=", event.id)])
        self.assertEqual(detail._values(), {"reason": "File 12/2026"})
        with self.assertRaisesRegex(UserError, "Say first why"):
            hold.action_lift()
        self.lift(hold)
        self.assertEqual(hold.lifted_by_id, self.controller)
        detail = self.Detail.search([("event_id", "=", self.events("hold.lifted").id)])
        self.assertEqual(detail._values(), {"reason": "Settled"})
        with self.assertRaisesRegex(UserError, "lifted already"):
            hold.action_lift()

    def test_is_not_changed_or_deleted(self):
        hold = self.hold(partner_id=self.partner.id)
        for values in (
            {"partner_id": False},
            {"date_from": "2030-01-01"},
            {"lifted_at": "2026-01-01"},
            {"reason": "x"},
        ):
            with self.assertRaises(AccessError):
                hold.write(values)
        with self.assertRaises(AccessError):
            hold.unlink()
        with self.assertRaises(UserError):
            hold.sudo().unlink()
        with self.assertRaises(AccessError):
            self.hold(partner_id=self.partner.id, lifted_at="2026-01-01")
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"):
            self.hold()
        self.lift(hold)
        with self.assertRaises(AccessError):
            hold.lift_reason = "Another"

    def test_only_controllers_set_and_lift(self):
        hold = self.hold(partner_id=self.partner.id)
        for user in (self.user, self.admin, self.auditor):
            with self.assertRaises(AccessError):
                self.Hold.with_user(user).create({"reason": "x", "partner_id": self.partner.id})
            with self.assertRaises(AccessError):
                hold.with_user(user).action_lift()

    def test_keeps_what_the_vacuum_would_take(self):
        other = self.env["res.partner"].create({"name": "Other"})
        mine, theirs = self.work(self.partner), self.work(other)
        self.cr.execute("UPDATE finance_exchange SET started_at = started_at - interval '1 year'")
        self.env.invalidate_all()
        self.hold(partner_id=self.partner.id)
        self.env["finance.exchange"]._vacuum()
        self.assertTrue(mine[1].request_sealed)
        self.assertFalse(theirs[1].request_sealed)

    def test_moves_with_a_merge(self):
        twin = self.env["res.partner"].create({"name": "Custommer", "is_company": True})
        hold = self.hold(partner_id=twin.id)
        both = (self.partner + twin).ids
        self.env["base.partner.merge.automatic.wizard"]._merge(both, self.partner)
        self.env.invalidate_all()
        self.assertEqual(hold.partner_id, self.partner)

    def test_its_own_words_go_when_it_is_lifted(self):
        hold = self.hold(partner_id=self.partner.id)
        self.lift(hold)
        self.eraser().action_erase()
        self.assertFalse(hold.reason or hold.lift_reason)

    # === RETENTION === #

    def details(self, *places, days=100, partner=None):
        """Details of (kind, company), so many days old."""
        events = self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": kind,
                    "company_id": company.id,
                    "detail": {"reason": "Planted"},
                    "partner_id": (partner or self.partner).id,
                }
                for kind, company in places
            ]
        )
        details = self.Detail.search([("event_id", "in", events.ids)], order="id")
        self.cr.execute(
            "UPDATE finance_audit_detail SET at = at - interval '1 day' * %s WHERE id = ANY(%s)",
            [days, details.ids],
        )
        self.env.invalidate_all()
        return details

    def run_all(self):
        while self.Rule._apply(2):
            pass
        self.env.invalidate_all()

    def test_the_rule_that_says_more_wins(self):
        handled, ignored = "exception.handled", "exception.ignored"
        none = self.env["res.company"]
        places = [
            (kind, company)
            for kind in (handled, ignored)
            for company in (self.company_a, self.company_b, none)
        ]
        details = self.details(*places)
        self.Rule.create(
            [
                {"days": 50},
                {"days": 200, "kind": handled},
                {"days": 99, "kind": handled, "company_id": self.company_b.id},
                {"days": 101, "company_id": self.company_a.id},
            ]
        )
        self.run_all()
        erased = [bool(detail.erased_at) for detail in details]
        self.assertEqual(erased, [False, True, False, False, True, True])
        gone = details.filtered("erased_at")
        self.assertEqual(set(gone.mapped("erased_basis")), {"retention"})
        self.assertEqual([detail._values() for detail in gone], [None] * 3)

    def test_nothing_without_a_rule(self):
        details = self.details(("exception.handled", self.company_a), days=9999)
        self.run_all()
        self.assertTrue(details._values())

    def test_holds_come_first(self):
        other = self.env["res.partner"].create({"name": "Other"})
        place = ("exception.handled", self.company_a)
        held, free = self.details(place), self.details(place, partner=other)
        in_b = self.details(("exception.handled", self.company_b), partner=other)
        self.Rule.create({"days": 1})
        hold = self.Hold.create({"reason": "x", "partner_id": self.partner.id})
        self.Hold.create({"reason": "x", "company_id": self.company_b.id})
        self.run_all()
        self.assertTrue(held._values() and in_b._values())
        self.assertIsNone(free._values())
        hold.lift_reason = "x"
        hold.action_lift()
        self.run_all()
        self.assertIsNone(held._values())

    def test_batches_and_their_events(self):
        self.details(*[("exception.handled", self.company_a)] * 5)
        self.Rule.create({"days": 1})
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_: 99):
            self.Rule._cron_apply()
        self.assertEqual(self.Rule._apply(3), 0)
        counts = [event.data["counts"] for event in self.events("retention.applied")]
        self.assertEqual(sum(count["exception.handled"] for count in counts), 5)
        self.assertEqual(self.events("retention.applied").company_id, self.company_a)

    def test_changes_of_rules_are_events(self):
        rule = self.Rule.with_user(self.controller).create({"days": 100})
        rule.days = 10
        rule.unlink()
        data = [event.data for event in self.events("retention.changed").sorted("id")]
        self.assertEqual([row["days"] for row in data[-2:]], [100, 10])
        self.assertEqual(data[-1]["before"], 100)
        self.assertEqual(self.events("retention.removed").sorted("id")[-1:].data["days"], 10)
        with self.assertRaises(AccessError):
            self.Rule.with_user(self.admin).create({"days": 1})

    def test_subject_of_nobody_is_nobody(self):
        subject = Subject(self.env["res.partner"], self.company_a)
        self.assertFalse(subject.partners or subject.documents)
