"""Key-value metadata of Parquet files: a file that lost its manifest still says what it is."""

import json

from . import PREFIX, values


def key_values(*, run, export, snapshot, schema, companies, started, by, why, since=None) -> dict:
    """Return {str: str} for a file of a batch; ``schema``: of its feed."""
    found = {
        "run": run,
        "export": export,
        "feed": schema.feed,
        "schema_version": str(schema.version),
        "key": json.dumps(list(schema.key)),
        "snapshot": snapshot,
        "since": since or "",
        "companies": json.dumps(list(companies), ensure_ascii=False),
        "started": values.moment(started),
        "by": by,
        "why": why,
    }
    return {f"{PREFIX}{name}": value for name, value in found.items() if value}
