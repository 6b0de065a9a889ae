"""Runs: written, numbered, kept, delivered; what a receiver is told next."""

import csv
import io
from contextlib import closing

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from .common import ExportCase


@tagged("post_install", "-at_install")
class TestRun(ExportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.controller = new_test_user(
            cls.env,
            "export_controller",
            groups="account.group_account_user,finance_connector_base.group_controller",
        )
        cls.env = cls.env(user=cls.controller)

    def export(self, mode="full", **values):
        line = self.line("journal_items", mode=mode, split="whole")
        line.export_id.write(values)
        return line.export_id

    def run_it(self, export, **options):
        run = export._start(why="test", **options)
        drain_jobs(self.env)
        return run

    def content(self, run, name=None):
        """The rows of the one data file, as dicts."""
        file = run.file_ids.filtered("feed")
        with closing(file._download()) as stream:
            return list(csv.DictReader(io.StringIO(stream.read().decode(), newline="")))

    # === WRITING === #

    def test_a_run_without_destination_is_kept_and_complete(self):
        move = self.entry()
        export = self.export()
        run = self.run_it(export)
        self.assertEqual(run.state, "delivered")
        self.assertEqual(run.number, 1)
        rows = self.content(run)
        ids = {int(row["id"]) for row in rows}
        self.assertLessEqual(set(move.line_ids.ids), ids)
        self.assertEqual(run.rows, len(rows))
        names = set(run.file_ids.mapped("name"))
        self.assertEqual(names, {"journal_items.csv", "openlineage.jsonl", "datapackage.json"})
        self.assertTrue(all(run.file_ids.mapped("sha256")))
        run.file_ids.sudo().write({"bytes": 3 * 10**9})  # more than 32 bits hold
        self.env.flush_all()
        self.assertEqual(run.file_ids.filtered("is_manifest").sha256, run.digest)

    def test_numbers_have_no_gaps_and_a_cancelled_run_takes_none(self):
        export = self.export()
        first = self.run_it(export)
        second = export._start(why="test")
        second.action_cancel()
        drain_jobs(self.env)
        self.assertEqual((second.state, second.number), ("cancelled", 0))
        self.assertFalse(second.file_ids)
        third = self.run_it(export)
        self.assertEqual((first.number, third.number), (1, 2))

    def test_one_run_of_an_export_at_a_time(self):
        export = self.export()
        run = export._start(why="test")
        with self.assertRaises(UserError):
            export.action_run()
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation), self.cr.savepoint():
            run.sudo().copy()

    def test_a_run_without_feeds_is_refused(self):
        export = self.export()
        export.feed_ids.unlink()
        with self.assertRaises(UserError):
            export.action_run()

    # === WHOSE ROWS === #

    def test_rows_are_those_that_the_reader_may_read(self):
        """A reader without the rights of accounting gets an error and no file; it is told."""
        outsider = new_test_user(self.env(user=1), "export_outsider", groups="base.group_user")
        export = self.export()
        export.sudo().user_id = outsider
        run = export._start(why="test")
        with mute_logger("odoo.addons.finance_connector_base.lanes.lane"):
            drain_jobs(self.env)
        self.assertEqual(run.state, "failed")
        self.assertFalse(run.file_ids)
        exception = (
            self.env["finance.exception"]
            .sudo()
            .search([("code", "=", "export.unwritten"), ("document_id", "=", run.id)])
        )
        self.assertEqual(exception.state, "open")
        export.sudo().user_id = self.controller
        self.run_it(export)
        self.assertEqual(exception.state, "resolved")

    def test_lent_rights_are_not_turned_elsewhere(self):
        """An administrator lets an export read as another person; nobody else changes it then."""
        export = self.export()
        with self.assertRaises(AccessError):
            export.user_id = self.env.ref("base.user_admin")
        export.sudo().user_id = self.env.ref("base.user_admin")
        for change in (
            lambda: export.write({"connector_id": False}),
            lambda: export.feed_ids.write({"split": "month"}),
            lambda: export.feed_ids.copy({"feed_id": self.feed("journal_entries").id}),
        ):
            with self.assertRaises(AccessError), self.cr.savepoint():
                change()
        self.run_it(export)
        with self.assertRaises(ValidationError):
            other = self.env(user=1)["res.company"].create({"name": "Another"})
            export.sudo().company_ids = other

    def test_who_downloads(self):
        run = self.run_it(self.export())
        file = run.file_ids.filtered("is_manifest")
        auditor = new_test_user(
            self.env(user=1), "export_auditor", groups="finance_connector_base.group_auditor"
        )
        before = self._opened()
        with closing(file.with_user(auditor)._download()) as stream:
            self.assertIn(b"journal_items", stream.read())
        self.assertEqual(self._opened(), before + 1)
        accountant = new_test_user(
            self.env(user=1), "export_accountant", groups="finance_connector_base.group_user"
        )
        with self.assertRaises(AccessError):
            file.with_user(accountant)._download()

    def _opened(self):
        return (
            self.env["finance.audit.event"].sudo().search_count([("kind", "=", "payload.opened")])
        )

    # === INCREMENTS === #

    def test_what_has_changed_since(self):
        """In one transaction everything looks new; what is gone is told as gone."""
        kept, reset = self.entry(1), self.entry(2)
        deleted = self.entry(3)
        export = self.export("incremental")
        first = self.run_it(export)
        self.assertEqual(first.step_ids.mode, "full")
        self.assertEqual(first.step_ids.reason, "first")
        self.assertEqual({row["operation"] for row in self.content(first)}, {"U"})
        line = export.feed_ids
        self.assertEqual(line.snapshot, first.snapshot)
        gone = set(reset.line_ids.ids) | set(deleted.line_ids.ids)
        reset.button_draft()
        deleted.button_draft()
        deleted.unlink()
        second = self.run_it(export)
        self.assertEqual(second.step_ids.mode, "incremental", second.step_ids.reason)
        told = {int(row["id"]): row for row in self.content(second)}
        self.assertEqual({told[id_]["operation"] for id_ in gone}, {"D"})
        self.assertEqual({told[id_]["operation"] for id_ in kept.line_ids.ids}, {"U"})
        self.assertEqual(second.step_ids.deletions, second.file_ids.filtered("feed").deletions)
        self.assertGreaterEqual(second.step_ids.deletions, len(gone))

    def test_why_everything_is_told(self):
        self.entry()
        export = self.export("incremental")
        self.run_it(export)
        line = export.feed_ids.sudo()
        cases = {
            "asked": lambda: {"everything": True},
            "elsewhere": lambda: line.write({"database": "1/2/3/4"}),
            "counter": lambda: line.write({"snapshot": "9999999999:9999999999:"}),
            "definition": lambda: line.write({"definition": "another"}),
            "recorders": lambda: line.write({"recorders": "{}"}),
        }
        for reason, change in cases.items():
            with self.subTest(reason):
                options = change()
                run = self.run_it(export, **(options if isinstance(options, dict) else {}))
                self.assertEqual((run.step_ids.mode, run.step_ids.reason), ("full", reason))
                self.assertTrue(run.step_ids.reason_words)
        run = self.run_it(export)
        self.assertEqual(run.step_ids.mode, "incremental", run.step_ids.reason)

    def test_a_run_that_is_not_delivered_leaves_the_watermark(self):
        export = self.export("incremental")
        first = self.run_it(export)
        second = export._start(why="test")
        second.action_cancel()
        drain_jobs(self.env)
        self.assertEqual(export.feed_ids.told_run_id, first)
        self.assertEqual(export.feed_ids.snapshot, first.snapshot)

    # === KEEPING === #

    def test_files_are_forgotten_after_their_time(self):
        run = self.run_it(self.export())
        path = run.file_ids[0].sudo()._file_path()
        self.assertTrue(path.exists())
        self.env["finance.export.file"].sudo()._vacuum()
        self.assertTrue(all(run.file_ids.mapped("kept")))
        run.sudo().write({"delivered_at": "2020-01-01 00:00:00"})
        self.env["finance.export.file"].sudo()._vacuum()
        self.assertFalse(any(run.file_ids.mapped("kept")))
        with self.assertRaises(UserError):
            run.file_ids[0]._download()
