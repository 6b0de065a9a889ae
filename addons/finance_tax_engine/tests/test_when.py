"""When an engine is asked, and what the switches of a workflow turn off."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import TaxEngineCommon


@tagged("post_install", "-at_install")
class TestOnSave(TaxEngineCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.workflow.tax_on_save = True

    def test_a_saved_draft_is_computed_once(self):
        move = self.create_houston_invoice()
        self.assert_exact(move)
        self.assertEqual((self.calls, move.finance_tax_stale), (1, False))
        move.ref = "Your order 4711"
        move.invoice_line_ids[0].name = "Another name"
        move.write({"invoice_date": "2026-03-02"})
        self.assertEqual(self.calls, 1, "nothing that tax depends on has changed")
        move.write({"invoice_date": "2026-03-03"})
        self.assertEqual(self.calls, 2)
        move.action_post()
        self.assert_exact(move)
        self.assertEqual(self.calls, 2)

    def test_typing_asks_nothing(self):
        move = self.create_houston_invoice()
        with Form(move) as form:
            for quantity in (4, 5, 6):
                with form.invoice_line_ids.edit(0) as line:
                    line.quantity = quantity
            self.assertEqual(self.calls, 1)
        self.assertEqual(self.calls, 2)
        self.assertFalse(move.finance_tax_stale)

    def test_an_engine_that_does_not_answer_never_stops_saving(self):
        self.break_engine()
        move = self.create_houston_invoice()
        self.assertTrue(move.finance_tax_stale)
        self.assertIn("does not answer", move.finance_tax_save_note)
        calls = self.calls
        move.write({"invoice_date": "2026-03-02", "ref": "again"})
        self.assertEqual(self.calls, calls, "the same content is not asked about in vain again")
        self.mend_engine()
        move.write({"invoice_date": "2026-03-03"})
        self.assert_exact(move)
        self.assertFalse(move.finance_tax_save_note)

    def test_an_incomplete_address_is_no_reason_to_ask(self):
        self.customer.zip = False
        move = self.create_houston_invoice()
        self.assertEqual((self.calls, move.finance_tax_save_note), (0, False))
        self.assertIn("ZIP", move.finance_tax_obstacle)

    def test_many_at_once_are_one_batch(self):
        lines = [Command.create({"product_id": self.products[0].id, "price_unit": 10})]
        values = {
            "move_type": "out_invoice",
            "partner_id": self.customer.id,
            "company_id": self.company.id,
            "invoice_line_ids": lines,
        }
        moves = self.env["account.move"].create(
            [{**values, "invoice_date": f"2026-03-0{day}"} for day in range(1, 4)]
        )
        self.assertEqual((self.calls, any(moves.mapped("finance_tax_stale"))), (3, False))

    def test_a_credit_note_carries_its_invoice_without_a_question(self):
        move = self.create_houston_invoice()
        move.action_post()
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        self.assert_exact(refund)
        self.assertEqual((self.calls, refund.finance_tax_stale), (1, False))

    def test_other_documents_are_left_alone(self):
        self.env["account.move"].create({"move_type": "entry"})
        self.create_houston_invoice(move_type="in_invoice")
        self.assertEqual(self.calls, 0)


@tagged("post_install", "-at_install")
class TestSwitches(TaxEngineCommon):
    def test_saving_asks_nothing_where_nobody_wants_it(self):
        self.create_houston_invoice().write({"invoice_date": "2026-03-03"})
        self.assertEqual(self.calls, 0)

    def test_calculation_off(self):
        self.workflow.tax_calculates = False
        move = self.create_houston_invoice()
        self.assertFalse(move.finance_tax_applies)
        self.assertIn("calculation by", move.finance_tax_route_words)
        with self.assertRaises(UserError):
            move.action_finance_compute_tax()
        tax = move.amount_tax
        move.action_post()
        self.drain()
        self.assertEqual((self.calls, move.amount_tax), (0, tax))
        self.assertEqual(move.finance_tax_recorder, "odoo")

    def test_calculation_off_voids_what_was_recorded(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        self.workflow.tax_calculates = False
        move.button_draft()
        self.drain()
        self.assertEqual(move.finance_tax_document_ids.state, "voided")
        self.assertFalse(self.recorded())

    def test_recording_off(self):
        self.workflow.tax_records = False
        move = self.create_houston_invoice()
        self.assertIn("Recording there is switched off", move.finance_tax_route_words)
        move.action_post()
        self.drain()
        self.assert_exact(move)
        document = move.finance_tax_document_id
        self.assertEqual((document.state, document.recorder), ("unrecorded", "odoo"))
        self.assertEqual((self.calls, self.recorded()), (1, {}))
        self.workflow.tax_records = True
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}], cancel=True)
        self.drain()
        self.assert_exact(refund)
        self.assertEqual((refund.finance_tax_state, self.recorded()), ("unrecorded", {}))
        second = self.create_houston_invoice(invoice_date="2026-03-09")
        second.action_post()
        self.drain()
        self.assertEqual(second.finance_tax_state, "committed")

    def test_recording_off_and_on_again(self):
        self.workflow.tax_records = False
        move = self.create_houston_invoice()
        move.action_post()
        move.button_draft()
        self.workflow.tax_records = True
        move.action_post()
        self.drain()
        self.assertEqual((move.finance_tax_state, self.calls), ("committed", 2))
        self.assertEqual(move.finance_tax_document_id.recorder, "engine")

    def test_five_seconds_unless_said_otherwise(self):
        self.assertEqual(self.workflow.tax_seconds, 5.0)
