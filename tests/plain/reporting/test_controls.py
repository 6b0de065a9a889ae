"""What a file adds up to: money exact, each way of being wrong found, memory flat."""

import csv
import gzip
import io
import json
import random
import tracemalloc
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from odoo.addons.finance_reporting_export.canonical.schema import Column, Schema
from odoo.addons.finance_reporting_export.controls import reading, totals
from odoo.addons.finance_reporting_export.controls.roles import Roles
from odoo.addons.finance_reporting_export.controls.totals import Key, Sum

COLUMNS = {
    "id": "integer",
    "company": "string",
    "effective_date": "date",
    "gl_account_number": "string",
    "currency": "string",
    "debit": "decimal",
    "credit": "decimal",
    "amount_currency": "decimal",
    "label": "string",
}
SCHEMA = Schema(
    "journal_items",
    1,
    "Journal items",
    tuple(Column(name, type, "", name) for name, type in COLUMNS.items()),
    ("id",),
)
MEASURES = SimpleNamespace(
    company="company",
    period="effective_date",
    account="gl_account_number",
    currency="currency",
    debit="debit",
    credit="credit",
    amount_currency="amount_currency",
)
ROLES = Roles.of(SCHEMA, MEASURES)
ROWS = [
    # a label with line breaks and quotes is one row
    (1, "Own", "2026-03-01", "1000", "EUR", "100.10", "0.00", "100.10", 'a\n"b",\r\nc'),
    (2, "Own", "2026-03-31", "1000", "EUR", "0.20", "0", "0.20", ""),
    (3, "Own", "2026-03-31", "4000", "EUR", "0.00", "100.30", "-100.30", "refunds: minus"),
    (4, "Own", "2026-04-01", "4000", "JPY", "0.00", "7.35", "-1200", "no decimals"),
    (5, "Own", "2026-04-01", "1000", "KWD", "7.35", "0.00", "2.345", "three decimals"),
    (6, "Other", "2026-04-01", "1000", "USD", "0.00", "0.00", "0.01", "exchange difference"),
]


