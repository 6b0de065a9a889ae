"""One file: queries in, bytes out, counted."""

from dataclasses import dataclass

from . import formats
from .sinks import Counted


@dataclass(frozen=True)
class Written:
    """What was written. rows: as the cursor counted them, all of them; deletions: those that say
    that a row is gone; bytes and sha256: of the file."""

    rows: int
    deletions: int
    bytes: int
    sha256: str


def write(cursor, queries, schema, target, format, compression="", metadata=None, gone=()):
    """Copy the rows of ``queries``, then those of ``gone``, into ``target``; return `Written`.

    cursor: psycopg2's, in the transaction to read in. queries, gone: SQL texts without parameters
    whose columns are those of ``schema``, in its order; ``gone`` are rows that say that a row is
    gone. target: has ``write(bytes)``; gets large pieces, and is not closed. format: "csv",
    "jsonl" or "parquet"; compression: "", "gzip" or "zstd" (Parquet compresses itself with zstd).
    metadata: {str: str} for Parquet's key-value metadata.

    Raises `errors.NotInstalled`, `errors.ColumnMismatch`, and whatever the cursor or the target
    raises; what was written until then is worth nothing.
    """
    counted = Counted(target)
    counts = []
    with formats.opened(counted, schema, format, compression, metadata or {}) as copy:
        for query in (*queries, *gone):
            copy(cursor, query)
            counts.append(cursor.rowcount)
    return Written(
        rows=sum(counts),
        deletions=sum(counts[len(queries) :]),
        bytes=counted.bytes,
        sha256=counted.sha256,
    )
