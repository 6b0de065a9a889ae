"""Files from copied rows: counted, digested, and refused where a value is of another type."""

import gzip
import hashlib
import io
import sys
from decimal import Decimal

import pyarrow
import pytest
import zstandard
from pyarrow import parquet

from odoo.addons.finance_reporting_export.canonical.schema import Column, Schema
from odoo.addons.finance_reporting_export.extract.errors import ColumnMismatch, NotInstalled
from odoo.addons.finance_reporting_export.extract.writing import write

SCHEMA = Schema(
    "x",
    1,
    "X",
    (
        Column("id", "integer", "Id.", "id"),
        Column("label", "string", "Label.", "name"),
        Column("amount", "decimal", "Amount.", "balance", scale=3),
    ),
    ("id",),
)
ROWS = [b'1,"a\nb ""q""",100.50\n', b"2,,-0.001\n", b'3,"",99999999999999999999.999\n']


class Copied:
    """Rows as the server sends them: one at a time, whatever is asked for."""

    def __init__(self, rows, header=b"id,label,amount\n"):
        self._rows, self._header = rows, header
        self.copied = 0

    def copy_expert(self, statement, stream):
        if "HEADER" in statement:
            stream.write(self._header)
        for row in self._rows:
            stream.write(row)
            self.copied += 1
        self.rowcount = len(self._rows)


def written(format, compression="", rows=ROWS, queries=("SELECT 1",), gone=()):
    target, cursor = io.BytesIO(), Copied(rows)
    found = write(cursor, queries, SCHEMA, target, format, compression, {"run": "r"}, gone)
    data = target.getvalue()
    assert found.bytes == len(data)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    return found, data


def test_rows_are_the_cursors_and_deletions_are_among_them():
    found, data = written("csv", queries=("SELECT 1", "SELECT 2"), gone=("SELECT 3",))
    assert (found.rows, found.deletions) == (9, 3)
    assert data == b"id,label,amount\n" + b"".join(ROWS) * 3


def unzstd(data):
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


@pytest.mark.parametrize(("compression", "opened"), [("gzip", gzip.decompress), ("zstd", unzstd)])
def test_what_is_compressed_is_the_same_bytes_again(compression, opened):
    _found, data = written("csv", compression)
    assert opened(data) == b"id,label,amount\n" + b"".join(ROWS)
    assert written("csv", compression)[1] == data


def test_parquet_is_exact():
    found, data = written("parquet")
    table = parquet.read_table(io.BytesIO(data))
    assert found.rows == table.num_rows == 3
    assert table.schema.field("amount").type == pyarrow.decimal128(38, 3)
    assert table["amount"].to_pylist() == [
        Decimal("100.500"),
        Decimal("-0.001"),
        Decimal("99999999999999999999.999"),
    ]
    assert table["label"].to_pylist() == ['a\nb "q"', None, ""]
    assert parquet.read_schema(io.BytesIO(data)).metadata[b"run"] == b"r"


def test_parquet_of_nothing_has_its_columns():
    found, data = written("parquet", rows=[])
    table = parquet.read_table(io.BytesIO(data))
    assert (found.rows, table.num_rows, table.column_names) == (0, 0, ["id", "label", "amount"])


@pytest.mark.parametrize("row", [b"1,x,0.0001\n", b"1.5,x,1\n", b"1,x,much\n"])
def test_a_value_that_does_not_fit_is_not_rounded_and_the_copy_ends(row):
    cursor = Copied([*ROWS, row] + ROWS * 200_000)
    with pytest.raises(ColumnMismatch):
        write(cursor, ["SELECT 1"], SCHEMA, io.BytesIO(), "parquet")
    assert cursor.copied == 600_004


def test_a_target_that_fails_is_told():
    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError(28, "No space left on device")

    for format, compression in (("csv", ""), ("csv", "gzip"), ("parquet", "")):
        with pytest.raises(OSError, match="No space"):
            write(Copied(ROWS * 100), ["SELECT 1"], SCHEMA, Full(), format, compression)


@pytest.mark.parametrize(
    ("format", "compression", "module"), [("parquet", "", "pyarrow"), ("csv", "zstd", "zstandard")]
)
def test_a_missing_library_is_named(monkeypatch, format, compression, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NotInstalled, match=module):
        write(Copied(ROWS), ["SELECT 1"], SCHEMA, io.BytesIO(), format, compression)
