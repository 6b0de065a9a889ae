"""Where the rows of evidence are read from: a database, or a dump of one.

A source has ``label`` (what it is, in words), ``now`` (canonical text of the time it shows, None
for the newest time in it) and ``rows()``, which yields `Event`, `Seal`, `Detail` and `Parameter`
in any order.
"""

import contextlib
import gzip
import io
import re
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from .rows import PARAMETERS, UUID, Detail, Event, Parameter, at_of, text_of
from .seal import Seal
from .sealing import EVENT_COLUMNS, SEAL_COLUMNS, seal_of

DUMP_MEMBER = "dump.sql"
TABLES = ("finance_audit_event", "finance_audit_seal", "finance_audit_detail")
PARAMETER_TABLE = "ir_config_parameter"
ROWS_AT_ONCE = 5000

_COPY = re.compile(r'COPY (?:"?\w+"?\.)?(\w+) \((.*)\) FROM stdin;')
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Unusable(Exception):
    """What was given can't be checked; the words say why, and what to give instead."""


# === DATABASE === #


class DatabaseSource:
    """A database as one transaction sees it. connection: of psycopg2, REPEATABLE READ."""

    def __init__(self, connection):
        self._connection = connection
        self.label = f"database {connection.info.dbname}"
        self.now = text_of(datetime.now(UTC))

    def rows(self):
        """Yield all rows, a few thousand in memory at a time."""
        parameters = f"SELECT key, value FROM {PARAMETER_TABLE} WHERE key IN %s"
        for row in self._select(parameters, PARAMETERS):
            yield Parameter(*row)
        if not self._has("finance_audit_seal"):
            raise Unusable(f"The {self.label} has no seals: Finance Connect is not in it.")
        for row in self._select(f"SELECT {SEAL_COLUMNS} FROM finance_audit_seal"):
            yield seal_of(row)
        for row in self._select(f"SELECT {EVENT_COLUMNS} FROM finance_audit_event"):
            yield Event(*row)
        if self._has("finance_audit_detail"):
            columns = "event_id, uuid, content_sealed, erased_at IS NOT NULL"
            for row in self._select(f"SELECT {columns} FROM finance_audit_detail"):
                event_id, uuid, sealed, is_erased = row
                yield Detail(event_id, uuid, bytes(sealed) if sealed else None, is_erased)

    def identity(self) -> tuple:
        """Return (uuid, number in its server, which a copy doesn't share); ends the transaction."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT value FROM ir_config_parameter WHERE key = %s), oid::text"
                "  FROM pg_database WHERE datname = current_database()", [UUID],
            )  # fmt: skip
            identity = cursor.fetchone()
        self._connection.rollback()
        return identity

    def _has(self, table):
        return next(self._select(f"SELECT to_regclass('{table}') IS NOT NULL"))[0]

    def _select(self, query, *values):
        # A cursor of the server's: nobody holds a million rows.
        with self._connection.cursor(name="finance_evidence") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(query, values or None)
            yield from cursor


# === DUMPS === #


class DumpSource:
    """A dump with COPY blocks. opened: a function that returns a context manager of its lines."""

    now = None

    def __init__(self, label, opened):
        self.label = label
        self._opened = opened

    def rows(self):
        """Yield all rows; nothing else of the dump is kept."""
        found = set()
        with self._opened() as lines:
            for line in lines:
                head = _COPY.match(line) if line.startswith("COPY ") else None
                if not head or head[1] not in _READERS:
                    continue
                found.add(head[1])
                yield from self._block(head, lines)
        for table in (*TABLES[:2], PARAMETER_TABLE):
            if table not in found:
                raise Unusable(
                    f"The {self.label} has no COPY block of {table}. Give a complete dump of a "
                    "database with Finance Connect, made by pg_dump without --inserts."
                )

    def _block(self, head, lines):
        columns = [name.strip(' "') for name in head[2].split(",")]
        reader = _READERS[head[1]]
        for line in lines:
            line = line.rstrip("\n")
            if line == r"\.":
                return
            try:
                row = reader(dict(zip(columns, map(_field, line.split("\t")), strict=True)))
            except (ValueError, TypeError, KeyError) as error:
                raise Unusable(
                    f"The {self.label} has a row of {head[1]} that can't be read ({error!r}): "
                    f"{line[:80]}"
                ) from None
            if head[1] != PARAMETER_TABLE or row.key in PARAMETERS:
                yield row
        raise Unusable(f"The {self.label} ends in the middle of {head[1]}.")


def dump_of(path) -> DumpSource:
    """Return the source for a file or folder of pg_dump (plain, plain .gz, custom, directory) or
    for a backup of Odoo (zip). Raises `Unusable`."""
    path = Path(path)
    if path.is_dir() or _begins(path, b"PGDMP"):
        return DumpSource(f"dump {path.name}", lambda: _restored(path))
    if _begins(path, b"PK"):
        return DumpSource(f"backup {path.name}", lambda: _zipped(path))
    opener = gzip.open if _begins(path, b"\x1f\x8b") else open
    return DumpSource(f"dump {path.name}", lambda: _text(opener(path, "rb")))


def _begins(path, magic):
    try:
        with open(path, "rb") as file:
            return file.read(len(magic)) == magic
    except OSError as error:
        raise Unusable(f"{path} can't be read: {error.strerror}.") from None


def _text(file):
    return io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="\n")


@contextlib.contextmanager
def _zipped(path):
    with zipfile.ZipFile(path) as archive, archive.open(DUMP_MEMBER) as file, _text(file) as lines:
        yield lines


@contextlib.contextmanager
def _restored(path):
    program = shutil.which("pg_restore")
    if not program:
        raise Unusable(
            f"{path.name} is in PostgreSQL's own format and pg_restore is not here. Install "
            "PostgreSQL's client programs, or give a plain dump."
        )
    tables = [word for table in (*TABLES, PARAMETER_TABLE) for word in ("--table", table)]
    command = [program, "--data-only", *tables, "--file=-", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        with _text(running.stdout) as lines:
            yield lines
        words = running.stderr.read().decode(errors="replace").strip()
    if running.returncode:
        raise Unusable(f"pg_restore can't read {path.name}: {words}")


def _field(text):
    if text == r"\N":
        return None
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), text)


def _int(text):
    return None if text is None else int(text)


def _time(text):
    return None if text is None else at_of(text)


def _bytes(text):
    return None if text is None else bytes.fromhex(text.removeprefix(r"\x"))


def _flag(text):
    return text == "t"


def _reader(cls, converters):
    """A function from a dict of texts to a row of ``cls``; other columns are left aside."""

    def read(texts):
        return cls(*(convert(texts[name]) for name, convert in converters.items()))

    return read


def _as_it_is(text):
    return text


def _converters(cls, kinds):
    return {name: kinds.get(name, _as_it_is) for name in cls._fields}


_NUMBERS = (
    "id company_id connector_id res_id schema_version user_id seal_id"
    " sequence version count first_event_id last_event_id window_seconds"
).split()
_KINDS = dict.fromkeys(_NUMBERS, _int) | {"at": _time, "members": _bytes, "is_complete": _flag}
_READERS = {
    "finance_audit_event": _reader(Event, _converters(Event, _KINDS)),
    "finance_audit_seal": _reader(Seal, _converters(Seal, _KINDS)),
    "finance_audit_detail": _reader(
        Detail,
        {"event_id": _int, "uuid": _as_it_is, "content_sealed": _bytes, "erased_at": bool},
    ),
    PARAMETER_TABLE: _reader(Parameter, {"key": _as_it_is, "value": _as_it_is}),
}
