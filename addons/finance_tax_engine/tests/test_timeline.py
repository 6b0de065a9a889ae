from lxml import html

from odoo import Command
from odoo.tests import Form, new_test_user, tagged

from .common import TaxEngineCommon

GROUP = "finance_connector_base.group_"


@tagged("post_install", "-at_install")
class TestTimeline(TaxEngineCommon):
    """The story of an invoice that an engine taxes, through real calls."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = new_test_user(
            cls.env,
            "tax_accountant",
            f"{GROUP}user,account.group_account_invoice",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def open(self, record):
        """The timeline as the accountant opens it: answers by question, and lines."""
        action = record.with_user(self.accountant).action_finance_timeline()
        timeline = self.env["finance.timeline"].with_user(self.accountant)
        timeline = timeline.browse(action["res_id"])
        rows = html.fromstring(timeline.summary).xpath("//tr")
        answers = {
            row.findtext("th"): " ".join(row.find("td").text_content().split()) for row in rows
        }
        return timeline, answers

    def test_a_failed_and_a_repeated_recording(self):
        move = self.create_houston_invoice()
        move.with_user(self.accountant).with_company(self.company).action_post()
        self.break_engine("503", match="POST /transactions", times=1)
        self.drain()
        timeline, answers = self.open(move)
        self.assertIn("Not yet. Next attempt", answers["When was it delivered?"])
        self.assertEqual(move.with_user(self.accountant).finance_timeline_state, "retry")
        self.mend_engine()
        self.drain(until_due=True)
        timeline, answers = self.open(move)
        self.assertIn(self.accountant.name, answers["Who started it?"])
        self.assertIn("138.37", answers["What was sent?"])
        self.assertIn("Attempts: 2.", answers["When was it delivered?"])
        back = answers["What came back?"]
        self.assertIn(f"Code at the engine: {move.finance_tax_code}", back)
        self.assertRegex(back, r"Tax: \$.?10\.64")
        told = timeline.line_ids.mapped("what")
        commit = "Record a posted document at the tax engine"
        self.assertEqual(
            told,
            [
                "Call: Ask a tax engine what the tax of a document is",
                f"Job queued: {commit}",
                f"Call: {commit}",
                f"Call, attempt 2: {commit}",
                "Linked to a record of the vendor",
                "Tax recorded at the engine",
                f"Job done: {commit}",
            ],
        )
        self.assertEqual(move.with_user(self.accountant).finance_timeline_state, "done")

    def test_posted_reset_and_posted_again(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        move.button_draft()
        move.action_post()
        self.drain()
        _timeline, answers = self.open(move)
        for work in (
            "Record a posted document at the tax engine: ",
            "Make a recorded document void at the tax engine: ",
            "Record a posted document at the tax engine (2): ",
        ):
            self.assertIn(work, answers["What came back?"])
        self.assertIn(f"Made void. Code at the engine: {move.name}", answers["What came back?"])

    def test_a_credit_note_in_foreign_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2026-01-01", 0.5)])
        move = self.create_houston_invoice("out_refund", currency_id=currency.id)
        move.action_post()
        self.drain()
        _timeline, answers = self.open(move)
        self.assertRegex(answers["What was sent?"], "138.37.*€")
        self.assertRegex(answers["What came back?"], "10.64.*€")

    def test_what_a_draft_asked_is_told(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        timeline, answers = self.open(move)
        self.assertEqual(answers["What was sent?"], "Nothing has been handed over so far.")
        self.assertEqual(len(timeline.line_ids), 1)

    def test_the_tax_document_leads_to_the_invoice(self):
        move = self.create_houston_invoice()
        move.action_post()
        timeline, _answers = self.open(move.finance_tax_document_id)
        self.assertEqual((timeline.res_model, timeline.res_id), ("account.move", move.id))

    def test_a_void_behind_a_stopped_recording_says_so(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.assertFalse(move.finance_tax_waiting)
        self.break_engine("503")
        for _attempt in range(20):
            self.drain(until_due=True)
        self.mend_engine()
        move.button_draft()
        self.drain()
        self.assertEqual(move.finance_tax_state, "voiding")
        words = (
            "“Make a recorded document void at the tax engine” waits behind “Record a posted"
            " document at the tax engine”, which is: Stopped."
        )
        move.invalidate_recordset()
        self.assertIn(words, move.finance_tax_waiting)
        with Form(move) as form:
            self.assertIn(words, form.finance_tax_waiting)
        _timeline, answers = self.open(move)
        self.assertIn("Waits behind", answers["When was it delivered?"])
