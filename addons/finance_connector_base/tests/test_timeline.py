from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

from freezegun import freeze_time
from lxml import html

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .evidence import GROUP, EvidenceCase

NOON = fields.Datetime.to_datetime("2026-03-02 12:00:00")


class TimelineCase(EvidenceCase):
    """A story is written down row by row, as the lanes do it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        accounting = "account.group_account_invoice"
        cls.controller, cls.reader = (
            new_test_user(cls.env, login, groups, company_id=cls.company_a.id, tz="Asia/Tokyo")
            for login, groups in (
                ("f_controller", f"{GROUP}controller,{accounting}"),
                ("f_reader", f"{GROUP}auditor,account.group_account_readonly"),
            )
        )
        cls.accountant.tz = "Europe/Berlin"

    def setUp(self):
        super().setUp()
        self.Event = self.env["finance.audit.event"]

    def tell(self, invoice=None, *, calls=("ok",), ended="job.done", keep=True, **values):
        """Write the story of one piece of work; return its job (empty with ``keep=False``)."""
        invoice = invoice or self.invoice
        job = self.make_job(
            invoice,
            state="done" if ended else "pending",
            user_id=self.accountant.id,
            created_at=NOON,
            done_at=NOON if ended else False,
            request_digest="ab" * 32,
            **values,
        )
        note = job.with_user(self.accountant).sudo()._note
        self.Event.with_user(self.accountant).sudo()._record_many(
            [
                {
                    "kind": "job.enqueued",
                    "res_model": invoice._name,
                    "res_id": invoice.id,
                    "connector_id": self.connector.id,
                    "company_id": job.company_id.id,
                    "trace_id": job.trace_id,
                    "data": {
                        "uuid": job.uuid,
                        "operation": job.operation,
                        "key": job.key,
                        "request_digest": job.request_digest,
                        "amount": "100.00",
                        "currency": "EUR",
                    },
                    "detail": {"document": "INV/7", "partner": "Customer"},
                    "partner_id": invoice.partner_id.id,
                }
            ]
        )
        for number, outcome in enumerate(calls):
            self.call(job, outcome, NOON + timedelta(seconds=30 * number))
        if ended:
            note(ended, answer_digest="cd" * 32)
        if not keep:
            job.unlink()
            self.env["finance.exchange"].search([("job_id", "=", job.id)]).unlink()
        return job.exists()

    def call(self, job, outcome, at, **values):
        """One exchange of a job."""
        failed = outcome != "ok"
        return self.env["finance.exchange"].create(
            {
                "uuid": str(uuid4()),
                "connector_id": self.connector.id,
                "company_id": job.company_id.id,
                "job_id": job.id,
                "trace_id": job.trace_id,
                "operation": job.operation,
                "outcome": outcome,
                "error_text": "The vendor is down" if failed else False,
                "request_id": f"req-{outcome}",
                "started_at": at,
                "duration_ms": 250.0,
                **values,
            }
        )

    def open(self, record=None, user=None):
        """The timeline of a record, as somebody opens it."""
        record = (record or self.invoice).with_user(user or self.accountant)
        action = record.action_finance_timeline()
        return self.env[action["res_model"]].with_user(record.env.user).browse(action["res_id"])

    def lines(self, timeline):
        """(what, who, result) of the lines."""
        timeline.invalidate_recordset()
        return [(line.what, line.who, line.result or "") for line in timeline.line_ids]

    def answers(self, timeline):
        """{question: answer} as they are read on the screen."""
        timeline.invalidate_recordset()
        rows = html.fromstring(timeline.summary).xpath("//tr")
        return {row.findtext("th"): " ".join(row.find("td").text_content().split()) for row in rows}


@tagged("post_install", "-at_install")
class TestTimeline(TimelineCase):
    def test_a_failed_and_a_repeated_call(self):
        self.tell(calls=("transient", "ok"))
        timeline = self.open()
        told = self.lines(timeline)
        self.assertEqual(
            [row[0] for row in told],
            [
                "Call: test.commit",
                "Call, attempt 2: test.commit",
                "Job queued: test.commit",
                "Job done: test.commit",
            ],
        )
        self.assertIn("The vendor is down", told[0][2])
        self.assertIn("Waited before: 30 s", told[1][2])
        self.assertEqual(timeline.line_ids[0].took, "0.25 s")
        self.assertEqual(told[2][1], self.accountant.name)

    def test_questions_are_answered(self):
        self.tell(calls=("transient", "ok"))
        answers = self.answers(self.open())
        self.assertIn(self.accountant.name, answers["Who started it?"])
        self.assertIn("100.00", answers["What was sent?"])
        self.assertIn("abababababababab…", answers["What was sent?"])
        self.assertIn("No approval is needed", answers["Was it approved, and by whom?"])
        self.assertIn("to Acme main. Attempts: 2.", answers["When was it delivered?"])
        self.assertIn("Answered", answers["What came back?"])
        self.assertIn("req-ok", answers["What came back?"])
        self.assertEqual(answers["How did each exception end?"], "There was none.")

    def test_times_are_the_readers(self):
        with freeze_time("2026-03-02 12:00:00"):
            self.raised()
        for user, clock in ((self.accountant, "01:00:00 PM"), (self.reader, "09:00:00 PM")):
            words = self.answers(self.open(user=user))["How did each exception end?"]
            self.assertIn(clock, words)

    def test_after_the_vacuum_the_answers_stay(self):
        self.tell(calls=("ok",), keep=False)
        answers = self.answers(self.open())
        self.assertIn(self.accountant.name, answers["Who started it?"])
        self.assertIn("abababababababab…", answers["What was sent?"])
        self.assertIn("to Acme main", answers["When was it delivered?"])
        self.assertIn("cdcdcdcdcdcdcdcd…", answers["What came back?"])

    def test_calls_of_a_deleted_job_belong_to_its_work(self):
        job = self.tell(calls=("ok",))
        trace, operation = job.trace_id, job.operation
        later = self.tell(calls=(), ended=None, trace_id=trace)
        job.unlink()
        self.assertEqual(operation, later.operation)
        answers = self.answers(self.open())["What came back?"]
        self.assertIn("test.commit: Answered", answers)
        self.assertIn("test.commit (2): Nothing so far.", answers)

    def test_what_waits_says_for_what(self):
        stream = str(uuid4())
        first = self.tell(calls=("transient",), ended=None, stream=stream, error_class="Transient")
        first.write({"state": "dead", "error_text": "The vendor is down"})
        self.tell(calls=(), ended=None, stream=stream)
        answers = self.answers(self.open())["When was it delivered?"]
        self.assertIn("Waits behind “test.commit” (Stopped).", answers)

    def test_held_work(self):
        job = self.tell(calls=(), ended=None, held_reason="restored")
        self.assertIn("Held", self.answers(self.open())["When was it delivered?"])
        self.assertEqual(self.invoice.with_user(self.accountant).finance_timeline_state, "held")
        self.assertEqual(self.open(job).res_model, "account.move")

    # === EXCEPTIONS, DETAILS === #

    def test_how_exceptions_ended(self):
        exception = self.raised("job.dead")
        self.assertIn("open since", self.answers(self.open())["How did each exception end?"])
        exception.with_user(self.accountant)._close("handled", "Entered by hand")
        words = self.answers(self.open())["How did each exception end?"]
        self.assertIn(f"Handled by {self.accountant.name}", words)
        self.assertIn("Entered by hand", words)
        told = self.lines(self.open())
        self.assertEqual(told[0][0], f"Exception opened: {exception.title}")
        self.assertEqual(told[1][0], f"Exception handled: {exception.title}")

    def test_a_reason_that_was_erased_says_so(self):
        exception = self.raised("job.dead")
        exception.with_user(self.accountant)._close("handled", "Entered by N. N.")
        exception._erase_personal("request")
        self.env.cr.execute(
            "UPDATE finance_audit_detail SET content_sealed = NULL, erased_at = '2026-03-05 10:00',"
            " erased_by_id = %s WHERE event_id = %s",
            [self.controller.id, self.events("exception.handled")[0].id],
        )
        self.env.invalidate_all()
        question = "How did each exception end?"
        words = self.answers(self.open(user=self.controller))[question]
        self.assertRegex(words, "Handled by f_accountant.* erased on .* by f_controller")
        self.assertNotIn("N. N.", words)
        self.assertIn("Handled by f_accountant", self.answers(self.open())[question])

    def test_released_and_tried_again(self):
        job = self.tell(calls=(), ended=None)
        for kind in ("job.released", "job.replayed"):
            job.with_user(self.controller).sudo()._note(kind)
        answers = self.answers(self.open())
        self.assertIn(
            "Released after a restore by f_controller", answers["Was it approved, and by whom?"]
        )
        self.assertIn("Tried again by f_controller", answers["Who started it?"])

    def test_details_are_for_controllers_and_say_when_they_were_erased(self):
        self.tell()
        self.assertNotIn("INV/7", str(self.lines(self.open())))
        timeline = self.open(user=self.controller)
        self.assertIn("Document: INV/7", str(self.lines(timeline)))
        self.env.cr.execute(
            """UPDATE finance_audit_detail
                  SET content_sealed = NULL, erased_at = '2026-03-05 10:00', erased_by_id = %s""",
            [self.controller.id],
        )
        self.env.invalidate_all()
        told = str(self.lines(timeline))
        self.assertNotIn("INV/7", told)
        self.assertRegex(told, "erased on 03/05/2026 07:00:00 PM by f_controller")
        self.assertIn("erased on", self.answers(timeline)["What was sent?"])

    def test_a_timeline_keeps_nothing_of_what_it_tells(self):
        self.raised("job.dead").with_user(self.accountant)._close("handled", "Secret words")
        self.assertIn("Secret words", str(self.answers(self.open(user=self.controller))))
        self.env.flush_all()
        for table in ("finance_timeline", "finance_timeline_line"):
            self.env.cr.execute(f"SELECT * FROM {table}")
            self.assertNotIn("Secret words", str(self.env.cr.fetchall()))

    # === WHO MAY SEE WHAT === #

    def test_requests_are_opened_by_controllers_and_auditors_only(self):
        job = self.tell()
        self.env["finance.exchange"].search([("job_id", "=", job.id)])._write(
            {"request_sealed": b"sealed"}
        )
        self.env.invalidate_all()
        for user, seen in ((self.accountant, False), (self.controller, True), (self.reader, True)):
            with self.subTest(user=user.login):
                sent = self.answers(self.open(user=user))["What was sent?"]
                self.assertEqual("Stored request" in sent, seen)

    def test_refusals_are_told_to_those_who_read_the_audit(self):
        self.Event._record("action.denied", self.invoice)
        self.Event._record("payload.opened", self.invoice)
        self.assertEqual(len(self.open().line_ids), 0)
        self.assertEqual(len(self.open(user=self.controller).line_ids), 2)

    def test_another_company_sees_nothing(self):
        job = self.tell()
        other = self._invoice()
        other.company_id.flush_recordset()
        with self.assertRaises(AccessError):
            self.open(user=self.accountant_b)
        # the same trace, but an event of the other company
        self.Event._record(
            "job.done", connector=self.connector, company=self.company_b, trace_id=job.trace_id
        )
        self.assertEqual(len(self.open().line_ids), 3)
        both = self.open(user=self.controller)
        self.assertEqual(len(both.line_ids), 3)
        self.controller.company_ids = self.company_a | self.company_b
        both = self.invoice.with_user(self.controller).with_context(
            allowed_company_ids=(self.company_a | self.company_b).ids
        )
        timeline = both.env["finance.timeline"].browse(both.action_finance_timeline()["res_id"])
        self.assertEqual(len(timeline.line_ids), 4)

    def test_a_timeline_is_its_readers(self):
        timeline = self.open()
        with self.assertRaises(AccessError):
            timeline.with_user(self.colleague).read(["summary"])
        with self.assertRaises(AccessError):
            self.env["finance.timeline"].with_user(self.accountant).create(
                {"res_model": "account.move", "res_id": self.invoice.id}
            )
        with self.assertRaises(AccessError):
            timeline.res_id = self._invoice().id

    def test_a_deleted_document_is_told_to_those_who_read_the_audit(self):
        self.tell()
        timelines = {user: self.open(user=user) for user in (self.accountant, self.reader)}
        self.invoice.unlink()
        self.env.invalidate_all()
        self.assertIn("Digest", self.answers(timelines[self.reader])["What was sent?"])
        with self.assertRaises(AccessError):
            self.answers(timelines[self.accountant])

    def test_no_trace_is_not_a_trace(self):
        event = self.Event._record("test.alone", company=self.company_a)
        action = event.with_user(self.reader).action_finance_timeline()
        timeline = self.env["finance.timeline"].with_user(self.reader).browse(action["res_id"])
        self.assertEqual(timeline.total, 0)

    def test_one_trace(self):
        job = self.tell()
        event = self.events("job.done").filtered(lambda row: row.trace_id == job.trace_id)
        action = event.with_user(self.reader).action_finance_timeline()
        timeline = self.env["finance.timeline"].with_user(self.reader).browse(action["res_id"])
        self.assertEqual(len(timeline.line_ids), 3)

    # === MANY === #

    def test_as_many_queries_for_one_line_as_for_many(self):
        counts = []
        for calls in (2, 60):
            invoice = self._invoice()
            self.tell(invoice, calls=("transient",) * (calls - 1) + ("ok",))
            for number in range(calls // 2):
                self.raised("contract.drift", document=invoice, params={"field": str(number)})
            timeline = self.open(invoice, self.controller)
            for _time in range(2):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                timeline.read(["summary"])
                lines = timeline.line_ids.read(["what", "who", "result", "took"])
                count = self.env.cr.sql_log_count - before
            counts.append(count)
            self.assertGreater(len(lines), calls)
        self.assertEqual(*counts)

    def test_a_partner_newest_first_with_counts_by_document(self):
        invoices = [self._invoice() for _number in range(3)]
        for invoice in invoices:
            for _number in range(12):
                self.tell(invoice, calls=("transient", "ok"))
        timeline = self.open(self.partner)
        self.assertEqual((timeline.total, len(timeline.line_ids)), (144, 80))
        self.assertEqual(timeline.page, "1 to 80 of 144")
        moments = timeline.line_ids.mapped("at")
        self.assertEqual(moments, sorted(moments, reverse=True))
        timeline.action_next_page()
        self.assertEqual((timeline.page, timeline.has_more), ("81 to 144 of 144", False))
        self.assertEqual(len(timeline.line_ids), 64)
        timeline.action_previous_page()
        self.assertEqual(timeline.first, 0)
        rows = html.fromstring(timeline.summary).xpath("//tbody/tr")
        self.assertEqual([row.findall("td")[1].text for row in rows], ["24"] * 3)
        self.assertEqual(rows[0].find("td/a").text, invoices[-1].display_name)

    def test_a_partner_costs_no_more_queries_with_more_documents(self):
        self.startPatcher(
            patch("odoo.addons.finance_connector_base.models.finance_timeline.PAGE", 10)
        )
        counts = []
        for documents in (4, 8):
            for _number in range(documents):
                self.tell(self._invoice(), calls=("transient", "ok"))
            timeline = self.open(self.partner)
            for _time in range(2):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                timeline.read(["summary", "page"])
                timeline.line_ids.read(["what", "document", "result"])
                count = self.env.cr.sql_log_count - before
            counts.append(count)
        # the newest page is of events alone, and asks for no calls
        self.assertLessEqual(counts[1], counts[0])

    def test_a_partner_without_accounting_shows_nothing_of_invoices(self):
        self.tell()
        timeline = self.open(self.partner, self.user)
        self.assertEqual(timeline.total, 0)

    # === BUTTON === #

    def test_the_button_says_how_it_stands(self):
        invoice = self.invoice.with_user(self.accountant)
        self.assertFalse(invoice.finance_timeline_state)
        self.tell()
        for change, state in (
            (lambda: None, "done"),
            (lambda: self.tell(ended=None), "waiting"),
            (lambda: self.raised("job.uncertain"), "unknown"),
        ):
            change()
            invoice.invalidate_recordset()
            self.assertEqual(invoice.finance_timeline_state, state)
        self.assertEqual(self.partner.with_user(self.accountant).finance_timeline_state, "unknown")

    def test_the_button_of_nobody(self):
        clerk = new_test_user(self.env, "f_clerk", "account.group_account_invoice")
        self.raised("job.uncertain")
        self.assertFalse(self.partner.with_user(clerk).finance_timeline_state)
        with self.assertRaises(AccessError):
            self.invoice.with_user(clerk).action_finance_timeline()

    def test_a_payment_has_one(self):
        payment = self.env["account.payment"].create(
            {"partner_id": self.partner.id, "amount": 5.0, "payment_type": "inbound"}
        )
        self.tell(payment)
        self.assertEqual(len(self.open(payment).line_ids), 3)

    # === PRINTED === #

    def test_printed(self):
        self.tell(calls=("transient", "ok"))
        event = self.events("job.enqueued")[0]
        self.env.cr.execute(
            "UPDATE finance_audit_event SET seal_id = 4711 WHERE id = %s", [event.id]
        )
        self.env.invalidate_all()
        timeline = self.open(user=self.reader)
        report = timeline.env["ir.actions.report"]
        body, kind = report._render_qweb_html(
            "finance_connector_base.report_timeline", timeline.ids
        )
        text = " ".join(html.fromstring(body).text_content().split())
        self.assertEqual(kind, "html")
        for part in (
            f"Evidence of {self.invoice.display_name}",
            "All times in Asia/Tokyo",
            "4711",
            "not yet",
            "ab" * 32,
            "cd" * 32,
            "1 of 2 events are sealed",
            f"Printed by {self.reader.name}",
        ):
            self.assertIn(part, text)
        action = timeline.action_print()
        self.assertEqual(action["type"], "ir.actions.report")

    def test_amounts_in_their_currency(self):
        self.assertEqual(self.Event._money("100.00", "USD"), "$\xa0100.00")
        self.assertEqual(self.Event._money("100.00", "XXX"), "100.00 XXX")
