"""Bank lines matched: booked, proposed, undone; journal items are what counts."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.finance_bank_sync import matching

from .matching import IBAN, MatchingCase


@tagged("post_install", "-at_install")
class TestMatching(MatchingCase):
    # === BY ITSELF === #

    def test_exact_number_and_amount(self):
        invoice = self.invoice(100.0)
        line = self.line(100.0, f"Payment {invoice.name}")
        match = self.matched(line)
        self.assertEqual(match.line_id, line)
        self.assertTrue(match.automatic)
        self.assertTrue(line.is_reconciled)
        self.assertIn(invoice.payment_state, ("paid", "in_payment"))
        self.assertEqual(match.item_ids, self.receivable(invoice).ids)
        self.assertTrue(match.partial_ids)

    def test_undo_restores_everything(self):
        invoice = self.invoice(100.0)
        line = self.line(100.0, f"Payment {invoice.name}")
        before = self.items(invoice, line)
        state = line.read(["partner_id", "amount", "payment_ref", "is_reconciled"])
        match = self.matched(line)
        self.assertNotEqual(self.items(invoice, line), before)
        line._finance_undo()
        self.assertEqual(self.items(invoice, line), before)
        self.assertEqual(line.read(["partner_id", "amount", "payment_ref", "is_reconciled"]), state)
        self.assertTrue(match.undone_at)
        self.assertEqual(invoice.payment_state, "not_paid")
        self.assertEqual(self.matched(line).line_id, line, "it can be matched again")

    def test_many_in_bulk(self):
        invoices = [self.invoice(100.0 + number) for number in range(12)]
        lines = self.env["account.bank.statement.line"].union(
            *(self.line(i.amount_total, i.name.replace("/", "-")) for i in invoices)
        )
        before = self.items(*invoices, lines)
        matches = self.matched(lines)
        self.assertEqual(len(matches), 12)
        self.assertTrue(all(line.is_reconciled for line in lines))
        self.assertFalse([i for i in invoices if i.amount_residual])
        lines._finance_undo()
        self.assertEqual(self.items(*invoices, lines), before)

    def test_paid_twice_at_once_does_not_pay_the_next_number(self):
        """One figure off an open invoice of the same amount: but the number typed is settled."""
        day = self.today()
        first, second = (self.invoice(100.0, day=day) for _number in range(2))
        lines = self.line(100.0, first.name, account_number=IBAN, day=day)
        lines |= self.line(100.0, first.name, account_number=IBAN, day=day)
        self.assertEqual(self.matched(lines).line_id, lines[0])
        self.assertEqual((first.amount_residual, second.amount_residual), (0, 100.0))
        self.assertIn("doubt.closed_named", self.codes(lines[1].finance_proposal_ids[0]))

    def test_settled_before_anything_was_matched(self):
        day = self.today()
        first, second = (self.invoice(100.0, day=day) for _number in range(2))
        credit = first._reverse_moves(cancel=True)
        self.assertFalse(first.amount_residual or credit.amount_residual)
        line = self.line(100.0, first.name, account_number=IBAN, day=day)
        self.assertFalse(self.matched(line))
        self.assertEqual(second.amount_residual, 100.0)

    def test_tax_due_on_payment(self):
        """What is due on payment is booked as if a person had reconciled."""
        self.company.tax_exigibility = True
        transition = self.revenue.copy({"reconcile": True})
        tax = self.company_data["default_tax_sale"].copy({
            "name": "On payment", "tax_exigibility": "on_payment",
            "cash_basis_transition_account_id": transition.id,
        })  # fmt: skip
        invoices = [self.invoice(100.0, tax_ids=tax.ids) for _number in range(3)]
        *two, by_hand = [self.line(invoice.amount_total, invoice.name) for invoice in invoices]
        items = self.receivable(invoices[2])
        suspense = by_hand._seek_for_lines()[1]
        suspense.with_context(skip_readonly_check=True).account_id = items.account_id
        (items | suspense).reconcile()
        self.assertEqual(len(self.matched(two[0] | two[1])), 2)
        entries = [self._due_on_payment(invoice) for invoice in invoices]
        self.assertTrue(entries[2])
        self.assertEqual(entries[:2], [entries[2]] * 2)
        open_items = [("account_id", "=", transition.id), ("reconciled", "=", False)]
        self.assertFalse(self.env["account.move.line"].search(open_items))

    def _due_on_payment(self, invoice):
        """Items of the entries that payment has made due."""
        moves = self.env["account.move"].search(
            [("tax_cash_basis_origin_move_id", "=", invoice.id)]
        )
        return sorted(
            (item.account_id.id, item.balance, item.tax_ids.ids, item.tax_line_id.id)
            for item in moves.line_ids
        )

    # === OTHER RECIPES === #

    def test_write_off_of_a_fee(self):
        self.policy(fee_limit=10)
        invoice = self.invoice(100.0)
        line = self.line(95.0, invoice.name, account_number=IBAN)
        before = self.items(invoice, line)
        match = self.matched(line)
        self.assertEqual((match.kind, match.writeoff_amount), ("fee", 5.0))
        self.assertEqual(invoice.amount_residual, 0)
        expense = line.move_id.line_ids.filtered(lambda item: item.account_id == self.expense)
        self.assertEqual(expense.balance, 5.0)
        line._finance_undo()
        self.assertEqual(self.items(invoice, line), before)

    def test_part_payment(self):
        invoice = self.invoice(100.0)
        line = self.line(40.0, invoice.name, account_number=IBAN)
        before = self.items(invoice, line)
        self.assertEqual(self.matched(line).kind, "partial")
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("partial", 60.0))
        rest = self.line(60.0, invoice.name)
        self.assertEqual(self.matched(rest).kind, "exact")
        self.assertEqual(invoice.amount_residual, 0)
        (rest | line)._finance_undo()
        after = self.items(invoice, line)
        self.assertEqual(after, before)

    def test_several_invoices_less_a_credit_note(self):
        one, two = self.invoice(60.0), self.invoice(70.0)
        credit = self.invoice(20.0, kind="out_refund")
        line = self.line(110.0, f"{one.name}, {two.name} - {credit.name}")
        match = self.matched(line)
        self.assertEqual(match.kind, "sum")
        self.assertEqual([m.amount_residual for m in (one, two, credit)], [0, 0, 0])

    def test_bill_paid(self):
        bill = self.invoice(80.0, self.other, kind="in_invoice", ref="R-2026-4711")
        line = self.line(-80.0, "R-2026-4711", partner_name="BIRCH SUPPLIES SA")
        self.assertTrue(self.matched(line).automatic)
        self.assertEqual(bill.amount_residual, 0)

    def test_too_much_is_a_decision(self):
        invoice = self.invoice(100.0)
        line = self.line(120.0, invoice.name, account_number=IBAN)
        self.assertFalse(self.matched(line))
        proposal = line.finance_proposal_ids[0]
        self.assertEqual(proposal.kind, "over")
        self.assertIn("doubt.over", self.codes(proposal))
        line._finance_accept(proposal)
        self.assertEqual(invoice.amount_residual, 0)
        rest = line.move_id.line_ids.filtered(
            lambda item: item.amount_residual and item.account_type == "asset_receivable"
        )
        self.assertEqual((rest.amount_residual, rest.partner_id), (-20.0, self.customer))

    def test_amounts_have_to_come_to_the_line(self):
        invoice = self.invoice(100.0)
        line = self.line(90.0, "x")
        parts = [{"kind": "item", "id": self.receivable(invoice).id, "amount": "100"}]
        with self.assertRaisesRegex(UserError, "Split or write off"):
            line._finance_accept(parts=parts)

    def test_every_reason_has_words(self):
        words = self.env["finance.bank.words"]._words()
        codes = {*matching.POINTS, *matching.DOUBTS, *matching.WHY_NOT}
        self.assertFalse(codes - words.keys())
        for code in words:
            (sentence,) = self.env["finance.bank.words"]._sentences([{"code": code, "values": {}}])
            self.assertNotIn("%(", sentence)
