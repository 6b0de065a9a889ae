"""What counts as changed: numbers that wrap, rows that are deleted, whoever deletes them."""

import os
import time
from dataclasses import replace
from datetime import date

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.finance_connector_base.mappings.answer import Answer

from ..models.finance_export_feed_changes import MOST_PASSED, ROUND, _is_between
from .common import ExportCase

TABLE = "account_move_line"


@tagged("post_install", "-at_install")
class TestChanges(ExportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tombstones = cls.env["finance.export.tombstone"]

    def incremental(self):
        line = self.line("journal_items", mode="incremental", split="whole")
        self.tombstones._record_deletions()
        return line

    # === NUMBERS === #

    def is_told(self, number, condition):
        rows = SQL("(SELECT %s::text::xid AS xmin) AS changed", str(number % ROUND))
        [(told,)] = self.env.execute_query(SQL("SELECT %s FROM %s", condition, rows))
        return told

    def test_what_the_snapshot_may_not_have_seen_is_told(self):
        line = self.incremental()
        [(now,)] = self.env.execute_query(
            SQL("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        )
        first = max(3, now - 1000)
        condition = line._is_new(f"{first}:{now}:")
        cases = {first: True, first - 1: False, now: True, now + ROUND // 2: False}
        for number, expected in cases.items():
            with self.subTest(number=number - first):
                self.assertEqual(self.is_told(number, condition), expected)

    def test_numbers_are_compared_round_the_corner(self):
        """Transactions on both sides of 2^32, and those long before."""
        for lowest, above in ((255, 70_000), (ROUND - 300, ROUND), (ROUND - 300, ROUND + 70_000)):
            condition = _is_between(lowest, above)
            for number, expected in (
                (lowest, True),
                (above - 1, True),
                ((lowest + above) // 2, True),
                (lowest - 1, False),
                (above, False),
                (lowest + ROUND // 2, False),
            ):
                with self.subTest(number=number, lowest=lowest, above=above):
                    self.assertEqual(self.is_told(number, condition), expected)

    def test_a_counter_that_went_too_far_or_back_fits_no_more(self):
        line = self.incremental()
        present = 5 * ROUND + 100
        for former, fits in (
            (present - 10, True),
            (present + 1, False),
            (present - MOST_PASSED, False),
            (present - ROUND, False),
        ):
            line.sudo().snapshot = f"{former}:{former}:"
            with self.subTest(former=former - present):
                self.assertEqual(line._counter_fits(f"{present}:{present}:"), fits)

    def test_what_decides_over_rows_and_columns(self):
        """A receiver that was told something else, or is another one, is told everything."""
        line = self.incremental()
        line.export_id.user_id = self.env.ref("base.user_admin")
        extraction = line._extraction(self.run_of(line), "full")
        told = {line._definition_text(extraction)}
        asked = Answer("account", date(2026, 6, 30), self.company.id, None, "")
        answers = [[replace(asked, version_id=number)] for number in (1, 2)]
        for answer in answers:
            told.add(line._definition_text(replace(extraction, answers=answer)))
        line.with_codes = False
        told.add(line._definition_text(extraction))
        line.export_id.code = "another"
        told.add(line._definition_text(extraction))
        self.env["ir.rule"].create(
            {
                "name": "fewer",
                "model_id": self.env["ir.model"]._get_id("account.move.line"),
                "domain_force": "[('debit', '<', 1000)]",
            }
        )
        told.add(line._definition_text(extraction))
        self.assertEqual(len(told), 6)
        self.assertIn(line._definition_text(extraction), told)

    # === DELETIONS === #

    def test_deletions_are_recorded_as_long_as_somebody_needs_them(self):
        self.env["finance.export"].search([]).active = False
        before = self.tombstones._recorders()
        line = self.incremental()
        self.assertIn(TABLE, self.tombstones._recorders())
        self.assertNotIn(":null", line._recorders_text())
        if TABLE not in before:
            line.export_id.active = False
            self.tombstones._record_deletions()
            self.assertNotIn(TABLE, self.tombstones._recorders())
            self.assertIn(":null", line._recorders_text())

    def test_a_cascade_is_recorded_and_a_table_that_was_emptied(self):
        self.env.cr.execute(
            "CREATE TABLE x_parent (id int PRIMARY KEY);"
            "CREATE TABLE x_child (id int, parent int REFERENCES x_parent ON DELETE CASCADE);"
            "INSERT INTO x_parent VALUES (1), (2);"
            "INSERT INTO x_child VALUES (10, 1), (11, 1), (12, 2)"
        )
        self.tombstones._change_triggers({"x_child": "id"}, ())
        self.env.cr.execute("DELETE FROM x_parent WHERE id = 1")
        found = self.tombstones.search([("relation", "=", "x_child")])
        self.assertEqual(sorted(found.mapped("record")), [10, 11])
        self.assertTrue(all(found.mapped("at")))
        self.env.cr.execute("TRUNCATE x_child")
        emptied = self.tombstones.search([("relation", "=", "x_child")]) - found
        self.assertEqual(emptied.mapped("record"), [0])

    def test_an_emptied_table_asks_for_everything(self):
        line = self.incremental()
        line.sudo().snapshot = self.env.execute_query(SQL("SELECT pg_current_snapshot()::text"))[0][
            0
        ]
        self.assertFalse(line._was_emptied())
        self.env.cr.execute("INSERT INTO finance_export_tombstone (relation) VALUES (%s)", [TABLE])
        self.assertTrue(line._was_emptied())

    def test_what_all_receivers_know_is_forgotten(self):
        line = self.incremental()
        line.sudo().told_at = "2026-06-30 00:00:00"
        self.env["finance.export.feed"].sudo().search([("id", "!=", line.id)]).told_at = False
        self.env.flush_all()
        self.env.cr.execute(
            "INSERT INTO finance_export_tombstone (relation, record, at)"
            " VALUES ('x', 1, '2026-06-01'), ('x', 2, '2026-06-29')"
        )
        self.tombstones._vacuum()
        left = self.tombstones.search([("relation", "=", "x")])
        self.assertEqual(left.mapped("record"), [2])

    # === FILES THAT NOBODY KNOWS === #

    def test_what_a_dead_transaction_left_is_removed(self):
        files = self.env["finance.export.file"]
        folder = files._files_folder() / "ab"
        folder.mkdir(parents=True, exist_ok=True)
        old, new, other = (
            folder / "abababab-1111-4111-8111-111111111111",
            folder / "abababab-2222-4222-8222-222222222222",
            folder / "notes.txt",
        )
        for path in (old, new, other):
            path.write_bytes(b"left")
            self.addCleanup(path.unlink, missing_ok=True)
        for path in (old, other):
            os.utime(path, (time.time() - 200_000,) * 2)
        files._vacuum_orphans()
        self.assertFalse(old.exists())
        self.assertTrue(new.exists() and other.exists())
