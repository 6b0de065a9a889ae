"""A PostgreSQL warehouse: its tables are what the batches say, one whole batch after the other."""

import dataclasses
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from odoo.addons.finance_connector_base.providers.errors import ContractBroken, Rejected, Transient

from tests.contract import destinations as made
from tests.contract.destinations import (
    COLUMNS,
    DELTA,
    SCHEMA,
    content,
    delivery,
    line,
    parcel,
    refused,
)

pytestmark = pytest.mark.parametrize("place", ["postgres"], indirect=True)


def full(*lines, number=1, rows=None, **options):
    """A batch of everything, in one file."""
    rows = len(lines) if rows is None else rows
    return delivery(parcel("items.csv", content(lines), rows), number=number, **options)


def delta(*lines, number=2, **options):
    """A batch of changes; lines begin with U or D."""
    one = parcel("items.csv", content(lines, DELTA), len(lines), schema=DELTA, mode="incremental")
    return delivery(one, number=number, **options)


def gone(number):
    """A line that says that a row is gone: only its key."""
    return f"D,{number},,,,,,,,"


def deliver(place, *whats):
    """Deliver each."""
    return [place.open().deliver(what) for what in whats]


def ids(place):
    return [row[0] for row in place.rows("id")]


# === WHAT IS IN THE TABLE === #


