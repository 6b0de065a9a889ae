"""The rows of a parcel as COPY reads them, whatever its format."""

import gzip
import io
from contextlib import ExitStack, contextmanager

from odoo.addons.finance_connector_base.providers.errors import Rejected

from .destination import CHUNK, check


@contextmanager
def opened(parcel):
    """Yield a binary stream of the plain CSV or JSON Lines of a parcel, or of its Parquet as CSV.

    The parcel's digest is looked at first: what COPY is given is what was written. Raises `Rejected` with code "library" where a package is missing.
    """
    check(parcel)
    with ExitStack() as stack:
        source = stack.enter_context(parcel.open())
        if parcel.format == "parquet":
            yield _Batches(source)
            return
        source = io.BufferedReader(_Raw(source), CHUNK)
        if parcel.compression == "gzip":
            source = gzip.GzipFile(fileobj=source, mode="rb")
        elif parcel.compression == "zstd":
            source = _library("zstandard").ZstdDecompressor().stream_reader(source)
        yield source


class _Raw(io.RawIOBase):
    """What has ``read``, with the interface of Python's own streams."""

    def __init__(self, source):
        super().__init__()
        self._source = source

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Batches(io.RawIOBase):
    """The rows of a Parquet file as CSV without header: nulls are nothing, empty texts are ""."""

    def __init__(self, source):
        super().__init__()
        self._csv, parquet = _library("pyarrow.csv"), _library("pyarrow.parquet")
        self._file = parquet.ParquetFile(source)
        self.names = tuple(self._file.schema_arrow.names)
        self._batches = self._file.iter_batches(batch_size=16_384)
        self._waiting = b""

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self._waiting:
            batch = next(self._batches, None)
            if batch is None:
                return 0
            text = io.BytesIO()
            self._csv.write_csv(batch, text, self._csv.WriteOptions(include_header=False))
            self._waiting = memoryview(text.getvalue())
        size = min(len(buffer), len(self._waiting))
        buffer[:size], self._waiting = self._waiting[:size], self._waiting[size:]
        return size


def header_of(stream) -> tuple:
    """Read the header line of a CSV stream and return its names: plain ones, without line breaks."""
    line = stream.readline().decode().rstrip("\r\n")
    return tuple(name.strip('"') for name in line.split(","))


def _library(name):
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise Rejected(
            f"Loading these files needs the Python package {package}: pip install {package}, and"
            " start Odoo again",
            code="library",
        ) from error
