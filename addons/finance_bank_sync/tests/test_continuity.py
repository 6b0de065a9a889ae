"""Balances, gaps and overlaps: told, never guessed, and closed by themselves."""

from datetime import timedelta

from odoo.tests import tagged

from . import files
from .common import BankCase
from .files import DAY, Booking


@tagged("post_install", "-at_install")
class TestContinuity(BankCase):
    def day(self, number, opening, amount="10.00", **options):
        booking = Booking(amount, day=DAY + timedelta(days=number), end_to_end=f"E{number}")
        return files.camt([booking], opening=opening, number=str(number + 1), **options)

    def test_a_gap_is_told_and_closes_when_it_is_filled(self):
        self.receive(self.day(0, "100.00"))
        found = self.receive(self.day(2, "120.00"))
        self.assertEqual(found.state, "done")
        [told] = self.open_exceptions("bank.gap")
        self.assertEqual(told.document_id, found.statement_ids.id)
        self.assertIn("3 follows 1", told.text)
        self.assertTrue(found.statement_ids.is_odd)
        self.assertIn("110.00", found.statement_ids.finding_words)
        self.receive(self.day(1, "110.00"))
        self.assertEqual(told.state, "resolved")
        self.assertFalse(found.statement_ids.is_odd)
        self.assertFalse(self.open_exceptions("bank.gap"))

    def test_a_balance_that_does_not_add_up(self):
        found = self.receive(self.day(0, "100.00", closing="111.00"))
        self.assertEqual((found.state, found.created_count), ("done", 1))
        [told] = self.open_exceptions("bank.balance")
        self.assertIn("111.00", told.text)

    def test_balances_are_kept(self):
        found = self.receive(self.day(0, "100.00"))
        balances = self.env["finance.bank.balance"].search(
            [("bank_statement_id", "=", found.statement_ids.id)]
        )
        told = {(one.type, one.day, one.amount, one.source) for one in balances}
        self.assertEqual(
            told, {("OPBD", DAY, 100.0, "statement"), ("CLBD", DAY, 110.0, "statement")}
        )

    def test_another_source_goes_on_with_the_last_balance(self):
        self.receive(self.day(0, "100.00"))
        later = [Booking("5.00", day=DAY + timedelta(days=1), end_to_end="X")]
        found = self.receive(files.mt940(later, opening="110.00", number="1"))
        self.assertFalse(found.statement_ids.is_odd, found.statement_ids.finding_words)
        third = [Booking("6.00", day=DAY + timedelta(days=2), end_to_end="Y")]
        self.receive(files.mt940(third, opening="999.00", number="2"))
        self.assertTrue(self.open_exceptions("bank.gap"))

    def test_the_same_statement_again_is_no_overlap(self):
        self.receive(self.day(0, "100.00"))
        again = self.receive(self.day(0, "100.00"))
        self.assertFalse(again.statement_ids.is_odd, again.statement_ids.finding_words)
