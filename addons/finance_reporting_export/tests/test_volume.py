import os
import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow
from pyarrow import compute, csv, parquet

from odoo.tests import tagged

from ..extract.formats import CHOICES
from . import ledger
from .common import ExportCase, duckdb_rows

SOAK = os.environ.get("SOAK") == "1"
ITEMS = 1_000_000 if SOAK else 3_000
AMOUNTS = ("debit", "credit", "amount", "amount_currency", "residual")
IN_SQL = ("debit", "credit", "balance", "amount_currency", "amount_residual")
MONEY = pyarrow.decimal128(38, 3)


@tagged("post_install", "-at_install")
class TestVolume(ExportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.companies = ledger.make(cls.env, ITEMS, partners=50)
        cls.env.cr.execute(
            f"""
            SELECT count(*), {", ".join(f"sum({name})::text" for name in IN_SQL)}
              FROM account_move_line
             WHERE parent_state = 'posted' AND company_id = ANY(%s)
            """,
            [cls.companies.ids],
        )
        # text: the cursor of Odoo makes floats of numbers
        cls.count, *sums = cls.env.cr.fetchone()
        cls.sums = [Decimal(total) for total in sums]

    def test_what_others_read_of_every_format_is_the_ledger_to_the_cent(self):
        self.assertEqual(self.sums[0], self.sums[1])
        self.assertGreater(self.count, ITEMS * 0.9)
        line = self.export_line("journal_items", companies=self.companies, split="whole")
        extraction = line._extraction(self.run_of(line), "full")
        with tempfile.TemporaryDirectory() as folder:
            for choice in CHOICES:
                path = Path(folder) / f"items.{choice}"
                with self.subTest(choice):
                    with path.open("wb") as file:
                        written = extraction.write(extraction.parts[0], file, choice)
                    self.assertEqual(written.rows, self.count)
                    self.assertEqual(written.bytes, path.stat().st_size)
                    for reader in (self.by_duckdb, self.by_arrow):
                        found = reader(path, choice, extraction.schema)
                        if found:
                            self.assertEqual(found, [self.count, *self.sums], reader.__name__)
                path.unlink(missing_ok=True)

    def test_months_add_up_to_the_whole(self):
        rows, counted = self.rows("journal_items", companies=self.companies[:1], split="month")
        self.env.cr.execute(
            "SELECT count(*), sum(debit)::text FROM account_move_line"
            " WHERE parent_state = 'posted' AND company_id = %s",
            [self.companies[0].id],
        )
        count, debit = self.env.cr.fetchone()
        self.assertEqual((len(rows), counted), (count, count))
        self.assertEqual(sum(Decimal(row["debit"]) for row in rows), Decimal(debit))
        self.assertEqual(len({row["period"] for row in rows}), ledger.MONTHS)

    def by_duckdb(self, path, choice, schema):
        """Return count and sums as DuckDB finds them."""
        sums = ", ".join(f"sum({name}::DECIMAL(38, 3))" for name in AMOUNTS)
        if choice == "parquet":
            source = f"read_parquet('{path}')"
        elif choice.startswith("csv"):
            types = ", ".join(f"'{name}': 'DECIMAL(38, 3)'" for name in AMOUNTS)
            source = f"read_csv('{path}', types = {{{types}}}, strict_mode = true)"
        else:
            types = ", ".join(f"'{name}': 'VARCHAR'" for name in AMOUNTS)
            source = f"read_json('{path}', format = 'newline_delimited', columns = {{{types}}})"
        [row] = duckdb_rows(f"SELECT count(*), {sums} FROM {source}")
        return [row[0], *map(Decimal, row[1:])]

    def by_arrow(self, path, choice, schema):
        """Return count and sums as pyarrow finds them; None for JSON, where it has no decimals."""
        if choice == "parquet":
            table = parquet.read_table(path, columns=list(AMOUNTS))
            self.assertTrue(all(pyarrow.types.is_decimal128(type_) for type_ in table.schema.types))
        elif choice.startswith("csv"):
            table = csv.read_csv(
                path,
                parse_options=csv.ParseOptions(newlines_in_values=True),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(AMOUNTS, MONEY), include_columns=list(AMOUNTS)
                ),
            )
        else:
            return None
        sums = [compute.sum(table[name].cast(MONEY)).as_py() for name in AMOUNTS]
        return [table.num_rows, *sums]
