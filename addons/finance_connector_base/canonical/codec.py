"""Canonical values to text and back.

The text is canonical JSON: keys sorted, no blanks, amounts as strings, dates in ISO 8601, fields
that are None left out. Equal values have equal text, so the digest of the text identifies the value
in every process and on every day.
"""

import dataclasses
import hashlib
import json
import types
import typing
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache


def dump(value) -> str:
    """Return the canonical JSON text of a dataclass or of plain JSON values.

    Floats are refused with a TypeError: an amount is a Decimal, and a Decimal is written as it
    stands (``Decimal("1.50")`` is ``"1.50"``).
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def load(cls, text: str):
    """Return the instance of dataclass ``cls`` whose `dump` is ``text`` (the inverse of `dump`).

    ``cls`` may also be None, for plain JSON values.
    """
    value = json.loads(text)
    return value if cls is None else _typed(cls, value)


def digest(value) -> str:
    """Return the SHA-256 of the canonical text, as 64 hexadecimal digits."""
    return hashlib.sha256(dump(value).encode()).hexdigest()


def _plain(value):
    if value is None or isinstance(value, (str, bool, int)) and not isinstance(value, Enum):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {name: _plain(item) for name, item in fields.items() if item is not None}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")


@cache
def _hints(cls):
    return typing.get_type_hints(cls)


_READERS = {
    Decimal: Decimal,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
}


def _typed(hint, value):
    if value is None or hint is typing.Any:
        return value
    if hint in _READERS:
        return _READERS[hint](value)
    if dataclasses.is_dataclass(hint):
        return hint(**{name: _typed(_hints(hint)[name], item) for name, item in value.items()})
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _typed(next(a for a in arguments if a is not type(None)), value)
    if origin is tuple:
        return tuple(_typed(arguments[0], item) for item in value)
    if origin is list:
        return [_typed(arguments[0], item) for item in value]
    if origin is dict:
        return {key: _typed(arguments[1], item) for key, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value
