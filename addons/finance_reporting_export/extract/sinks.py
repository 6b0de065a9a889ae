"""Where the bytes go: gathered into large pieces, compressed, counted and digested."""

import gzip
import hashlib
import io

from .errors import NotInstalled

# COPY hands over one row at a time; what comes after it works on pieces of this size.
GATHER = 1 << 20
GZIP_LEVEL = 6
ZSTD_LEVEL = 3


class Counted(io.RawIOBase):
    """Passes bytes on to ``target`` and knows how many there were and their SHA-256.

    target: anything with ``write(bytes)``. It is not closed here.
    """

    def __init__(self, target):
        super().__init__()
        self.bytes = 0
        self._target = target
        self._digest = hashlib.sha256()

    def writable(self):
        """Say yes."""
        return True

    def write(self, data):
        """Pass a piece on."""
        data = bytes(data)
        self._digest.update(data)
        self._target.write(data)
        self.bytes += len(data)
        return len(data)

    def tell(self):
        """Return how many bytes went through."""
        return self.bytes

    @property
    def sha256(self):
        """Hexadecimal digest of all that went through."""
        return self._digest.hexdigest()


def gathering(raw):
    """Return a stream that writes to ``raw`` in large pieces; flush it at the end."""
    return io.BufferedWriter(raw, GATHER)


def compressing(target, compression):
    """Return a raw stream that compresses into ``target``; closing it ends the stream's frame."""
    if compression == "gzip":
        # no name and no time in the header: the same rows are the same bytes
        return gzip.GzipFile("", "wb", GZIP_LEVEL, target, mtime=0)
    if compression == "zstd":
        return (
            _zstandard()
            .ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True)
            .stream_writer(target, closefd=False)
        )
    raise ValueError(f"There is no compression {compression!r}.")


def _zstandard():
    try:
        import zstandard
    except ImportError as error:
        raise NotInstalled("zstandard", "zstd") from error
    return zstandard
