"""The rows of a source, put where they can be asked for: a temporary file, not memory.

Only what a verification asks for is kept: of events the canonical text and its leaf, no other
table's content. The file is deleted when the index is closed.
"""

import sqlite3
import tempfile
from itertools import islice
from pathlib import Path

from .rows import Detail, Event, Parameter, leaf
from .seal import Seal

AT_ONCE = 2000

_SCHEMA = f"""
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE event (id INTEGER, seal INTEGER, at TEXT, kind TEXT, leaf BLOB, line BLOB,
                        detail TEXT);
    CREATE TABLE seal ({", ".join(Seal._fields)});
    CREATE TABLE detail (event INTEGER, uuid TEXT, sealed BLOB, is_erased INTEGER, text TEXT);
    CREATE TABLE parameter (key TEXT, value TEXT);
"""
_ORDER = """
    CREATE INDEX event_id ON event (id);
    CREATE INDEX event_seal ON event (seal, id);
    CREATE INDEX event_detail ON event (detail) WHERE detail IS NOT NULL;
    CREATE INDEX seal_sequence ON seal (sequence);
    CREATE INDEX detail_event ON detail (event);
"""


class Index:
    """Use as a context; then `sql` asks and `seals` yields the chain."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="finance-evidence-")
        self._database = sqlite3.connect(Path(self._folder.name) / "index")
        self._database.executescript(_SCHEMA)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._database.close()
        self._folder.cleanup()

    def load(self, rows):
        """Take in all rows of a source."""
        rows = iter(rows)
        while batch := list(islice(rows, AT_ONCE)):
            for cls, (insert, values) in _INSERTS.items():
                mine = [values(row) for row in batch if type(row) is cls]
                if mine:
                    self._database.executemany(insert, mine)
        self._database.executescript(_ORDER)

    def sql(self, query, *values) -> list:
        """Return the rows of a query."""
        return self._database.execute(query, values).fetchall()

    def each(self, query, *values):
        """Yield the rows of a query."""
        yield from self._database.execute(query, values)

    def seals(self):
        """Yield the seals in the order of their numbers."""
        for row in self.each("SELECT * FROM seal ORDER BY sequence, rowid"):
            seal = Seal(*row)
            yield seal._replace(is_complete=bool(seal.is_complete), members=seal.members or b"")


def _event(event):
    line = event.line
    return event.id, event.seal_id, event.at, event.kind, leaf(line), line, event.detail


def _insert(table, number):
    return f"INSERT INTO {table} VALUES ({', '.join('?' * number)})"


_INSERTS = {
    Event: (_insert("event", 7), _event),
    Seal: (_insert("seal", len(Seal._fields)), tuple),
    Detail: (_insert("detail", 5), tuple),
    Parameter: (_insert("parameter", 2), tuple),
}
