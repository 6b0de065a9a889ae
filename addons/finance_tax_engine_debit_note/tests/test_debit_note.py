from odoo import Command
from odoo.tests import tagged

from odoo.addons.finance_tax_engine.tests.common import ENGINE, TaxEngineCommon


@tagged("post_install", "-at_install")
class TestDebitNote(TaxEngineCommon):
    def debit(self, move, **values):
        """Return a debit note of April for an invoice of March."""
        wizard = self.env["account.debit.note"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        wizard.create({"date": "2026-04-01", "copy_lines": True, **values}).create_debit()
        return move.debit_note_ids

    def invoice(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        return move

    def test_tax_date_and_exemption_of_the_invoice(self):
        move = self.invoice()
        self.exempt(entity_use_code="N")
        calls = self.calls
        note = self.debit(move)
        self.assertTrue(note.finance_tax_stale)
        note.invoice_line_ids[1:].unlink()
        note.action_post()
        self.assertEqual(self.calls, calls + 1)
        self.assert_exact(note, {"state": 3.74, "county": 0.61, "city": 0.67}, untaxed=59.97)
        self.drain()
        request = self.recorded()[note.finance_tax_code]["request"]
        self.assertEqual(
            (request["type"], request["date"], request["taxOverride"]["taxDate"]),
            ("SalesInvoice", "2026-04-01", "2026-03-02"),
        )
        self.assertNotIn("entityUseCode", request)
        self.assertEqual(note.finance_tax_state, "committed")

    def test_by_the_engine_of_the_invoice_or_by_odoo_with_it(self):
        self.workflow.active = False
        move = self.invoice()
        self.workflow.active = True
        note = self.debit(move)
        self.assertFalse(note.finance_tax_applies)
        note.action_post()
        self.assertEqual(self.calls, 0)

    def test_a_credit_note_of_a_debit_note_has_the_first_day(self):
        note = self.debit(self.invoice())
        note.action_post()
        refund = note._reverse_moves([{"invoice_date": "2026-05-01"}])
        refund.invoice_line_ids[0].quantity = 1
        refund.action_post()
        self.drain()
        request = self.recorded()[refund.finance_tax_code]["request"]
        self.assertEqual(request["taxOverride"]["taxDate"], "2026-03-02")

    def test_a_debit_note_that_cancels_a_credit_note(self):
        move = self.invoice()
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}], cancel=True)
        wizard = self.env["account.debit.note"].with_context(
            active_model="account.move", active_ids=refund.ids
        )
        wizard.create({"date": "2026-05-01"}).create_debit()
        note = refund.debit_note_ids
        note.invoice_line_ids = [
            Command.create({"product_id": line.product_id.id, "quantity": line.quantity,
                            "price_unit": line.price_unit, "discount": line.discount})
            for line in move.invoice_line_ids
        ]  # fmt: skip
        note.action_post()
        self.assert_exact(note, ENGINE)
        self.drain()
        request = self.recorded()[note.finance_tax_code]["request"]
        self.assertEqual(request["taxOverride"]["taxDate"], "2026-03-02")
