from decimal import Decimal

from odoo.tests import tagged

from .common import ExportCase


@tagged("post_install", "-at_install")
class TestExtraction(ExportCase):
    def test_a_csv_has_the_ledger_to_the_cent(self):
        rows, counted = self.rows("journal_items")
        self.env.cr.execute(
            "SELECT count(*), sum(debit)::text, sum(credit)::text FROM account_move_line"
            " WHERE parent_state = 'posted' AND account_id IS NOT NULL AND company_id = %s",
            [self.company.id],
        )
        count, debit, credit = self.env.cr.fetchone()
        self.assertEqual(len(rows), count)
        self.assertEqual(counted, count)
        self.assertEqual(sum(Decimal(row["debit"]) for row in rows), Decimal(debit))
        self.assertEqual(sum(Decimal(row["credit"]) for row in rows), Decimal(credit))
