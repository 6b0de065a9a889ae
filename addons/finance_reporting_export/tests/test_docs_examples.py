"""What the guide shows a BI engineer runs as it stands there."""

import tempfile
from decimal import Decimal
from pathlib import Path

from odoo.tests import new_test_user, tagged

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from .common import ExportCase, duckdb_rows, examples


@tagged("post_install", "-at_install")
class TestExamples(ExportCase):
    def test_duckdb(self):
        self.entry(amount=120)
        reader = new_test_user(
            self.env,
            "export_reader",
            "account.group_account_manager,finance_connector_base.group_controller",
        )
        export = self.export_line("journal_items", user=reader, split="month").export_id
        export.write({"format": "csv.gz", "balance_policy": "ignore"})
        run = export._start(why="test")
        drain_jobs(self.env, until_due=True)
        self.assertEqual(run.state, "delivered")
        with tempfile.TemporaryDirectory() as folder:
            for file in run.file_ids:
                (Path(folder) / file.name).write_bytes(file.sudo()._open().read())
            sums, files = (
                duckdb_rows(example.replace("exports/group/000001", folder))
                for example in examples("reporting.md", "DuckDB")
            )
        posted = self.env["account.move.line"].search(
            [
                ("parent_state", "=", "posted"),
                ("company_id", "=", self.company.id),
                ("account_id", "!=", False),
            ]
        )
        told = sum(Decimal(row[3]) for row in sums)
        self.assertEqual(float(told), self.company.currency_id.round(sum(posted.mapped("debit"))))
        self.assertEqual(dict(files), {file.name: file.bytes for file in run.file_ids if file.feed})
