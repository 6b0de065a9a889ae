"""What the engine records is not what it said, and it keeps to it: the ways out."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import ENGINE
from .test_true_up import TrueUpCase

MORE = ENGINE | {"state": 8.96}


@tagged("post_install", "-at_install")
class TestTrueUpOfMismatch(TrueUpCase):
    def insisted(self, **values):
        """Return a posted document whose recording has 1.00 more of the state's tax, and the case."""
        move = self.create_houston_invoice(**values)
        move.action_post()
        self.answer_once("tax.commit", self.one_more)
        self.drain()
        self.assertEqual(move.finance_tax_state, "mismatch")
        return move, move.finance_tax_document_id.true_up_ids

    def test_the_customer_is_billed_for_the_difference(self):
        move, true_up = self.insisted()
        self.assertEqual((true_up.proposal, true_up.difference), ("tax_only", 1.0))
        exception = self.exceptions(move, "tax.mismatch")
        self.assertEqual(exception.action_tax_settle()["res_model"], "finance.tax.true.up.settle")
        [invoice] = self.settle(true_up)
        self.assertFalse(move.finance_tax_document_id.can_record_again, "a correction is written")
        invoice.action_post()
        self.drain()
        self.assertEqual((true_up.state, exception.state), ("settled", "resolved"))
        self.assertEqual(move.finance_tax_state, "committed")
        self.assertEqual(self.owed(move | invoice), MORE)
        self.assertEqual(len(self.recorded()), 1, "nothing is recorded a second time")
        self.assertEqual(self.calls, 2)

    def test_the_company_bears_it_and_takes_it_back(self):
        move, true_up = self.insisted()
        document = move.finance_tax_document_id
        [entry] = self.settle(true_up, "bear", account_id=self.expense.id)
        entry.action_post()
        self.assertEqual((document.state, true_up.state), ("committed", "settled"))
        self.assertEqual(self.owed(move | entry), MORE)
        entry.button_draft()
        self.assertEqual((document.state, true_up.state), ("mismatch", "drafted"))
        self.assertTrue(self.exceptions(move, "tax.mismatch"))
        entry.unlink()
        self.assertEqual((true_up.state, document.can_record_again), ("open", True))
        document.action_record_again()
        self.assertEqual(true_up.state, "withdrawn")
        self.drain()
        self.assertEqual(document.state, "committed")
        self.assertEqual(self.owed(move), ENGINE)

    def test_tax_that_was_changed_by_hand_in_the_journal(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        item = move.line_ids.filtered(lambda line: line.tax_line_id.amount == 6.25)
        due = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        items = {item: item.amount_currency + 0.5, due: due.amount_currency - 0.5}
        move.with_context(skip_invoice_sync=True, check_move_validity=False).write(
            {
                "line_ids": [
                    Command.update(line.id, {"amount_currency": amount})
                    for line, amount in items.items()
                ]
            }
        )
        move.action_post()
        true_up = move.finance_tax_document_id.true_up_ids
        self.assertEqual((true_up.recorded, true_up.difference), (False, 0.5))
        [invoice] = self.settle(true_up)
        self.assertFalse(self.recorded())
        invoice.action_post()
        self.assert_settled(true_up, move | invoice)
        invoice.button_draft()
        self.drain()
        self.assertEqual(move.finance_tax_state, "mismatch")
        self.assertFalse(self.recorded(), "made void: the books have not what it has")

    def test_tax_inside_the_price_is_posted_again(self):
        inside = self.company.account_sale_tax_id.copy(
            {"name": "Inside 15%", "amount": 15, "price_include_override": "tax_included"}
        )
        line = {"price_unit": 115, "quantity": 1, "tax_ids": [Command.set(inside.ids)]}
        move, true_up = self.insisted(invoice_line_ids=[Command.create(line)])
        self.assertEqual(true_up.state, "withdrawn")
        with self.assertRaisesRegex(UserError, "Post the document again"):
            self.exceptions(move, "tax.mismatch").action_tax_settle()
