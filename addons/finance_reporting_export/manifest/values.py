"""How facts of a batch are written in JSON: amounts as strings, moments in UTC with a Z."""

import json
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal


def plain(value):
    """Return a value of a batch as JSON has it."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def moment(value) -> str:
    """Return a moment, UTC with or without saying so, as RFC 3339.

    >>> moment(datetime(2026, 3, 31, 8, 15))
    '2026-03-31T08:15:00Z'
    """
    value = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return f"{value.replace(microsecond=0).isoformat()}Z"


def facts(record) -> dict:
    """Return the fields of a dataclass that have a value."""
    found = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: plain(value) for name, value in found.items() if value not in (None, "", ())}


def table(records) -> dict:
    """Return many dataclasses of one kind as {"columns": […], "rows": [[…], …]}."""
    if not records:
        return {"columns": [], "rows": []}
    names = [field.name for field in fields(records[0])]
    return {
        "columns": names,
        "rows": [[plain(getattr(record, name)) for name in names] for record in records],
    }


def dump(value, indent=2) -> bytes:
    """Return JSON text in UTF-8; the same value is the same text."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    return f"{text}\n".encode()
