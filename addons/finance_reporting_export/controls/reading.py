"""Reading a produced file back, row by row: a file of any size in the memory of a few rows."""

import csv
import gzip
import io
import json
from decimal import Decimal

# Labels have no limit in Odoo; the csv module has one.
LONGEST = 2**31 - 1
# Rows of a Parquet file that are in memory at a time.
BATCH = 8192
ORDER = (
    "key",
    "company",
    "period",
    "account",
    "currency",
    "debit",
    "credit",
    "amount_currency",
    "operation",
)


class Unreadable(Exception):
    """A file can't be read back: what happened, in words."""


def rows(stream, format, compression, roles):
    """Yield a tuple of texts per row of a file, in the order of `ORDER`, "" for what is missing.

    stream: binary, readable, for Parquet also seekable. format: "csv", "jsonl" or "parquet";
    compression: "", "gzip" or "zstd". roles: `roles.Roles`. Raises `Unreadable`.
    """
    names = [getattr(roles, role) for role in ORDER]
    try:
        if format == "parquet":
            yield from _parquet(stream, names)
            return
        plain = _decompressed(stream, compression)
        yield from (_csv if format == "csv" else _jsonl)(plain, names)
    except (csv.Error, ValueError, KeyError, EOFError, OSError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _decompressed(stream, compression):
    if compression == "gzip":
        return gzip.GzipFile(fileobj=stream)
    if compression == "zstd":
        return _zstd(stream)
    return stream


def _zstd(stream):
    try:
        import zstandard
    except ImportError:
        try:
            import pyarrow
        except ImportError:
            raise Unreadable("zstd needs the Python package zstandard or pyarrow") from None
        return pyarrow.CompressedInputStream(stream, "zstd")
    return zstandard.ZstdDecompressor().stream_reader(stream)


def _csv(stream, names):
    csv.field_size_limit(LONGEST)
    reader = csv.reader(
        io.TextIOWrapper(io.BufferedReader(_Raw(stream), 1 << 18), "utf-8", newline="")
    )
    header = next(reader, None)
    if header is None:
        raise Unreadable("the file is empty: not even a header")
    places = [header.index(name) if name else None for name in names]
    width = len(header)
    for row in reader:
        if len(row) != width:
            raise Unreadable(f"a row with {len(row)} columns, the header has {width}")
        yield tuple(["" if place is None else row[place] for place in places])


class _Raw(io.RawIOBase):
    """A readable stream of any make as one that `io.BufferedReader` takes."""

    def __init__(self, stream):
        self._stream = stream

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _jsonl(stream, names):
    for line in io.BufferedReader(_Raw(stream), 1 << 18):
        row = json.loads(line, parse_float=Decimal)
        yield tuple(["" if name is None else _text(row[name]) for name in names])


def _parquet(stream, names):
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise Unreadable("Parquet needs the Python package pyarrow") from None
    wanted = list(dict.fromkeys(name for name in names if name))
    try:
        file = parquet.ParquetFile(stream)
        missing = set(wanted) - set(file.schema_arrow.names)
        if missing:
            raise Unreadable(f"columns are missing: {', '.join(sorted(missing))}")
        # without columns there are still rows to count
        columns = wanted or file.schema_arrow.names[:1]
        for batch in file.iter_batches(BATCH, columns=columns):
            found = {name: batch.column(name).to_pylist() for name in wanted}
            for number in range(batch.num_rows):
                yield tuple(["" if name is None else _text(found[name][number]) for name in names])
    except pyarrow.ArrowException as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _text(value):
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if isinstance(value, str) else str(value)
