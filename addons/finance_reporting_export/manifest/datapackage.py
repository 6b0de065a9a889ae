"""The manifest: ``datapackage.json`` after Data Package v2 and Table Schema (datapackage.org).

Its standard properties say what the files are and how to read them; ours, whose names begin with
``finance:``, say where they are from and what they must add up to.
"""

from ..canonical import publication
from . import PREFIX, values

NAME = "datapackage.json"
PROFILES = "https://datapackage.org/profiles/2.0"
MEDIA = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}
COMPRESSIONS = {"gzip": "gz", "zstd": "zst"}
DIALECT = {
    "$schema": f"{PROFILES}/tabledialect.json",
    "header": True,
    "delimiter": ",",
    "quoteChar": '"',
    "doubleQuote": True,
    "lineTerminator": "\n",
}
# Filled in every row of an increment, also in one that says that a row is gone.
ALWAYS = ("operation",)
# What else is told of a column.
OF_COLUMNS = ("source", "personal", "mapping", "scale")
_OWN = (
    "run", "number", "database", "snapshot", "since", "by", "why", "companies", "lock_dates", "final",
)  # fmt: skip


def write(batch) -> bytes:
    """Return the manifest of a `Batch`."""
    return values.dump(descriptor(batch))


def descriptor(batch) -> dict:
    """Return the manifest as JSON values."""
    own = {f"{PREFIX}{name}": values.plain(getattr(batch, name)) for name in _OWN}
    return {
        "$schema": f"{PROFILES}/datapackage.json",
        "name": f"{batch.export}-{batch.number:06d}",
        "id": batch.run,
        "title": f"{batch.export}, batch {batch.number}",
        "version": str(batch.number),
        "created": values.moment(batch.started),
        **{name: value for name, value in own.items() if value not in (None, "", [], {})},
        f"{PREFIX}complete": not batch.findings,
        f"{PREFIX}totals": values.table(batch.totals),
        f"{PREFIX}rates": [values.facts(rate) for rate in batch.rates],
        f"{PREFIX}mappings": [values.facts(version) for version in batch.mappings],
        f"{PREFIX}findings": [values.facts(finding) for finding in batch.findings],
        "resources": [resource(file) for file in batch.files],
    }


def resource(file) -> dict:
    """Return the Data Resource of a `batch.File`."""
    own = {
        "feed": file.feed, "schema_version": file.schema.version, "mode": file.mode,
        "rows": file.rows, "deletions": file.deletions, "company": file.company,
        "period": file.period,
    }  # fmt: skip
    found = {
        "$schema": f"{PROFILES}/dataresource.json",
        "name": file.name.lower(),
        "type": "table",
        "path": file.name,
        "title": file.schema.title,
        "format": file.format,
        "mediatype": MEDIA[file.format],
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
        "schema": table_schema(file.schema, file.mode),
        **{f"{PREFIX}{name}": value for name, value in own.items() if value not in (None, "")},
    }
    if file.format == "parquet":
        return found
    found["encoding"] = "utf-8"
    if file.format == "jsonl":
        found[f"{PREFIX}json_schema"] = line_schema(file.schema, file.mode)
    if file.format == "csv":
        found["dialect"] = DIALECT
    if file.compression:
        found["compression"] = COMPRESSIONS[file.compression]
    return found


def line_schema(schema, mode="full") -> dict:
    """Return the JSON Schema of one line; of an increment only the key is always there."""
    found = publication.json_schema(schema)
    if mode != "incremental":
        return found
    always = (*schema.key, *ALWAYS)
    for name, kind in found["properties"].items():
        if name not in always and isinstance(kind.get("type"), str):
            kind["type"] = [kind["type"], "null"]
    return found


def table_schema(schema, mode="full") -> dict:
    """Return the Table Schema of a `Schema`; rows of an increment that are gone have only the key."""
    found = publication.table_schema(schema)
    always = (*schema.key, *ALWAYS)
    for field, column in zip(found["fields"], schema.columns, strict=True):
        if mode == "incremental" and column.name not in always:
            field.pop("constraints", None)
        own = {name: getattr(column, name) for name in OF_COLUMNS}
        field |= {f"{PREFIX}{name}": one for name, one in own.items() if one not in (None, "")}
    if not schema.key:
        found.pop("primaryKey")
    return {"$schema": f"{PROFILES}/tableschema.json"} | found
