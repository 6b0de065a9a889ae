"""Dates: what posts when, and that nothing is moved without a word."""

from datetime import date, timedelta

from odoo import fields
from odoo.tests import tagged

from . import files
from .common import BankCase
from .files import DAY, Booking

TWO = [Booking("10.00"), Booking("-4.00", text="Fee", day=DAY + timedelta(days=40))]
LOCK = date(2026, 3, 31)


@tagged("post_install", "-at_install")
class TestLocks(BankCase):
    def test_each_lock_that_counts(self):
        for field in ("fiscalyear_lock_date", "hard_lock_date"):
            with self.subTest(field), self.env.cr.savepoint() as point:
                self.lock(LOCK, field)
                found = self.receive(files.camt(TWO))
                self.assertEqual((found.created_count, found.held_count), (1, 1))
                self.assert_lines("-4.00")
                entry = found.entry_ids.filtered(lambda one: one.state == "held")
                self.assertIn(str(DAY), entry.reason_words)
                self.assertIn(str(LOCK), entry.reason_words)
                [told] = self.open_exceptions("bank.locked")
                for day in (DAY, LOCK, LOCK + timedelta(days=1)):
                    self.assertIn(str(day), told.text)
                point.rollback()
                self.env.invalidate_all()

    def test_locks_that_are_not_about_bank_lines(self):
        for field in ("tax_lock_date", "sale_lock_date", "purchase_lock_date"):
            self.lock(LOCK, field)
        self.assertEqual(self.receive(files.camt(TWO)).created_count, 2)
        self.assertEqual(self.lines()[0].date, DAY)

    def test_lock_of_the_parent_company(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.bookkeeper.company_ids |= branch
        journal = self.new_journal("BNKX", files.SECOND_IBAN, company=branch)
        self.lock(LOCK)
        found = self.receive(files.camt(TWO, iban=files.SECOND_IBAN))
        self.assertEqual((found.created_count, found.held_count), (1, 1))
        self.assertEqual(found.journal_ids, journal)

    def test_exception_that_somebody_was_given(self):
        self.lock(LOCK)
        self.env["account.lock_exception"].create(
            {
                "company_id": self.company.id,
                "user_id": self.bookkeeper.id,
                "fiscalyear_lock_date": False,
                "end_datetime": fields.Datetime.add(fields.Datetime.now(), hours=1),
            }
        )
        self.assertEqual(self.receive(files.camt(TWO)).created_count, 2)
        self.assertEqual(self.lines()[0].date, DAY)

    def test_import_when_unlocked(self):
        self.lock(LOCK)
        found = self.receive(files.camt(TWO))
        [told] = self.open_exceptions("bank.locked")
        told.with_user(self.bookkeeper).action_bank_retry()
        self.assertEqual((found.held_count, told.state), (1, "open"))
        self.lock(False)
        told.with_user(self.bookkeeper).action_bank_retry()
        self.assertEqual((found.held_count, told.state), (0, "resolved"))
        self.assertEqual(self.lines()[0].date, DAY)

    def test_on_the_first_open_day_by_decision(self):
        self.lock(LOCK)
        found = self.receive(files.camt(TWO))
        [told] = self.open_exceptions("bank.locked")
        told.with_user(self.bookkeeper).action_bank_open_day()
        line = self.lines().filtered(lambda one: one.amount == 10)
        self.assertEqual(line.date, LOCK + timedelta(days=1))
        self.assertEqual(line.finance_entry_id.booking_date, DAY)
        self.assertEqual(told.state, "resolved")
        event = self.env["finance.audit.event"].sudo().search([("kind", "=", "bank.moved")])
        self.assertEqual(event.data["booking_date"], str(DAY))
        self.assertEqual(event.data["post_date"], "2026-04-01")
        # told again, it is the same
        self.assertEqual(self.receive(files.camt(TWO)).skipped_count, 2)
        self.assertFalse(found.held_count)

    def test_held_entries_are_not_held_twice(self):
        self.lock(LOCK)
        self.receive(files.camt(TWO))
        self.assertEqual(self.receive(files.camt(TWO)).skipped_count, 2)

    def test_value_date_is_kept_apart(self):
        late = Booking("10.00", value_day=DAY + timedelta(days=2))
        self.receive(files.camt([late]))
        [line] = self.lines()
        self.assertEqual((line.date, line.finance_value_date), (DAY, DAY + timedelta(days=2)))

    def test_value_date_posts_where_the_policy_says_so(self):
        self.env["finance.bank.policy"].sudo().create(
            {"journal_id": self.journal.id, "booking_date": "value"}
        )._write({"state": "active"})
        late = Booking("10.00", value_day=DAY + timedelta(days=2))
        self.receive(files.camt([late]))
        [line] = self.lines()
        self.assertEqual(line.date, DAY + timedelta(days=2))
        self.assertEqual(line.finance_entry_id.booking_date, DAY)
        # another source that names no value date tells the same booking
        self.assertEqual(self.receive(files.mt940([late])).skipped_count, 1)

    def test_restrictive_audit_trail(self):
        """Where nothing may be deleted, lines come in as anywhere else, and once."""
        self.company.restrictive_audit_trail = True
        found = self.receive(files.camt(TWO))
        self.assertEqual((found.state, found.created_count), ("done", 2))
        self.assertEqual(self.receive(files.mt940(TWO)).skipped_count, 2)
        self.assert_lines("10.00", "-4.00")
