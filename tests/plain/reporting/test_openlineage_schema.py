"""Lineage, judged by OpenLineage's published JSON Schema: each event and facet by the one it names.

The schemas are not part of this repository: ``FINANCE_SPECS`` (by default ``../shared/specs``) has
them in ``openlineage``, as openlineage.io publishes them.
"""

import json
import os
from pathlib import Path

import pytest

from tests.plain.reporting.test_openlineage import SPOILED, written

jsonschema = pytest.importorskip("jsonschema", reason="optional: jsonschema is not installed")
referencing = pytest.importorskip("referencing", reason="optional: jsonschema is not installed")

ROOT = Path(__file__).parents[3]
SPECS = Path(os.environ.get("FINANCE_SPECS") or ROOT.parent / "shared" / "specs") / "openlineage"
# What only the client's own classes refuse: the schemas let further properties pass.
ONLY_BY_CLASSES = {"another word", "a facet of another version", "a facet that there is not"}


@pytest.fixture(scope="module")
def judge():
    """Check an event, and each of its facets by the schema that it names; skips where one lacks."""
    found = [json.loads(path.read_text()) for path in sorted(SPECS.rglob("*.json"))]
    resources = [(one["$id"], referencing.Resource.from_contents(one)) for one in found]
    registry = referencing.Registry().with_resources(resources)
    known = {name for name, _resource in resources}

    def check(event):
        for value in (event, *_facets(event)):
            url = value.get("schemaURL") or value["_schemaURL"]
            if url.startswith("urn:"):
                continue
            if url.partition("#")[0] not in known:
                pytest.skip(f"optional: {url.partition('#')[0]} is not among the specifications")
            jsonschema.Draft202012Validator(
                {"$ref": url},
                registry=registry,
                format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
            ).validate(value)

    return check


def _facets(event):
    """Return every facet of an event."""
    holders = [event["run"].get("facets"), event["job"].get("facets")]
    for dataset in (*event["inputs"], *event["outputs"]):
        holders += [dataset.get(name) for name in ("facets", "inputFacets", "outputFacets")]
    return [facet for holder in holders for facet in (holder or {}).values()]


@pytest.mark.parametrize("error", ["", "Totals differ in 2026-03"])
def test_every_event_is_what_the_schema_says(judge, error):
    for event in written(error=error):
        judge(event)


@pytest.mark.parametrize("name", sorted(set(SPOILED) - ONLY_BY_CLASSES))
def test_what_is_spoiled_is_refused(judge, name):
    event = written()[1]
    judge(event)
    SPOILED[name](event)
    with pytest.raises((jsonschema.ValidationError, KeyError)):
        judge(event)