def parquet_of(lines):
    """The same rows as a Parquet file of exact types."""
    import pyarrow
    from pyarrow import csv, parquet

    types = {
        "integer": pyarrow.int64(), "string": pyarrow.string(), "json": pyarrow.string(),
        "date": pyarrow.date32(), "datetime": pyarrow.timestamp("s", "UTC"),
        "boolean": pyarrow.bool_(), "decimal": pyarrow.decimal128(38, 2),
    }  # fmt: skip
    convert = csv.ConvertOptions(
        column_types={one.name: types[one.type] for one in COLUMNS},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    table = csv.read_csv(
        io.BytesIO(content(lines)),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=convert,
    )
    target = io.BytesIO()
    parquet.write_table(table, target, compression="zstd")
    return target.getvalue()


def jsonl_of(lines):
    """The same rows as JSON Lines, as PostgreSQL writes them."""
    import csv

    rows = csv.DictReader(io.StringIO(content(lines).decode()))
    found = []
    for row in rows:
        row = {name: value or None for name, value in row.items()}
        row |= {"id": int(row["id"]), "posted": row["posted"] == "true"}
        row |= {"label": row["label"] or "", "analytic": json.loads(row["analytic"] or "null")}
        found.append(json.dumps(row) + "\n")
    return "".join(found).encode()


LINES = (
    line(1, 'two\nlines, "quoted" \\ ü'),
    line(2, "", "-12345678901234567.89"),
    line(9007199254740993, "0.10", "0.10"),
)
FORMATS = {
    "csv": lambda: parcel("a.csv", content(LINES), 3),
    "csv.gz": lambda: parcel("a.csv.gz", content(LINES), 3, "gzip"),
    "jsonl": lambda: parcel("a.jsonl", jsonl_of(LINES), 3, format="jsonl"),
    "jsonl.gz": lambda: parcel("a.jsonl.gz", jsonl_of(LINES), 3, "gzip", format="jsonl"),
    "parquet": lambda: parcel("a.parquet", parquet_of(LINES), 3, format="parquet"),
}


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_the_same_table_to_the_cent(place, format):
    deliver(place, delivery(FORMATS[format]()))
    columns = "id, label, effective_date, changed, balance::text, posted, analytic, period"
    moment = datetime(2026, 3, 31, 8, 15, tzinfo=UTC)
    rest = (True, {"1": 100.0}, "2026-03")
    assert place.rows(columns) == [
        (1, 'two\nlines, "quoted" \\ ü', date(2026, 3, 2), moment, "10.00", *rest),
        (2, "", date(2026, 3, 3), moment, "-12345678901234567.89", *rest),
        (9007199254740993, "0.10", date(2026, 3, 6), moment, "0.10", *rest),
    ]
    told = place.open().acknowledgement(delivery(FORMATS[format]()))
    assert (told.state, list(told.rows.values())) == ("accepted", [3])


def test_no_value_is_not_an_empty_text(place):
    deliver(place, full("1,Alder,2026-03,,2026-03-01,,,,", '2,Alder,2026-03,"",2026-03-01,,,,'))
    assert place.rows() == [(1, None, None), (2, "", None)]


def test_types_are_those_of_the_schema(place):
    deliver(place, full(line(1)))
    found = place.sql(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'warehouse' AND table_name = 'journal_items'"
    )
    assert dict(found) == {
        "id": "bigint", "entity": "text", "period": "text", "label": "text",
        "effective_date": "date", "changed": "timestamp with time zone", "balance": "numeric",
        "posted": "boolean", "analytic": "jsonb",
    }  # fmt: skip


# === ONE BATCH AFTER THE OTHER === #


def test_everything_replaces_everything_and_views_stay(place):
    deliver(place, full(line(1), line(2)))
    place.sql("CREATE VIEW warehouse.mine AS SELECT sum(balance) FROM warehouse.journal_items")
    place.sql("CREATE INDEX mine_too ON warehouse.journal_items (entity)")
    before = place.sql("SELECT xmin FROM warehouse.journal_items WHERE id = 2")
    deliver(place, full(line(2), line(3, balance="7.00"), number=2))
    assert ids(place) == [2, 3]
    assert place.sql("SELECT * FROM warehouse.mine") == [(Decimal("17.00"),)]
    # what did not change was not written
    assert place.sql("SELECT xmin FROM warehouse.journal_items WHERE id = 2") == before


def test_changes_put_and_remove(place):
    deliver(
        place,
        full(line(1), line(2), line(3)),
        delta(f"U,{line(2, 'other', '99.00')}", f"U,{line(4)}", gone(1), gone(77)),
    )
    assert place.rows() == [
        (2, "other", Decimal("99.00")), (3, "Desk", Decimal("10.00")), (4, "Desk", Decimal("10.00"))
    ]  # fmt: skip
    assert "operation" not in [row[0] for row in place.sql(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'warehouse'")]  # fmt: skip


def test_a_period_replaces_its_company_and_month(place):
    deliver(place, full(line(1), line(2, period="2026-04"), line(3, entity="Birch"), line(4)))
    one = parcel(
        "p.csv", content([line(1, balance="1.00"), line(9)]), 2, mode="period",
        company="Alder", period="2026-03",
    )  # fmt: skip
    deliver(place, delivery(one, number=2))
    assert ids(place) == [1, 2, 3, 9]
    # with nothing left in the month
    empty = parcel("p.csv", content([]), 0, mode="period", company="Alder", period="2026-03")
    deliver(place, delivery(empty, number=3))
    assert ids(place) == [2, 3]


def test_a_repeated_batch_does_nothing(place):
    what = delta(f"U,{line(2)}", gone(1))
    deliver(place, full(line(1)), what)
    place.sql("INSERT INTO warehouse.journal_items (id) VALUES (500)")
    (receipt,) = deliver(place, what)
    assert receipt.sent == () and ids(place) == [2, 500]
    assert place.sql("SELECT count(*) FROM warehouse.finance_batches") == [(2,)]


def test_numbers_leave_nothing_out(place):
    """A gap, a first one that is an increment, one run under two numbers: nothing is loaded."""
    refused(place, delta(f"U,{line(1)}", number=5), "gap")
    deliver(place, full(line(1)))
    refused(place, delta(f"U,{line(3)}", number=3), "gap")
    deliver(place, delta(f"U,{line(2)}"))
    deliver(place, delta(f"U,{line(3)}", number=3))
    refused(place, dataclasses.replace(full(line(1)), number=9), "taken")
    assert ids(place) == [1, 2, 3]
    # a batch of everything needs no forerunner, and the gap can be seen
    deliver(place, full(line(7), number=6))
    assert ids(place) == [7]
    (receipt,) = deliver(place, full(line(8), number=4))
    assert receipt.ahead == 6
    assert place.sql("SELECT array_agg(number ORDER BY number) FROM warehouse.finance_batches") == [
        ([1, 2, 3, 6],)
    ]


def test_two_exports_do_not_fill_one_table(place):
    deliver(place, full(line(1)))
    refused(place, full(line(2), export="other"), "owner")
    assert ids(place) == [1]
    place.open(schema="second").deliver(full(line(2), export="other"))
    place.sql("DROP SCHEMA second CASCADE")


# === ALL OR NOTHING === #


def test_half_a_batch_is_none(place):
    """The second file can't be read: the first one's rows are not there, nor the table."""
    first = parcel("a.csv", content([line(1)]), 1)

    def lost():
        raise OSError("lost")

    second = dataclasses.replace(parcel("b.csv", content([line(2)]), 1), open=lost)
    with pytest.raises(OSError, match="lost"):
        place.open().deliver(delivery(first, second))
    assert place.sql("SELECT to_regclass('warehouse.journal_items')") == [(None,)]
    deliver(place, full(line(1)))
    with pytest.raises(OSError, match="lost"):
        place.open().deliver(delivery(parcel("a.csv", content([line(5)]), 1), second, number=2))
    assert ids(place) == [1]


def test_who_reads_meanwhile_sees_the_batch_before(place):
    deliver(place, full(line(1), line(2)))
    with place.connected() as reader:
        reader.set_session(isolation_level="REPEATABLE READ")
        cursor = reader.cursor()
        cursor.execute("SELECT count(*), sum(balance) FROM warehouse.journal_items")
        before = cursor.fetchone()
        deliver(place, full(line(3, balance="1.00"), number=2))
        cursor.execute("SELECT count(*), sum(balance) FROM warehouse.journal_items")
        assert cursor.fetchone() == before
    assert ids(place) == [3]


WRONG = {
    "rows": (lambda: full(line(1), rows=2), ContractBroken, "rows"),
    "columns": (
        lambda: delivery(parcel("a.csv", b"id,name\n1,x\n", 1)), Rejected, "schema",
    ),
    "twice": (lambda: full(line(1), line(1)), Rejected, "23505"),
    "type": (lambda: full(line(1).replace("10.00", "Jane Doe")), Rejected, "22P02"),
    "too few": (lambda: full("1,Alder"), Rejected, "22P04"),
    "no key": (lambda: full(line(1)[1:]), Rejected, "23502"),
    "no period": (
        lambda: delivery(parcel("a.csv", content([line(1)]), 1, mode="period")), Rejected, "mode",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_content_is_refused_whole(place, name):
    make, cls, code = WRONG[name]
    words = refused(place, make(), code, cls)
    assert "Jane" not in words
    assert place.open().acknowledgement(make()).state == "waiting"
    deliver(place, full(line(1)))


def test_columns_that_come_and_change(place):
    deliver(place, full(line(1)))
    more = made.Column("branch", "string", "Branch.", "branch")
    wide = dataclasses.replace(SCHEMA, version=2, columns=(*COLUMNS, more))
    one = parcel("a.csv", content([f"{line(1)},North"], wide), 1, schema=wide)
    deliver(place, delivery(one, number=2))
    assert place.rows("id, branch") == [(1, "North")]
    # a column less: its values are as they were told last
    deliver(place, full(line(1, balance="5.00"), number=3))
    assert place.rows("id, branch, balance::text") == [(1, "North", "5.00")]
    text = dataclasses.replace(COLUMNS[6], type="string")
    other = dataclasses.replace(SCHEMA, columns=(*COLUMNS[:6], text, *COLUMNS[7:]))
    refused(
        place, delivery(parcel("a.csv", content([line(1)]), 1, schema=other), number=4), "schema"
    )
    key = dataclasses.replace(SCHEMA, key=("id", "entity"))
    refused(place, delivery(parcel("a.csv", content([line(1)]), 1, schema=key), number=4), "schema")


def test_a_feed_without_a_key_is_told_whole(place):
    plain = dataclasses.replace(SCHEMA, key=())
    one = parcel("a.csv", content([line(1), line(1)]), 2, schema=plain)
    deliver(place, delivery(one), delivery(one, number=2))
    assert ids(place) == [1, 1]
    changes = dataclasses.replace(DELTA, key=())
    two = parcel("a.csv", content([gone(1)], changes), 1, schema=changes, mode="incremental")
    refused(place, delivery(two, number=3), "mode")


def test_another_delivery_at_work_is_waited_for_and_then_tried_later(place, monkeypatch):
    monkeypatch.setattr(
        "odoo.addons.finance_reporting_export.destinations.postgres.LOCK_SECONDS", 1
    )
    with place.connected() as other:
        other.cursor().execute(
            "SELECT pg_advisory_xact_lock(hashtext('finance_export'), hashtext('warehouse'))"
        )
        refused(place, full(line(1)), "55P03", Transient)
    deliver(place, full(line(1)))


def test_somebody_without_rights(place):
    guest = f"{place.database}_guest"
    place.sql(f'CREATE ROLE "{guest}" LOGIN')
    try:
        with pytest.raises(Rejected) as caught:
            place.open(user=guest).ping()
        assert caught.value.code == "rights"
        refused(place, full(line(1)), "42501", user=guest)
    finally:
        place.sql(f'DROP ROLE "{guest}"')


def test_the_statements_of_the_documentation(place):
    """They run, and add up to what the manifest says."""
    page = (Path(__file__).parents[2] / "docs" / "destinations.md").read_text()
    statements = page.partition("```sql\n")[2].partition("```")[0].replace("odoo.", "warehouse.")
    totals = {
        "columns": [],
        "rows": [
            ["f", "Alder", "2026-03", "4000", "EUR", 1, debit, "0"] for debit in ("1.10", "2.20")
        ],
    }
    manifest = json.dumps({"finance:by": "schedule", "finance:totals": totals}).encode()
    one = made.small("datapackage.json", manifest)
    deliver(place, dataclasses.replace(full(line(1)), manifest=one))
    first, second = [part for part in statements.split(";") if part.strip()]
    ((number, _run, _when, by),) = place.sql(first)
    assert (number, by) == (1, "schedule")
    assert place.sql(second) == [("Alder", "2026-03", Decimal("3.30"))]
