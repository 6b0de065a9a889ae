"""Lineage: OpenLineage run events (openlineage.io, specification 2-0-2), one JSON object a line.

A run is one START and one COMPLETE or FAIL. Inputs are the feeds as Odoo has them, outputs the
files; the column lineage leads from each column to the fields that it is made of.
"""

import json
from decimal import Decimal

from . import values

NAME = "openlineage.jsonl"
PRODUCER = "urn:finance-connect:reporting-export:19.0"
SPEC = "https://openlineage.io/spec"
EVENT = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
# Facet → where its contract stands.
FACETS = {
    "schema": "facets/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "columnLineage": "facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet",
    "dataQualityMetrics": "facets/1-0-1/DataQualityMetricsDatasetFacet.json"
    "#/$defs/DataQualityMetricsDatasetFacet",
    "outputStatistics": "facets/1-0-2/OutputStatisticsOutputDatasetFacet.json"
    "#/$defs/OutputStatisticsOutputDatasetFacet",
    "errorMessage": "facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet",
    "jobType": "facets/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
}
BATCH = "urn:finance-connect:facet:batch:1"


def write(batch, ended, error="") -> bytes:
    """Return the events of a `Batch` as JSON Lines; see `events`."""
    found = (json.dumps(event, ensure_ascii=False) for event in events(batch, ended, error))
    return "".join(f"{line}\n" for line in found).encode()


def events(batch, ended, error="") -> list:
    """Return START and, at ``ended`` (UTC), COMPLETE, or FAIL with the words of ``error``."""
    last = _event(batch, "FAIL" if error else "COMPLETE", ended)
    if error:
        words = {"message": error, "programmingLanguage": "Python"}
        last["run"]["facets"]["errorMessage"] = _facet("errorMessage", **words)
    else:
        last["outputs"] = [_output(batch, file) for file in batch.files]
    return [_event(batch, "START", batch.started), last]


def _event(batch, kind, time):
    feeds = {file.feed: file.schema for file in batch.files}
    kinds = {"processingType": "BATCH", "integration": "ODOO", "jobType": "EXPORT"}
    return {
        "eventType": kind,
        "eventTime": values.moment(time),
        "producer": PRODUCER,
        "schemaURL": EVENT,
        "run": {"runId": batch.run, "facets": {"finance_batch": _batch(batch)}},
        "job": {
            "namespace": _odoo(batch),
            "name": f"export.{batch.export}",
            "facets": {"jobType": _facet("jobType", **kinds)},
        },
        "inputs": [
            {"namespace": _odoo(batch), "name": feed, "facets": {"schema": _schema(schema)}}
            for feed, schema in feeds.items()
        ],
        "outputs": [],
    }


def _batch(batch):
    """Our own facet of the run: what an auditor asks first."""
    names = ("number", "snapshot", "since", "by", "why", "companies", "final")
    found = {name: values.plain(getattr(batch, name)) for name in names}
    return {"_producer": PRODUCER, "_schemaURL": BATCH} | found


def _output(batch, file):
    return {
        "namespace": f"export://{batch.database}",
        "name": f"{batch.export}/{batch.number:06d}/{file.name}",
        "facets": {
            "schema": _schema(file.schema),
            "columnLineage": _facet("columnLineage", fields=_lineage(batch, file)),
            "dataQualityMetrics": _facet(
                "dataQualityMetrics",
                rowCount=file.rows,
                bytes=file.bytes,
                fileCount=1,
                columnMetrics=_metrics(batch, file),
            ),
        },
        "outputFacets": {
            "outputStatistics": _facet(
                "outputStatistics", rowCount=file.rows, size=file.bytes, fileCount=1
            )
        },
    }


def _schema(schema):
    rows = [
        {"name": one.name, "type": one.type, "description": one.meaning} for one in schema.columns
    ]
    return _facet("schema", fields=rows)


def _lineage(batch, file):
    """Return which fields each column is made of; how, as far as a code of a mapping is put in."""
    found = {}
    for column in file.schema.columns:
        how = {"type": "DIRECT", "subtype": "IDENTITY", "description": "", "masking": False}
        if column.mapping:
            how |= {"subtype": "TRANSFORMATION", "description": f"mapping {column.mapping}"}
        elif column.source.startswith("="):
            how |= {"subtype": "TRANSFORMATION", "description": "expression"}
        found[column.name] = {
            "inputFields": [
                {
                    "namespace": _odoo(batch),
                    "name": file.feed,
                    "field": path,
                    "transformations": [how],
                }
                for path in column.paths
            ]
        }
    return found


def _metrics(batch, file):
    """Return the sums of a file's amounts, where they are numbers that JSON carries exactly."""
    rows = [
        total
        for total in batch.totals
        if total.feed == file.feed
        and (not file.company or total.company == file.company)
        and (not file.period or total.period == file.period)
    ]
    if not rows or file.mode == "incremental":
        return {}
    names = {column.name for column in file.schema.columns} & {"debit", "credit"}
    sums = {name: sum(getattr(row, name) for row in rows) for name in sorted(names)}
    return {name: {"sum": float(value)} for name, value in sums.items() if _is_exact(value)}


def _is_exact(value):
    return Decimal(repr(float(value))) == value


def _facet(name, **content):
    return {"_producer": PRODUCER, "_schemaURL": f"{SPEC}/{FACETS[name]}", **content}


def _odoo(batch):
    return f"odoo://{batch.database}"
