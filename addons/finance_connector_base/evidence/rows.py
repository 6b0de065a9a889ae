"""The rows that evidence consists of, and the one text that stands for an event.

The canonical text of an event is JSON (RFC 8259): the columns in alphabetical order, those that are
NULL left out, no blanks, times as ``2026-03-31T10:11:12.123456Z``, in ``data`` the keys sorted by
code point and every number with the digits that the database holds. Its SHA-256, with a zero byte
in front, is the event's leaf in the tree of its seal.
"""

import hashlib
import json
from json.encoder import encode_basestring as quoted
from typing import NamedTuple

# The system parameters that a verification asks for; no other leaves its place.
UUID = "database.uuid"
WINDOW = "finance_connector.seal_window_minutes"
PARAMETERS = (UUID, WINDOW)

AT = """to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


class Event(NamedTuple):
    """One row of finance_audit_event. at: canonical text; data: JSON text; the rest as stored."""

    at: str | None
    company_id: int | None
    connector_id: int | None
    data: str | None
    id: int
    kind: str | None
    res_id: int | None
    res_model: str | None
    schema_version: int | None
    trace_id: str | None
    user_id: int | None
    seal_id: int | None

    @property
    def line(self) -> bytes:
        """The canonical text in UTF-8: everything but the seal."""
        parts = [
            f'"{name}":{_canonical_text(value) if name == "data" else _plain(value)}'
            for name, value in zip(COLUMNS, self, strict=False)
            if value is not None
        ]
        return _bytes(f"{{{','.join(parts)}}}")

    @property
    def detail(self) -> str | None:
        """The digest of the detail that belongs to the event, None without one."""
        if not self.data or '"detail"' not in self.data:
            return None
        data = _parsed(self.data)
        detail = data.get("detail") if isinstance(data, dict) else None
        return detail if isinstance(detail, str) else None


class Detail(NamedTuple):
    """Personal values and free text of an event.

    sealed: ciphertext of the vault, None when erased; text: what is sealed, where it is at hand.
    """

    event_id: int
    uuid: str | None
    sealed: bytes | None
    is_erased: bool
    text: str | None = None


class Parameter(NamedTuple):
    """One of Odoo's system parameters."""

    key: str
    value: str


# Columns of an event that are sealed, in the order of their names.
COLUMNS = Event._fields[:-1]


def leaf(line) -> bytes:
    """Return the leaf (32 bytes) of an event from its canonical text.

    Source: RFC 6962, section 2.1: SHA-256(0x00 || entry).
    """
    return hashlib.sha256(b"\0" + line).digest()


def with_id(line, event_id) -> bytes:
    """Return the canonical text of the same event under another id."""
    return _bytes(canonical(_parsed(line) | {"id": event_id}))


def at_of(text) -> str:
    """Return the canonical text of a time as PostgreSQL prints it ("2026-03-31 10:11:12.1")."""
    day, _, time = text.partition(" ")
    seconds, _, fraction = time.partition(".")
    return f"{day}T{seconds}.{fraction:0<6}Z"


def text_of(moment) -> str:
    """Return the canonical text of a datetime in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(value) -> str:
    """Return the canonical JSON text of plain values."""
    if isinstance(value, dict):
        items = ",".join(f"{quoted(key)}:{canonical(value[key])}" for key in sorted(value))
        return f"{{{items}}}"
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    return _plain(value)


class _Number(str):
    """Digits as they stand: 1.0 and 1.00 are different facts."""


_JSON = json.JSONDecoder(parse_float=_Number, parse_int=_Number)


def _plain(value):
    if type(value) is int or type(value) is _Number:
        return str(value)
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def _bytes(text):
    # What is no text in the database either must not stop a verification.
    return text.encode("utf-8", "surrogatepass")


def _parsed(text):
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogatepass")
    return _JSON.decode(text)


def _canonical_text(text):
    try:
        return canonical(_parsed(text))
    except (ValueError, RecursionError):
        # Not what the database would hold; it is taken as it stands and will not fit its seal.
        return quoted(text)
