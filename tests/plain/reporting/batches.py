"""A batch of real files in every format, with what it says of itself."""

import hashlib
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from odoo.addons.finance_reporting_export.canonical.batch import (
    Batch,
    File,
    Finding,
    MappingVersion,
    Rate,
    Total,
)
from odoo.addons.finance_reporting_export.canonical.schema import Column, Schema

DATABASE = "9e0a7a5e-6f0a-4c0e-9c3e-0d5f5c1a2b3c"
RUN = "2f1c7a44-5d2e-4c53-9a55-0f6b7d8e9a01"
COLUMNS = (
    Column("id", "integer", "Id of the item.", "id", required=True),
    Column("entity", "string", "Name of the company.", "company_id.name", required=True),
    Column("period", "string", "Month, as 2026-03.", "=to_char({date}, 'YYYY-MM')", required=True),
    Column("label", "string", "Label; may have line breaks.", "name"),
    Column("effective_date", "date", "Accounting date.", "date", required=True),
    Column("changed", "datetime", "When it was changed last, UTC.", "write_date"),
    Column("debit", "decimal", "Debit.", "debit", scale=2, required=True),
    Column("credit", "decimal", "Credit.", "credit", scale=2, required=True),
    Column("posted", "boolean", "Whether it is posted.", "posted"),
    Column("analytic", "json", "Distribution by analytic account.", "analytic_distribution"),
    Column("account_mapped", "string", "Account of the group.", "account_id", mapping="account"),
)
SCHEMA = Schema("journal_items", 3, "Journal items", COLUMNS, ("id",))
OPERATION = Column("operation", "string", "U or D.", "='U'", required=True)
DELTA = Schema("journal_items", 3, "Journal items", (OPERATION, *COLUMNS), ("id",))
LINES = (
    '1,Alder,2026-03,"two\nlines, ""quoted""",2026-03-02,2026-03-31T08:15:00Z,10.50,0.00,true,'
    '"{""1"": 100.0}",4000',
    "2,Alder,2026-03,,2026-03-03,2026-03-31T08:15:00Z,0.00,10.50,false,,",
)


def csv_of(lines, schema=SCHEMA):
    """Return a CSV file."""
    return "\n".join([",".join(one.name for one in schema.columns), *lines, ""]).encode()


def table_of(lines):
    """Return the rows as an Arrow table of exact types."""
    import pyarrow
    from pyarrow import csv

    types = {
        "integer": pyarrow.int64(), "string": pyarrow.string(), "json": pyarrow.string(),
        "date": pyarrow.date32(), "datetime": pyarrow.timestamp("s", "UTC"),
        "boolean": pyarrow.bool_(), "decimal": pyarrow.decimal128(38, 2),
    }  # fmt: skip
    return csv.read_csv(
        io.BytesIO(csv_of(lines)),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={one.name: types[one.type] for one in COLUMNS},
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def file_of(name, data, *, format="csv", compression="", mode="full", rows=2, **options):
    """Return the `File` of bytes."""
    schema = DELTA if mode == "incremental" else SCHEMA
    digest = hashlib.sha256(data).hexdigest()
    options = {"deletions": 0, "company": "Alder", "period": "2026-03"} | options
    return File(
        name, "journal_items", schema, format, compression, mode, rows,
        bytes=len(data), sha256=digest, **options,
    )  # fmt: skip


def batch_of(*files):
    """Return a `Batch` with something of everything."""
    amount = Decimal("10.50")
    return Batch(
        run=RUN,
        export="group",
        number=7,
        database=DATABASE,
        snapshot="812:815:813",
        since="700:700:",
        started=datetime(2026, 4, 1, 2, 0, tzinfo=UTC),
        by="schedule",
        why="Nightly",
        companies=("Alder", "Birch"),
        files=files,
        totals=(
            Total("journal_items", "Alder", "2026-03", "4000", "EUR", 1, amount, Decimal(0), amount),
            Total("journal_items", "Alder", "2026-03", "1000", "EUR", 1, Decimal(0), amount, -amount),
        ),
        rates=(Rate("USD", "EUR", "closing", date(2026, 3, 31), Decimal("0.9213"), "ECB"),),
        mappings=(MappingVersion("account", "Alder", 4, "ab" * 32),),
        findings=(Finding("drafts", "Drafts in the period", False, 2, Decimal("12.00"), "Alder"),),
        lock_dates={"Alder": date(2026, 2, 28), "Birch": None},
        final=("2026-02",),
    )  # fmt: skip


def write(folder, files):
    """Write {name: bytes} into a folder."""
    for name, data in files.items():
        Path(folder, name).write_bytes(data)
