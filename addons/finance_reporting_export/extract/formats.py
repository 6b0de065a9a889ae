"""The formats: how a query is copied, and what becomes of the copied bytes.

Every type has one writing, the same in all formats: amounts as decimal digits, never through a
float (strings in JSON), dates as 2026-03-31, times as 2026-03-31T08:15:00Z, booleans as true and
false. An empty value is nothing in CSV; an empty text is "".
"""

from contextlib import contextmanager

from .parquet import parquet
from .sinks import compressing, gathering

# What a choice on screen means: (format, compression).
CHOICES = {
    "csv": ("csv", ""),
    "csv.gz": ("csv", "gzip"),
    "csv.zst": ("csv", "zstd"),
    "jsonl": ("jsonl", ""),
    "jsonl.gz": ("jsonl", "gzip"),
    "parquet": ("parquet", ""),
}

# One column whose quote and delimiter JSON never contains: so that no byte of it is touched.
JSONL = "COPY ({}) TO STDOUT (FORMAT csv, QUOTE E'\\x01', ESCAPE E'\\x01', DELIMITER E'\\x02')"


@contextmanager
def opened(target, schema, format, compression, metadata):
    """Give a function ``copy(cursor, query)``; at the end ``target`` has the whole file."""
    if format == "parquet":
        with parquet(target, schema, metadata) as stream:
            yield lambda cursor, query: _csv(cursor, query, stream, header=False)
            stream.flush()
        return
    with _stream(target, compression) as stream:
        if format == "csv":
            yield _CSV(stream)
        elif format == "jsonl":
            yield lambda cursor, query: _jsonl(cursor, query, stream, schema)
        else:
            raise ValueError(f"There is no format {format!r}.")


@contextmanager
def _stream(target, compression):
    raw = compressing(target, compression) if compression else target
    stream = gathering(raw)
    yield stream
    stream.detach()
    if raw is not target:
        raw.close()


class _CSV:
    """RFC 4180 in UTF-8 with one header line, whatever the number of queries."""

    def __init__(self, stream):
        self._stream = stream
        self._header = True

    def __call__(self, cursor, query):
        _csv(cursor, query, self._stream, self._header)
        self._header = False


def _csv(cursor, query, stream, header):
    options = "FORMAT csv, HEADER true" if header else "FORMAT csv"
    cursor.copy_expert(f"COPY ({query}) TO STDOUT ({options})", stream)


# How JSON says what CSV has as text.
IN_JSON = {
    "decimal": '"{0}"::text AS "{0}"',
    "json": '"{0}"::jsonb AS "{0}"',
    "boolean": '"{0}"::boolean AS "{0}"',
}


def _jsonl(cursor, query, stream, schema):
    names = ", ".join(
        IN_JSON.get(column.type, '"{0}"').format(column.name) for column in schema.columns
    )
    rows = f"SELECT row_to_json(line)::text FROM (SELECT {names} FROM ({query}) AS found) AS line"
    cursor.copy_expert(JSONL.format(rows), stream)
