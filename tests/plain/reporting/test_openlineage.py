"""Lineage, judged by the classes that OpenLineage generates from its JSON Schema."""

import dataclasses
import json
import types
import typing
from datetime import datetime

import pytest

from odoo.addons.finance_reporting_export.manifest import openlineage

from tests.plain.reporting.batches import DATABASE, LINES, RUN, batch_of, csv_of, file_of

attr = pytest.importorskip("attr", reason="optional: openlineage-python is not installed")
pytest.importorskip("openlineage.client", reason="optional: openlineage-python is not installed")
from openlineage.client import event_v2, facet_v2  # noqa: E402
from openlineage.client.generated import base  # noqa: E402

ENDED = datetime(2026, 4, 1, 2, 5)
JUDGES = {
    "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
    "columnLineage": facet_v2.column_lineage_dataset.ColumnLineageDatasetFacet,
    "dataQualityMetrics": facet_v2.data_quality_metrics_dataset.DataQualityMetricsDatasetFacet,
    "outputStatistics": facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet,
    "jobType": facet_v2.job_type_job.JobTypeJobFacet,
}


class Refused(Exception):
    """What the contract does not let pass."""


def judge(event):
    """Check a run event; raises Refused."""
    known = {"eventType", "eventTime", "producer", "schemaURL", "run", "job", "inputs", "outputs"}
    if set(event) - known:
        raise Refused(f"unknown {set(event) - known}")
    if event.get("schemaURL") != event_v2.RunEvent._get_schema():
        raise Refused("schemaURL")
    made = {name: value for name, value in event.items() if name != "schemaURL"}
    try:
        event_v2.RunEvent(
            eventTime=made["eventTime"],
            producer=made["producer"],
            eventType=event_v2.RunState[made["eventType"]],
            run=event_v2.Run(made["run"]["runId"]),
            job=event_v2.Job(made["job"]["namespace"], made["job"]["name"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise Refused(str(error)) from error
    for holder in (made["run"], made["job"]):
        facets(holder.get("facets", {}))
    for kind, cls, own in (
        ("inputs", base.InputDataset, "inputFacets"),
        ("outputs", base.OutputDataset, "outputFacets"),
    ):
        for dataset in made[kind]:
            same(cls, {name: value for name, value in dataset.items() if "acets" not in name})
            facets(dataset.get("facets", {}))
            facets(dataset.get(own, {}))


def facets(found):
    """Check facets by name; those with our prefix need only what every facet has."""
    for name, value in found.items():
        if not (value.get("_producer") and value.get("_schemaURL")):
            raise Refused(f"{name} has no contract")
        if name.startswith("finance_"):
            continue
        if name not in JUDGES:
            raise Refused(f"{name} is not known")
        if value["_schemaURL"] != JUDGES[name]._get_schema():
            raise Refused(f"{name} is of another version: {JUDGES[name]._get_schema()}")
        same(JUDGES[name], {k: v for k, v in value.items() if not k.startswith("_")})


def same(cls, value):
    """Check that a JSON object is one of the class: every field known, of its type, none missing."""
    if not isinstance(value, dict):
        raise Refused(f"{value!r} is no {cls.__name__}")
    hints = typing.get_type_hints(cls)
    known = {one.name: one for one in attr.fields(cls) if not one.name.startswith("_")}
    if set(value) - set(known):
        raise Refused(f"{cls.__name__} has no {set(value) - set(known)}")
    for name, field in known.items():
        if name in value:
            fits(hints[name], value[name])
        elif field.default is attr.NOTHING:
            raise Refused(f"{cls.__name__}.{name} is missing")


def fits(hint, value):
    """Check a value against a type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is typing.Any:
        return
    if origin in (typing.Union, types.UnionType):
        if value is not None:
            fits(next(one for one in arguments if one is not type(None)), value)
    elif origin is dict:
        if not isinstance(value, dict):
            raise Refused(f"{value!r} is no object")
        for one in value.values():
            fits(arguments[1], one)
    elif origin is list:
        if not isinstance(value, list):
            raise Refused(f"{value!r} is no list")
        for one in value:
            fits(arguments[0], one)
    elif attr.has(hint):
        same(hint, value)
    elif isinstance(value, bool) != (hint is bool) or not isinstance(
        value, (int, float) if hint is float else hint
    ):
        raise Refused(f"{value!r} is no {hint}")


def written(error="", **changes):
    """The events as they are written and read again."""
    batch = dataclasses.replace(batch_of(file_of("items.csv", csv_of(LINES))), **changes)
    lines = openlineage.write(batch, ENDED, error).decode().splitlines()
    return [json.loads(line) for line in lines]


def test_a_run_is_a_start_and_an_end():
    first, last = written()
    for event in (first, last):
        judge(event)
        assert event["run"]["runId"] == RUN
        assert (event["job"]["namespace"], event["job"]["name"]) == (
            f"odoo://{DATABASE}", "export.group"
        )  # fmt: skip
    assert (first["eventType"], last["eventType"]) == ("START", "COMPLETE")
    assert (first["eventTime"], last["eventTime"]) == (
        "2026-04-01T02:00:00Z", "2026-04-01T02:05:00Z"
    )  # fmt: skip
    assert first["outputs"] == []


def test_each_file_says_what_is_in_it_and_where_it_is_from():
    (output,) = written()[1]["outputs"]
    assert output["name"] == "group/000007/items.csv"
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 2
    metrics = output["facets"]["dataQualityMetrics"]
    assert metrics["columnMetrics"] == {"credit": {"sum": 10.5}, "debit": {"sum": 10.5}}
    lineage = output["facets"]["columnLineage"]["fields"]

    def made_of(name):
        return [
            (one["name"], one["field"], one["transformations"][0]["subtype"])
            for one in lineage[name]["inputFields"]
        ]

    assert made_of("debit") == [("journal_items", "debit", "IDENTITY")]
    assert made_of("period") == [("journal_items", "date", "TRANSFORMATION")]
    assert made_of("account_mapped")[0][2] == "TRANSFORMATION"
    (source,) = written()[1]["inputs"]
    assert (source["namespace"], source["name"]) == (f"odoo://{DATABASE}", "journal_items")


def test_a_run_that_failed_says_why():
    _first, last = written(error="Totals differ in 2026-03")
    judge(last)
    assert last["eventType"] == "FAIL" and last["outputs"] == []
    assert last["run"]["facets"]["errorMessage"]["message"] == "Totals differ in 2026-03"


def test_a_sum_that_json_can_not_carry_is_left_out():
    batch = batch_of(file_of("items.csv", csv_of(LINES)))
    huge = dataclasses.replace(batch.totals[0], debit=batch.totals[0].debit + 10**17)
    metrics = written(totals=(huge,))[1]["outputs"][0]["facets"]["dataQualityMetrics"]
    assert metrics["columnMetrics"] == {"credit": {"sum": 0.0}}


SPOILED = {
    "no producer": lambda e: e.pop("producer"),
    "no time": lambda e: e.update(eventTime="2026-04-01"),
    "another kind": lambda e: e.update(eventType="DONE"),
    "no uuid": lambda e: e["run"].update(runId="7"),
    "another word": lambda e: e.update(output=[]),
    "no namespace": lambda e: e["outputs"][0].pop("namespace"),
    "a column without a name": lambda e: schema(e)["fields"][0].pop("name"),
    "rows as text": lambda e: e["outputs"][0]["outputFacets"]["outputStatistics"].update(
        rowCount="2"
    ),
    "sums as text": lambda e: metrics_of(e).update(columnMetrics={"debit": {"sum": "10.50"}}),
    "no lineage of a column": lambda e: lineage_of(e)["debit"].pop("inputFields"),
    "a field without a dataset": lambda e: lineage_of(e)["debit"]["inputFields"][0].pop("name"),
    "a facet without contract": lambda e: schema(e).pop("_schemaURL"),
    "a facet of another version": lambda e: schema(e).update(_schemaURL="https://example.com/1"),
    "a facet that there is not": lambda e: e["outputs"][0]["facets"].update(totals=dict(schema(e))),
}


def schema(event):
    return event["outputs"][0]["facets"]["schema"]


def metrics_of(event):
    return event["outputs"][0]["facets"]["dataQualityMetrics"]


def lineage_of(event):
    return event["outputs"][0]["facets"]["columnLineage"]["fields"]


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_spoiled_is_refused(name):
    event = written()[1]
    judge(event)
    SPOILED[name](event)
    with pytest.raises((Refused, KeyError)):
        judge(event)
