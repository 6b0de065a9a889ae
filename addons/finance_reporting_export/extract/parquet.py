"""Parquet: copied CSV through a pipe to Arrow's reader, whose columns have exact types."""

import fcntl
import io
import os
import threading
from contextlib import contextmanager, suppress

from .errors import ColumnMismatch, NotInstalled
from .sinks import GATHER

PRECISION = 38
BLOCK = 4 << 20
ROW_GROUP = 128 * 1024
SCALE = 2


@contextmanager
def parquet(target, schema, metadata):
    """Give a stream for CSV rows without header; at the end ``target`` has the Parquet file.

    Reading and compressing happen in a thread of their own, outside Python's lock. Raises
    `NotInstalled` without pyarrow, `ColumnMismatch` where a value has another type than its
    column.
    """
    _pyarrow()
    reading, writing = os.pipe()
    with suppress(OSError):
        # fewer turns between both sides; where the system's limit is lower it stays as it was
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, GATHER)
    worker = _Worker(reading, target, schema, metadata)
    worker.start()
    stream = io.BufferedWriter(io.FileIO(writing, "wb"), GATHER)
    try:
        yield stream
    finally:
        stream.close()
        worker.join()
    worker.check()


class _Worker(threading.Thread):
    def __init__(self, reading, target, schema, metadata):
        super().__init__(name="parquet", daemon=True)
        self._reading = reading
        self._target = target
        self._schema = schema
        self._metadata = metadata
        self._error = None

    def run(self):
        with io.FileIO(self._reading, "rb") as source:
            try:
                _convert(source, self._target, self._schema, self._metadata)
            except Exception as error:  # noqa: BLE001 told to the thread that asked for it
                self._error = error
                self._drain(source)

    @staticmethod
    def _drain(source):
        """Read on, so that COPY ends and its transaction lives to tell of the error."""
        with suppress(OSError):
            while source.read(GATHER):
                pass

    def check(self):
        """Raise what went wrong."""
        if self._error is None:
            return
        if isinstance(self._error, _pyarrow().ArrowInvalid):
            raise ColumnMismatch(str(self._error)) from self._error
        raise self._error


def _convert(source, target, schema, metadata):
    from pyarrow import csv
    from pyarrow import parquet as pq

    arrow = arrow_schema(schema).with_metadata(metadata)
    with pq.ParquetWriter(target, arrow, compression="zstd") as writer:
        try:
            reader = csv.open_csv(
                source,
                read_options=csv.ReadOptions(block_size=BLOCK, column_names=list(schema.names)),
                parse_options=csv.ParseOptions(newlines_in_values=True),
                convert_options=csv.ConvertOptions(
                    column_types=arrow,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
        except _pyarrow().ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                return
            raise
        _write(writer, reader, arrow)


def _write(writer, reader, arrow):
    waiting, rows = [], 0
    for batch in reader:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= ROW_GROUP:
            writer.write_table(_pyarrow().Table.from_batches(waiting, arrow))
            waiting, rows = [], 0
    if waiting:
        writer.write_table(_pyarrow().Table.from_batches(waiting, arrow))


def arrow_schema(schema):
    """Return the Arrow schema of a feed's `Schema`; decimals are decimal128."""
    arrow = _pyarrow()
    types = {
        "integer": arrow.int64(),
        "string": arrow.string(),
        "json": arrow.string(),
        "date": arrow.date32(),
        "datetime": arrow.timestamp("s", "UTC"),
        "boolean": arrow.bool_(),
    }
    return arrow.schema(
        arrow.field(
            column.name,
            arrow.decimal128(PRECISION, SCALE if column.scale is None else column.scale)
            if column.type == "decimal"
            else types[column.type],
            metadata={"description": column.meaning},
        )
        for column in schema.columns
    )


def _pyarrow():
    try:
        import pyarrow
    except ImportError as error:
        raise NotInstalled("pyarrow", "Parquet") from error
    return pyarrow
