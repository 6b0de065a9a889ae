import io

from odoo.tests import new_test_user, tagged

from ..feeds import FEEDS
from .common import ExportCase


@tagged("post_install", "-at_install")
class TestFeeds(ExportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # no superuser: record rules change the queries
        cls.reader = new_test_user(
            cls.env,
            "export_reader",
            "account.group_account_manager,finance_connector_base.group_controller",
        )

    def test_every_feed_is_read_whole_by_month_and_since(self):
        self.env.cr.execute("SELECT pg_current_snapshot()::text")
        [since] = self.env.cr.fetchone()
        for code in FEEDS:
            with self.subTest(code):
                line = self.export_line(code, user=self.reader, mode="incremental")
                run = self.run_of(line, period="2026-01")
                for mode in ("full", "period", "incremental"):
                    extraction = line._extraction(run, mode, since)
                    for part in extraction.parts:
                        target = io.BytesIO()
                        written = extraction.write(part, target, "csv")
                        header = target.getvalue().decode().splitlines()[0]
                        self.assertEqual(header, ",".join(extraction.schema.names))
                        self.assertGreaterEqual(written.rows, written.deletions)

    def test_every_feed_is_of_declared_types(self):
        """Parquet refuses what another type than its column's."""
        for code in FEEDS:
            with self.subTest(code):
                line = self.export_line(code, split="whole")
                extraction = line._extraction(self.run_of(line), "full")
                extraction.write(extraction.parts[0], io.BytesIO(), "parquet")
                extraction.write(extraction.parts[0], io.BytesIO(), "jsonl")

    def test_previews(self):
        for code in FEEDS:
            with self.subTest(code):
                preview = self.export_line(code)._preview(5)
                self.assertLessEqual(len(preview["rows"]), 5)
