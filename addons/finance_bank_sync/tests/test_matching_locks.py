"""Lines whose entry may not change: the match goes through suspense in the open period."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .matching import MatchingCase


@tagged("post_install", "-at_install")
class TestMatchingLocks(MatchingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.suspense = cls.journal.suspense_account_id
        cls.suspense.reconcile = True

    def _lock(self, field):
        """Lock January, though a line of it is open: Odoo refuses that only as long as it sees it.

        A parent's lock date, or a line of another person's exception, gets past it.
        """
        with patch.object(type(self.company), "_validate_locks", lambda *_args: None):
            self.company[field] = "2026-01-31"

    def _through_suspense(self, invoice, line):
        before = self.items(invoice, line)
        bank = self.items(line)
        match = self.matched(line)
        self.assertTrue(match.transfer_move_id, "an entry of the open period carries it")
        entry = match.transfer_move_id
        self.assertGreater(entry.date, line.date)
        self.assertEqual(entry.state, "posted")
        self.assertEqual(invoice.amount_residual, 0)
        self.assertTrue(line.is_reconciled)
        self.assertFalse(line._finance_open())
        unchanged = ("account_id", "partner_id", "balance", "amount_currency", "name")
        for item in line.move_id.line_ids:
            self.assertEqual(item.parent_state, "posted")
            self.assertEqual(
                [_value(item[name]) for name in unchanged],
                [bank[item.id][1], bank[item.id][2], bank[item.id][6], bank[item.id][5],
                 bank[item.id][3]],
            )  # fmt: skip
        line._finance_undo()
        self.assertEqual(self.items(invoice, line), before)
        self.assertFalse(line.is_reconciled)
        self.assertTrue(match.undone_at)
        self.assertEqual(sum(entry.line_ids.mapped("balance")), 0)
        self.assertEqual(self.matched(line).line_id, line, "it can be matched again")

    def test_fiscal_year_lock(self):
        invoice = self.invoice(100.0)
        line = self.line(100.0, invoice.name)
        self._lock("fiscalyear_lock_date")
        self._through_suspense(invoice, line)

    def test_hard_lock(self):
        invoice = self.invoice(100.0)
        line = self.line(100.0, invoice.name)
        self._lock("hard_lock_date")
        self._through_suspense(invoice, line)

    def test_secured_by_hash(self):
        invoice = self.invoice(100.0)
        line = self.line(100.0, invoice.name)
        self.journal.restrict_mode_hash_table = True
        line.move_id.flush_recordset()
        self.env.cr.execute(
            "UPDATE account_move SET inalterable_hash = '$4$kept' WHERE id = %s", [line.move_id.id]
        )
        line.move_id.invalidate_recordset()
        self._through_suspense(invoice, line)
        self.assertEqual(line.move_id.inalterable_hash, "$4$kept")

    def test_tax_lock_alone_does_not_keep_a_line_without_tax(self):
        invoice = self.invoice(100.0)
        line = self.line(100.0, invoice.name)
        self._lock("tax_lock_date")
        match = self.matched(line)
        self.assertFalse(match.transfer_move_id)
        line._finance_undo()

    def test_tax_lock_moves_a_write_off_with_tax(self):
        tax = self.company_data["default_tax_purchase"]
        line = self.line(-115.0, "Card")
        self._lock("tax_lock_date")
        parts = [{"kind": "writeoff", "account_id": self.expense.id, "amount": "-115",
                  "tax_ids": tax.ids}]  # fmt: skip
        match = line._finance_accept(parts=parts)
        self.assertTrue(match.transfer_move_id)
        self.assertEqual(match.transfer_move_id.line_ids.filtered("tax_line_id").tax_line_id, tax)

    def test_suspense_that_does_not_reconcile_is_said(self):
        self.suspense.reconcile = False
        invoice = self.invoice(100.0)
        line = self.line(100.0, invoice.name)
        self._lock("hard_lock_date")
        with self.assertRaisesRegex(UserError, "Allow reconciliation"):
            line._finance_accept(self.best(line))
        self.assertFalse(self.matched(line), "nor does it stop the others")

    def test_matched_before_the_lock_stays(self):
        invoice = self.invoice(100.0)
        line = self.line(100.0, invoice.name)
        match = self.matched(line)
        self._lock("hard_lock_date")
        items = self.items(invoice, line)
        with self.assertRaisesRegex(UserError, "matched before its period was locked"):
            line._finance_undo()
        self.assertEqual(self.items(invoice, line), items)
        self.assertFalse(match.undone_at)

    def test_restrictive_audit_trail(self):
        self.company.restrictive_audit_trail = True
        invoice = self.invoice(100.0)
        line = self.line(95.0, invoice.name)
        before = self.items(invoice, line)
        item = self.receivable(invoice)
        parts = [
            {"kind": "item", "id": item.id, "amount": "100"},
            {"kind": "writeoff", "account_id": self.expense.id, "amount": "-5"},
        ]
        told = len(line.move_id.audit_trail_message_ids)
        line._finance_accept(parts=parts)
        self.env.flush_all()
        line.move_id.invalidate_recordset()
        self.assertGreater(len(line.move_id.audit_trail_message_ids), told, "it is in the trail")
        self.assertEqual(invoice.amount_residual, 0)
        line._finance_undo()
        self.assertEqual(self.items(invoice, line), before)
        exact = self.invoice(77.0)
        line = self.line(77.0, exact.name)
        told = len(line.move_id.audit_trail_message_ids)
        self.matched(line)
        self.env.flush_all()
        line.move_id.invalidate_recordset()
        self.assertGreater(len(line.move_id.audit_trail_message_ids), told)

    def test_invoice_of_a_locked_period(self):
        invoice = self.invoice(100.0)
        self.company.hard_lock_date = "2026-01-10"
        line = self.line(100.0, invoice.name)
        before = self.items(invoice, line)
        self.assertFalse(self.matched(line).transfer_move_id)
        self.assertEqual(invoice.amount_residual, 0)
        line._finance_undo()
        self.assertEqual(self.items(invoice, line), before)


def _value(value):
    return value.ids if hasattr(value, "ids") else value
