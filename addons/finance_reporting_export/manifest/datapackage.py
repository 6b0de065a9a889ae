"""The manifest: ``datapackage.json`` after Data Package v2 and Table Schema (datapackage.org).

Its standard properties say what the files are and how to read them; ours, whose names begin with
``finance:``, say where they are from and what they must add up to.
"""

from . import PREFIX, values

NAME = "datapackage.json"
PROFILES = "https://datapackage.org/profiles/2.0"
TYPES = {
    "integer": "integer",
    "string": "string",
    "date": "date",
    "datetime": "datetime",
    "decimal": "number",
    "boolean": "boolean",
    "json": "object",
}
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
    if file.format == "csv":
        found["dialect"] = DIALECT
    if file.compression:
        found["compression"] = COMPRESSIONS[file.compression]
    return found


def table_schema(schema, mode="full") -> dict:
    """Return the Table Schema of a `Schema`; rows of an increment that are gone have only the key."""
    found = {
        "$schema": f"{PROFILES}/tableschema.json",
        "fields": [_field(column, schema, mode) for column in schema.columns],
        "missingValues": [""],
    }
    if schema.key:
        found["primaryKey"] = list(schema.key)
    return found


def _field(column, schema, mode):
    told = mode != "incremental" or column.name in (*schema.key, *ALWAYS)
    found = {"name": column.name, "type": TYPES[column.type], "description": column.meaning}
    if column.required and told:
        found["constraints"] = {"required": True}
    own = {"source": column.source, "personal": column.personal, "mapping": column.mapping,
           "scale": column.scale}  # fmt: skip
    return found | {f"{PREFIX}{name}": value for name, value in own.items() if value not in (None, "")}

