"""Credit notes in part and recurring copies: what is asked, with which date and exemption."""

from odoo import Command
from odoo.tests import tagged

from .common import ENGINE, TaxEngineCommon


@tagged("post_install", "-at_install")
class TestCreditNotePerLine(TaxEngineCommon):
    def invoice(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        return move

    def assert_taken_back(self, move, edit, expected, untaxed):
        """Post a credit note after ``edit(lines)``: one question, as of the invoice's day."""
        self.exempt(entity_use_code="N")
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        edit(refund)
        self.assertTrue(refund.finance_tax_stale)
        calls = self.calls
        refund.action_post()
        self.assertEqual(self.calls, calls + 1)
        self.assert_exact(refund, expected, untaxed=untaxed)
        self.drain()
        self.assertEqual(refund.finance_tax_state, "committed")
        request = self.recorded()[refund.finance_tax_code]["request"]
        self.assertEqual(
            (request["date"], request["taxOverride"]["taxDate"], request["referenceCode"]),
            ("2026-04-01", "2026-03-02", move.finance_tax_code),
        )
        self.assertNotIn("entityUseCode", request)
        return refund

    def test_by_quantity(self):
        def one_shelf(refund):
            refund.invoice_line_ids[1:].unlink()
            refund.invoice_line_ids.quantity = 1

        expected = {"state": 1.24, "county": 0.22, "city": 0.22}
        self.assert_taken_back(self.invoice(), one_shelf, expected, 19.99)

    def test_by_line(self):
        def the_lamps(refund):
            (refund.invoice_line_ids[0] + refund.invoice_line_ids[2]).unlink()

        expected = {"state": 3.74, "county": 0.61, "city": 0.67}
        self.assert_taken_back(self.invoice(), the_lamps, expected, 59.99)

    def test_by_amount(self):
        def ten(refund):
            refund.invoice_line_ids = [
                Command.clear(),
                Command.create({"name": "Goodwill", "quantity": 1, "price_unit": 10}),
            ]

        expected = {"state": 0.62, "county": 0.12, "city": 0.11}
        self.assert_taken_back(self.invoice(), ten, expected, 10.00)

    def test_recurring_copies_are_asked_about(self):
        move = self.create_houston_invoice(auto_post="monthly", auto_post_until="2026-05-30")
        move.action_post()
        self.assertEqual(self.calls, 1)
        moves = self.env["account.move"].search([("auto_post_origin_id", "=", move.id)])
        copied = moves - move
        self.assertTrue(copied.finance_tax_stale)
        copied._post()
        self.assert_exact(copied, ENGINE)
        self.assertEqual((self.calls, str(copied.invoice_date)), (2, "2026-04-02"))


@tagged("post_install", "-at_install")
class TestCreditNoteGlobally(TestCreditNotePerLine):
    """The same with taxes rounded once a document."""

    allow_inherited_tests_method = True
    rounding_method = "round_globally"