def written(rows, format, compression=""):
    if format == "parquet":
        return parquet(rows)
    text = io.StringIO(newline="")
    if format == "csv":
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([COLUMNS, *rows])
    else:
        for row in rows:
            text.write(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n")
    data = text.getvalue().encode()
    return gzip.compress(data) if compression == "gzip" else data


def parquet(rows):
    pyarrow = pytest.importorskip("pyarrow", reason="optional: pyarrow")
    from pyarrow import parquet as files

    types = {
        "integer": pyarrow.int64(),
        "string": pyarrow.string(),
        "date": pyarrow.date32(),
        "decimal": pyarrow.decimal128(18, 3),
    }
    made = {"date": date.fromisoformat, "decimal": Decimal}
    columns = {
        name: pyarrow.array(
            [made.get(type, lambda value: value)(row[place]) for row in rows], types[type]
        )
        for place, (name, type) in enumerate(COLUMNS.items())
    }
    sink = io.BytesIO()
    files.write_table(pyarrow.table(columns), sink)
    return sink.getvalue()


def totals_of(data, format="csv", compression="", roles=ROLES, **more):
    rows = reading.rows(io.BytesIO(data), format, compression, roles)
    return totals.add_up(rows, **more)[0]


FORMATS = [("csv", ""), ("csv", "gzip"), ("jsonl", ""), ("jsonl", "gzip"), ("parquet", "")]


@pytest.mark.parametrize("format, compression", FORMATS)
def test_money_of_every_format(format, compression):
    found = totals_of(written(ROWS, format, compression), format, compression)
    march = found[Key("Own", "2026-03", "1000", "EUR")]
    assert (march.rows, march.debit, march.credit) == (2, Decimal("100.30"), 0)
    assert found["Own", "2026-04", "4000", "JPY"].amount_currency == Decimal(-1200)
    assert found["Own", "2026-04", "1000", "KWD"].amount_currency == Decimal("2.345")
    assert found["Other", "2026-04", "1000", "USD"].amount_currency == Decimal("0.01")
    assert len(found) == 5
    # the digest doesn't depend on format, order or trailing zeros
    other = totals_of(written(ROWS[::-1], "csv"))
    assert totals.differences(found, other) == []


def test_digest_is_what_the_documentation_says():
    """Worked out by hand: another program must come to the same."""
    [found] = totals_of(written(ROWS[:1], "csv")).values()
    assert totals.digits(found.digest) == f"{found.digest:016x}"
    assert found.digest == totals.digest_of("1", "100.1", "0", "100.1")
    assert totals.digits(totals.digest_of("1", "1", "0", "1")) == "034868e6f211a254"


@pytest.mark.parametrize(
    "place, value, field",
    [
        (5, "100.11", "debit"),
        (6, "0.01", "credit"),
        (7, "-100.10", "amount_currency"),
        (0, 99, "digest"),
        (2, "2026-02-28", "rows"),
        (3, "1001", "rows"),
        (4, "USD", "rows"),
        (1, "Other", "rows"),
    ],
)
def test_every_change_of_a_row_is_found(place, value, field):
    changed = [list(row) for row in ROWS]
    changed[0][place] = value
    ledger, file = totals_of(written(ROWS, "csv")), totals_of(written(changed, "csv"))
    assert field in {one.field for one in totals.differences(ledger, file)}


def test_rows_that_lack_or_are_there_twice_are_found():
    ledger = totals_of(written(ROWS, "csv"))
    lacking = totals.differences(ledger, totals_of(written(ROWS[1:], "csv")))
    assert [(one.key.account, one.field, one.ledger, one.file) for one in lacking] == [
        ("1000", "rows", 2, 1)
    ]
    twice = totals.differences(ledger, totals_of(written([*ROWS, ROWS[3]], "csv")))
    assert [(one.key.currency, one.file) for one in twice] == [("JPY", 2)]
    # swapped amounts: sums are the same, the rows are not
    swapped = [list(row) for row in ROWS]
    swapped[0][5:8], swapped[1][5:8] = swapped[1][5:8], swapped[0][5:8]
    found = totals.differences(ledger, totals_of(written(swapped, "csv")))
    assert [one.field for one in found] == ["digest"]


def test_a_file_that_was_cut_off_is_unreadable():
    for format, compression in [("csv", "gzip"), ("jsonl", ""), ("parquet", "")]:
        data = written(ROWS, format, compression)
        with pytest.raises(reading.Unreadable):
            totals_of(data[: len(data) - 7], format, compression)
    with pytest.raises(reading.Unreadable):
        totals_of(b"")
    with pytest.raises(reading.Unreadable):
        totals_of(b"id,company\n1,Own\n")


def test_what_a_file_does_not_tell_is_of_its_part():
    """Of a feed without accounts and currencies the sums are still compared."""
    roles = Roles(key="id", debit="debit", credit="credit")
    found = totals_of(written(ROWS[:3], "csv"), roles=roles, part=("Own", "2026-03"))
    assert totals.compared(roles) == ("rows", "debit", "credit")
    assert found[Key("Own", "2026-03", "", "")].debit == Decimal("100.30")
    assert totals.compared(ROLES, of_sums=True) == ("debit", "credit")
    assert Roles.of(SCHEMA) == Roles(key="id")


def test_rows_that_are_gone_are_counted_apart():
    roles = Roles(key="id", period="d", debit="debit", credit="credit", operation="op")
    data = b"id,d,debit,credit,op\n1,2026-03-01,5.00,0,U\n2,,,,D\n"
    rows = reading.rows(io.BytesIO(data), "csv", "", roles)
    found, deletions = totals.add_up(rows)
    assert deletions == 1
    assert [(total.rows, total.debit) for total in found.values()] == [(1, Decimal(5))]


def test_sums_are_exact_where_floats_are_not():
    seed = random.Random(6)
    cents = [seed.randint(-(10**13), 10**13) for _number in range(2000)]
    rows = [
        (number, "Own", "2026-03-01", "1000", "EUR", str(Decimal(cent).scaleb(-2)), "0", "0", "")
        for number, cent in enumerate(cents)
    ]
    [found] = totals_of(written(rows, "csv")).values()
    assert found.debit == Decimal(sum(cents)).scaleb(-2)


def test_parts_are_added_to_each_other():
    both = totals_of(written(ROWS, "csv"))
    first = totals_of(written(ROWS[:3], "csv"))
    assert totals_of(written(ROWS[3:], "csv"), totals=first) == both
    total = Sum()
    for one in both.values():
        total.add(one)
    assert (total.rows, total.debit, total.credit) == (6, Decimal("107.65"), Decimal("107.65"))


def test_memory_stays_flat():
    line = b'1,Own,2026-03-01,1000,EUR,1.00,0.00,1.00,"' + b"x" * 200 + b'"\n'

    class Endless(io.RawIOBase):
        """Rows that are made while they are read."""

        def __init__(self, count):
            self._left = [",".join(COLUMNS).encode() + b"\n", *[line * 100] * (count // 100)]

        def readable(self):
            return True

        def readinto(self, buffer):
            data = self._left.pop(0) if self._left else b""
            buffer[: len(data)] = data
            return len(data)

    def peak(count):
        stream = io.BufferedReader(Endless(count), 1 << 16)
        tracemalloc.start()
        totals.add_up(reading.rows(stream, "csv", "", ROLES))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(8000) < peak(1000) + 200_000
