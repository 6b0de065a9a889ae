"""The file is the ledger: compared per company, month, account and currency, to the last digit."""

import io
from decimal import Decimal
from unittest.mock import patch

from odoo import Command
from odoo.tests import new_test_user

from .controls import ControlsCase


class TestTotals(ControlsCase):
    def test_ledger_and_file_are_the_same(self):
        self.entry(self.a, "2026-01-10", ("bank", 100.10), ("sales", -100.10))
        self.entry(self.a, "2026-01-20", ("bank", -0.10), ("sales", 0.10))  # a refund
        # no decimals, three decimals, and an exchange difference without amount in currency
        self.entry(
            self.a, "2026-01-20", ("owed", 7.35, "JPY", 1200), ("sales", -7.35, "KWD", -2.345)
        )
        self.entry(self.a, "2026-02-01", ("owed", 0.02, "JPY", 0), ("sales", -0.02))
        self.entry(self.b, "2026-01-31", ("bank", 55.55), ("sales", -55.55))
        draft = self.entry(self.a, "2026-01-31", ("bank", 9), ("sales", -9), post=False)
        run = self.run_export()
        self.assertEqual(run.state, "delivered")
        totals = self.of(run.total_ids, kind="items")
        self.assertEqual(set(totals.mapped("state")), {"equal"})
        yen = self.of(totals, currency="JPY", period="2026-01")
        self.assertEqual((yen.account, yen.debit, yen.file_debit), ("1200", 7.35, 7.35))
        self.assertEqual((yen.amount_currency, yen.file_amount_currency), (1200, 1200))
        dinars = self.of(totals, currency="KWD")
        self.assertEqual((dinars.amount_currency, dinars.file_amount_currency), (-2.345, -2.345))
        bank = self.of(totals, account="1010", entity_id=self.a)
        self.assertEqual((bank.rows, bank.debit, bank.credit), (2, 100.10, 0.10))
        self.assertEqual(self.of(totals, account="1010", entity_id=self.b).debit, 55.55)
        self.assertEqual(len({total.digest for total in totals}), len(totals))
        self.assertEqual(totals.mapped("digest"), totals.mapped("file_digest"))
        self.assertFalse(run.total_ids.filtered(lambda total: total.debit == draft.amount_total))
        books = self.of(run.total_ids, kind="books")
        self.assertEqual(len(books), 5)
        self.assertEqual(sum(books.mapped("debit")), sum(totals.mapped("debit")))
        counted = self.of(run.total_ids, kind="rows")
        self.assertEqual((counted.rows, counted.file_rows), (10, 10))
        canonical = run._batch_totals()
        self.assertEqual(sum(total.debit for total in canonical), Decimal("163.12"))
        self.assertEqual({total.company for total in canonical}, {"Group Inc", "Filiale SA"})

    def test_totals_are_forgotten_after_their_time(self):
        """Not those that differ, nor what was told last, nor what is younger."""
        self.entry(self.a, "2026-01-10", ("bank", 100.10), ("sales", -100.10))
        runs = [self.run_export() for _number in range(3)]
        old, differing, last = runs
        totals = self.env["finance.export.total"].sudo()
        totals._vacuum()
        self.assertTrue(all(run.total_ids for run in runs))
        self.env["finance.export.run"].sudo().browse([run.id for run in runs]).write(
            {"delivered_at": "2020-01-01 00:00:00"}
        )
        wrong = differing.total_ids[0]
        wrong.sudo().state = "differs"
        count = len(last.total_ids)
        self.export.keep_totals_days = 0
        totals._vacuum()
        self.assertEqual([len(run.total_ids) for run in runs], [count] * 3)
        self.export.keep_totals_days = 730
        totals._vacuum()
        self.assertEqual([len(run.total_ids) for run in runs], [0, 1, count])
        self.assertEqual(differing.total_ids, wrong)
        self.assertEqual(old.rows, last.rows)

    def test_every_format_holds_the_same(self):
        self.entry(self.a, "2026-01-10", ("owed", 7.35, "KWD", 2.345), ("sales", -7.35))
        digests = set()
        for format in ("csv.gz", "csv.zst", "jsonl", "jsonl.gz", "parquet"):
            self.export.format = format
            run = self.run_export()
            self.assertEqual(run.state, "delivered", format)
            digests.add(tuple(self.of(run.total_ids, kind="items").mapped("file_digest")))
        self.assertEqual(len(digests), 1)

    def test_a_trial_balance_is_compared_by_its_sums(self):
        self.export.feed_ids = [Command.create({"feed_id": self.feed("trial_balance").id})]
        self.entry(self.a, "2026-01-10", ("bank", 100.10), ("sales", -100.10))
        # carried on in February, where nothing of it is booked
        self.entry(self.a, "2026-02-10", ("owed", 2, "JPY", 300), ("sales", -2))
        run = self.run_export()
        self.assertEqual(run.state, "delivered")
        totals = self.of(run.total_ids, feed="trial_balance")
        self.assertEqual(set(totals.mapped("state")), {"equal"})
        self.assertEqual(set(totals.mapped("kind")), {"items", "books", "rows"})
        bank = self.of(totals, kind="items", account="1010", period="2026-02")
        self.assertEqual((bank.rows, bank.debit, bank.file_debit), (0, 0, 0))

    def test_a_file_that_is_not_the_ledger_publishes_nothing(self):
        """What a disk, a codec or a wrong query may do to a file, is done to it."""
        self.entry(self.a, "2026-01-10", ("bank", 100.10), ("sales", -100.10))
        opened = self.registry["finance.export.file"]._open
        for wrong, right in ((b"100.11", b"100.10"), (b"1011,", b"1010,")):
            with patch.object(
                self.registry["finance.export.file"], "_open", _changing(opened, right, wrong)
            ):
                run = self.run_export()
            self.assertEqual(run.state, "failed")
            self.assertTrue(self.of(run.total_ids, state="differs"))
            self.assertFalse(run.number)
            self.assertFalse(self.env["finance.export.period"].search([("run_id", "=", run.id)]))
        exception = self.open_exceptions("export.totals")
        self.assertEqual(exception.mapped("question"), ["stopped"] * len(exception))
        self.assertIn("Group Inc", exception[0].text)
        # the next run is right, and what was open closes itself
        self.assertEqual(self.run_export().state, "delivered")
        self.assertFalse(self.open_exceptions("export.totals"))

    def test_a_file_that_is_cut_off_differs(self):
        self.entry(self.a, "2026-01-10", ("bank", 100.10), ("sales", -100.10))
        self.export.format = "csv.gz"
        opened = self.registry["finance.export.file"]._open
        with patch.object(self.registry["finance.export.file"], "_open", _cutting(opened)):
            run = self.run_export()
        self.assertEqual(run.state, "failed")
        self.assertIn("EOFError", self.of(run.total_ids, kind="rows").account)

    def test_a_month_alone(self):
        self.export.feed_ids.mode = "period"
        self.entry(self.a, "2026-01-31", ("bank", 1), ("sales", -1))
        self.entry(self.a, "2026-02-01", ("bank", 2), ("sales", -2))
        run = self.run_export("2026-01")
        self.assertEqual(run.state, "delivered")
        items = self.of(run.total_ids, kind="items")
        self.assertEqual(set(items.mapped("period")), {"2026-01"})
        self.assertEqual(sum(items.mapped("debit")), 1)

    def test_the_reader_sees_his_own_rows_alone(self):
        self.entry(self.a, "2026-01-31", ("bank", 1), ("sales", -1))
        self.entry(self.b, "2026-01-31", ("bank", 2), ("sales", -2))
        reader = new_test_user(
            self.env, "export_reader_of_b",
            "account.group_account_readonly,finance_connector_base.group_controller",
            company_id=self.b.id, company_ids=[Command.set(self.b.ids)],
        )  # fmt: skip
        export = self.export.copy(
            {
                "code": "b-alone",
                "company_id": self.b.id,
                "company_ids": [Command.set(self.b.ids)],
                "user_id": reader.id,
            }
        )
        run = self.run_export(export=export)
        self.assertEqual(run.state, "delivered")
        self.assertEqual(run.total_ids.entity_id, self.b)
        theirs = self.env["finance.export.total"].with_user(reader)
        theirs = theirs.with_context(allowed_company_ids=self.b.ids)
        self.assertTrue(theirs.search([("run_id", "=", run.id)]))
        both = self.run_export()
        self.assertFalse(theirs.search([("run_id", "=", both.id)]))

    def test_increments_are_compared_over_the_same_items(self):
        self.export.feed_ids.mode = "incremental"
        self.entry(self.a, "2026-01-31", ("bank", 1), ("sales", -1))
        self.assertEqual(self.run_export().state, "delivered")
        # in one transaction nothing is new for a snapshot: the watermark is put back by hand
        self.export.feed_ids.snapshot = "3:3:"
        move = self.entry(self.a, "2026-02-10", ("bank", 5), ("sales", -5))
        run = self.run_export()
        self.assertEqual(run.state, "delivered")
        self.assertEqual(run.step_ids.mode, "incremental")
        items = self.of(run.total_ids, kind="items")
        self.assertTrue(items)
        self.assertEqual(set(items.mapped("state")), {"equal"})
        whole = self.of(run.total_ids, kind="period", period="2026-02")
        self.assertEqual(sum(whole.mapped("debit")), move.amount_total)


def _changing(opened, right, wrong):
    """Return `_open` of files whose bytes are changed on the disk."""

    def changed(self):
        return io.BytesIO(opened(self).read().replace(right, wrong))

    return changed


def _cutting(opened):
    def cut(self):
        return io.BytesIO(opened(self).read()[:-9])

    return cut
