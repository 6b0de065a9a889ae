"""The manifest, judged by Frictionless; and the files it names, read by DuckDB and pyarrow."""

import gzip
import io
import json
from decimal import Decimal

import pytest

from odoo.addons.finance_reporting_export.manifest import datapackage, parquet

from tests.plain.reporting.batches import (
    DELTA,
    LINES,
    RUN,
    SCHEMA,
    batch_of,
    csv_of,
    file_of,
    table_of,
    write,
)

pytest.importorskip("frictionless", reason="optional: frictionless is not installed")
from frictionless import Package, validate  # noqa: E402


def jsonl():
    """The same rows as JSON Lines."""
    rows = [
        {"id": 1, "entity": "Alder", "period": "2026-03", "label": 'two\nlines, "quoted"',
         "effective_date": "2026-03-02", "changed": "2026-03-31T08:15:00Z", "debit": "10.50",
         "credit": "0.00", "posted": True, "analytic": {"1": 100.0}, "account_mapped": "4000"},
    ]  # fmt: skip
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def deliver(folder, *, data=None, change=None):
    """Write files and manifest; return the path of the manifest. change(descriptor) spoils it."""
    plain = csv_of(LINES) if data is None else data
    packed = gzip.compress(csv_of(LINES[:1]), mtime=0)
    gone = csv_of([f"U,{LINES[0]}", "D,9" + "," * 10], DELTA)
    files = {
        "items.csv": file_of("items.csv", csv_of(LINES)),
        "items-2.csv.gz": file_of("items-2.csv.gz", packed, compression="gzip", rows=1),
        "items-3.csv": file_of("items-3.csv", gone, mode="incremental", deletions=1),
    }
    write(folder, {"items.csv": plain, "items-2.csv.gz": packed, "items-3.csv": gone})
    found = datapackage.descriptor(batch_of(*files.values()))
    if change:
        change(found)
    path = folder / datapackage.NAME
    path.write_text(json.dumps(found))
    return str(path)


def errors(path):
    """What Frictionless finds."""
    return sorted({row[-1] for row in validate(path).flatten(["type"])})


def test_frictionless_accepts_the_whole_delivery(tmp_path):
    report = validate(deliver(tmp_path))
    assert report.valid, report.flatten(["name", "type", "note"])
    assert [task.stats["rows"] for task in report.tasks] == [2, 1, 2]


