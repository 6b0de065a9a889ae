"""What tests of exports share."""

import csv
import io
import json
import re
import resource
import subprocess
import sys
from pathlib import Path

from odoo.tests import TransactionCase

DOCS = Path(__file__).parents[3] / "docs"


def examples(page, kind=""):
    """Return the SQL blocks of a page of the guides; kind: what their first line names."""
    blocks = re.findall(r"```sql\n(.*?)```", (DOCS / page).read_text(), re.S)
    return [block for block in blocks if block.startswith(f"-- {kind}" if kind else "")]


def duckdb_rows(statement):
    """Return what DuckDB answers, as text, in a process of its own: Odoo's limits its memory."""
    code = (
        "import sys, json, duckdb; duckdb.sql('SET enable_progress_bar = false'); "
        "print(json.dumps(duckdb.sql(sys.stdin.read()).fetchall(), default=str))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=statement,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=_unlimited,
    )
    return json.loads(done.stdout)


def _unlimited():
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


class ExportCase(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company

    def export_line(self, code, companies=None, user=None, **values):
        """Return an export's feed, of a new export of our company."""
        number = self.env["finance.export"].search_count([])
        export = self.env["finance.export"].create(
            {
                "name": code,
                "code": f"test-{number}",
                "format": "csv",
                "company_ids": [(6, 0, (companies or self.company).ids)],
                "user_id": (user or self.env.user).id,
                "feed_ids": [
                    (0, 0, {"feed_id": self.feed(code).id, **values}),
                ],
            }
        )
        return export.feed_ids

    def line(self, code, **values):
        """The same, where nothing else is called a line."""
        return self.export_line(code, **values)

    def feed(self, code):
        """Return the feed of a code."""
        return self.env["finance.feed"].search([("code", "=", code)])

    def entry(self, amount=100):
        """Return a posted entry of two items."""
        account = (
            self.env["account.account"]
            .sudo()
            .search(
                [("company_ids", "in", self.company.id), ("account_type", "=", "expense")], limit=1
            )
        )
        journal = (
            self.env["account.journal"]
            .sudo()
            .search([("company_id", "=", self.company.id), ("type", "=", "general")], limit=1)
        )
        move = (
            self.env["account.move"]
            .sudo()
            .create(
                {
                    "journal_id": journal.id,
                    "line_ids": [
                        (0, 0, {"account_id": account.id, "debit": amount, "name": "one"}),
                        (0, 0, {"account_id": account.id, "credit": amount, "name": "two\nlines"}),
                    ],
                }
            )
        )
        move.action_post()
        return move

    def run_of(self, line, **values):
        """Return a run in the environment that it is read in."""
        run = self.env["finance.export.run"].create({"export_id": line.export_id.id, **values})
        reader = line.export_id.user_id
        return run.with_user(reader).with_context(
            allowed_company_ids=line.export_id.company_ids.ids
        )

    def rows(self, code, told="full", since=None, **values):
        """Return the rows of a feed's CSV files as dicts, and how many were counted."""
        line = self.export_line(code, **values)
        self.env.flush_all()
        extraction = line._extraction(self.run_of(line), told, since)
        rows, counted = [], 0
        for part in extraction.parts:
            target = io.BytesIO()
            counted += extraction.write(part, target, "csv").rows
            rows += csv.DictReader(io.StringIO(target.getvalue().decode(), newline=""))
        return rows, counted
