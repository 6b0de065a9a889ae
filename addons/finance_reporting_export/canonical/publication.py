"""A schema as receivers read it: JSON Schema and Frictionless Table Schema."""

import hashlib
import json

from .schema import Schema

# JSON Schema draft 2020-12: amounts are strings, so that no reader makes floats of them.
JSON_TYPES = {
    "integer": {"type": "integer"},
    "string": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "boolean": {"type": "boolean"},
    "json": {},
}
TABLE_TYPES = {
    "integer": {"type": "integer"},
    "string": {"type": "string"},
    "date": {"type": "date"},
    "datetime": {"type": "datetime"},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean"},
    "json": {"type": "any"},
}


def json_schema(schema: Schema):
    """Return the JSON Schema (draft 2020-12) of one line of JSON Lines."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:finance-connect:feed:{schema.feed}:{schema.version}",
        "title": schema.title,
        "type": "object",
        "properties": {column.name: _property(column) for column in schema.columns},
        "required": list(schema.names),
        "additionalProperties": False,
    }


def _property(column):
    kind = JSON_TYPES.get(column.type) or {}
    if column.type == "decimal":
        kind = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
    if not column.required and "type" in kind:
        kind = kind | {"type": [kind["type"], "null"]}
    return kind | {"description": column.meaning}


def table_schema(schema: Schema):
    """Return the Table Schema of a feed's files (https://datapackage.org/standard/table-schema)."""
    return {
        "fields": [_field(column) for column in schema.columns],
        "primaryKey": list(schema.key),
        "missingValues": [""],
    }


def _field(column):
    field = {"name": column.name, **TABLE_TYPES[column.type], "description": column.meaning}
    if column.required:
        field["constraints"] = {"required": True}
    return field


def digest(schema: Schema):
    """Return the SHA-256 of what a receiver relies on: names, types, scales, order and key."""
    told = [
        schema.feed,
        schema.version,
        list(schema.key),
        [[column.name, column.type, column.scale] for column in schema.columns],
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