SPOILED = {
    "an amount": ({"data": csv_of(LINES).replace(b"10.50,0.00", b"10.51,0.00")}, "hash-count"),
    "a row is missing": ({"data": csv_of(LINES[:1])}, "byte-count"),
    "a text for an amount": ({"data": csv_of(LINES).replace(b",10.50,false", b",ten,false")},
                             "type-error"),
    "a key twice": ({"data": csv_of([LINES[0], LINES[0]])}, "primary-key"),
    "a column is missing": ({"data": b"id,entity\n1,Alder\n"}, "missing-label"),
    "no date": ({"data": csv_of([LINES[0], LINES[1].replace("2026-03-03", "")])},
                "constraint-error"),
    "another digest": ({"change": lambda d: d["resources"][0].update(hash=f"sha256:{'0' * 64}")},
                       "hash-count"),
    "a file that is not there": ({"change": lambda d: d["resources"][0].update(path="no.csv")},
                                 "scheme-error"),
    "a type that there is not": (
        {"change": lambda d: d["resources"][0]["schema"]["fields"][0].update(type="money")},
        "field-error",
    ),
    "no resources": ({"change": lambda d: d.pop("resources")}, "package-error"),
    "a file outside": ({"change": lambda d: d["resources"][0].update(path="../items.csv")}, "error"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILED)
def test_frictionless_refuses_what_is_spoiled(tmp_path, name):
    how, kind = SPOILED[name]
    found = errors(deliver(tmp_path, **how))
    assert any(kind in one for one in found), found


def test_json_lines_and_parquet_are_described(tmp_path):
    """What Frictionless reads only with more packages is judged by its descriptor."""
    files = (
        file_of("items.jsonl", jsonl(), format="jsonl", rows=1),
        file_of(
            "items.jsonl.gz", gzip.compress(jsonl()), format="jsonl", compression="gzip", rows=1
        ),
        file_of("items.parquet", b"PAR1", format="parquet"),
        file_of("items.csv.zst", b"zstd", compression="zstd"),
    )
    found = datapackage.descriptor(batch_of(*files))
    Package.from_descriptor(found)
    assert [one["format"] for one in found["resources"]] == ["jsonl", "jsonl", "parquet", "csv"]
    assert "dialect" not in found["resources"][0] and "encoding" not in found["resources"][2]
    assert found["resources"][3]["compression"] == "zst"
    for resource in found["resources"]:
        assert ("finance:json_schema" in resource) == (resource["format"] == "jsonl")


def test_the_json_schema_of_a_line_lets_a_row_be_gone(tmp_path):
    jsonschema = pytest.importorskip("jsonschema", reason="optional: jsonschema is not installed")
    schema = file_of("items.jsonl", jsonl(), format="jsonl", rows=1).schema
    line = json.loads(jsonl())
    gone = {name: value if name in schema.key else None for name, value in line.items()}
    whole = jsonschema.Draft202012Validator(datapackage.line_schema(schema))
    whole.validate(line)
    assert not whole.is_valid(gone)
    part = jsonschema.Draft202012Validator(datapackage.line_schema(schema, "incremental"))
    part.validate(line)
    part.validate(gone)
    assert not part.is_valid(gone | dict.fromkeys(schema.key))
    assert not part.is_valid(gone | {"more": 1})


def test_the_manifest_says_where_the_batch_is_from():
    found = json.loads(datapackage.write(batch_of(file_of("items.csv", csv_of(LINES)))))
    assert (found["id"], found["name"], found["version"]) == (RUN, "group-000007", "7")
    assert found["created"] == "2026-04-01T02:00:00Z"
    for name, value in {
        "snapshot": "812:815:813", "since": "700:700:", "by": "schedule", "why": "Nightly",
        "companies": ["Alder", "Birch"], "final": ["2026-02"], "complete": False,
        "lock_dates": {"Alder": "2026-02-28", "Birch": None},
    }.items():  # fmt: skip
        assert found[f"finance:{name}"] == value
    assert found["finance:rates"] == [
        {"currency": "USD", "to": "EUR", "kind": "closing", "day": "2026-03-31", "rate": "0.9213",
         "source": "ECB"}
    ]  # fmt: skip
    assert found["finance:mappings"][0]["version"] == 4
    assert found["finance:findings"][0]["amount"] == "12.00"
    totals = found["finance:totals"]
    assert dict(zip(totals["columns"], totals["rows"][1], strict=True)) == {
        "feed": "journal_items", "company": "Alder", "period": "2026-03", "account": "1000",
        "currency": "EUR", "rows": 1, "debit": "0", "credit": "10.50", "amount_currency": "-10.50",
        "digest": "",
    }  # fmt: skip


def test_the_same_batch_is_the_same_manifest():
    assert datapackage.write(batch_of()) == datapackage.write(batch_of())


def test_of_a_row_that_is_gone_only_the_key_is_required():
    required = {
        field["name"]
        for field in datapackage.table_schema(DELTA, "incremental")["fields"]
        if field.get("constraints")
    }
    assert required == {"operation", "id"}


# === READERS === #


def totals(found):
    """(debit, credit) of a manifest."""
    columns = found["finance:totals"]["columns"]
    rows = [dict(zip(columns, row, strict=True)) for row in found["finance:totals"]["rows"]]
    return tuple(sum(Decimal(row[name]) for row in rows) for name in ("debit", "credit"))


def test_duckdb_finds_the_totals_of_the_manifest(tmp_path):
    """By what the manifest says of the file, and nothing else."""
    duckdb = pytest.importorskip("duckdb", reason="optional: duckdb is not installed")
    found = json.loads(open(deliver(tmp_path)).read())
    item = found["resources"][0]
    kinds = {"integer": "BIGINT", "number": "DECIMAL(38,2)", "string": "VARCHAR", "date": "DATE",
             "datetime": "TIMESTAMPTZ", "boolean": "BOOLEAN", "any": "JSON"}  # fmt: skip
    columns = {one["name"]: kinds[one["type"]] for one in item["schema"]["fields"]}
    query = (
        "SELECT count(*), sum(debit), sum(credit), any_value(label) FILTER (id = 1)"
        f" FROM read_csv(?, columns = {columns}, header = true, quote = '\"', escape = '\"')"
    )
    path = str(tmp_path / item["path"])
    rows, debit, credit, label = duckdb.execute(query, [path]).fetchone()
    assert (rows, (debit, credit)) == (item["finance:rows"], totals(found))
    assert label == 'two\nlines, "quoted"'


def test_parquet_says_what_it_is_and_adds_up(tmp_path):
    duckdb = pytest.importorskip("duckdb", reason="optional: duckdb is not installed")
    from pyarrow import parquet as pq

    batch = batch_of()
    metadata = parquet.key_values(
        run=batch.run, export=batch.export, snapshot=batch.snapshot, schema=SCHEMA,
        companies=batch.companies, started=batch.started, by=batch.by, why=batch.why,
        since=batch.since,
    )  # fmt: skip
    table = table_of(LINES).replace_schema_metadata(metadata)
    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd")
    (tmp_path / "items.parquet").write_bytes(target.getvalue())
    kept = pq.read_schema(tmp_path / "items.parquet").metadata
    assert {name.decode() for name in kept} >= set(metadata)
    assert kept[b"finance:run"].decode() == RUN
    assert json.loads(kept[b"finance:companies"]) == ["Alder", "Birch"]
    found = duckdb.execute(
        "SELECT sum(debit), sum(credit) FROM read_parquet(?)", [str(tmp_path / "items.parquet")]
    ).fetchone()
    assert found == totals(datapackage.descriptor(batch))
    told = duckdb.execute(
        "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = 'finance:snapshot'",
        [str(tmp_path / "items.parquet")],
    ).fetchone()
    assert told == (batch.snapshot,)
