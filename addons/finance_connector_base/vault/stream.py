"""Files of any size, sealed in chunks: written once from front to back, read anywhere.

Layout: ``FS1``, then chunks of 256 KiB, each AES-256-GCM (NIST SP 800-38D) with its tag behind it.
Every file has a random key of its own, which the caller keeps sealed in the vault, so rotating the
vault's keys never rewrites a file, and forgetting the key erases it. A chunk's nonce is its index;
the file's identity, the index and whether it is the last chunk are its associated data: a chunk
that is altered, moved, left out, or taken from another file doesn't open, and neither does a file
that ends too early.
"""

import io
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import SealBroken

MAGIC = b"FS1"
CHUNK = 256 * 1024
TAG = 16
NONCE = 12


class SealedWriter:
    """Seals what is written into ``raw``.

    raw: a binary file, empty and open for writing; it is not closed here. identity: what file it
    is, needed again to read it. `key` is the file's own; keep it in the vault. As a context
    manager it ends the file only where nothing was raised: a file without an end doesn't open.
    """

    def __init__(self, raw, identity):
        self.key = AESGCM.generate_key(256)
        self._cipher = AESGCM(self.key)
        self._raw = raw
        self._identity = identity
        self._index = 0
        self._waiting = bytearray()
        raw.write(MAGIC)

    def write(self, data):
        """Seal more bytes; returns how many there were."""
        view = memoryview(data).cast("B")
        size = len(view)
        while len(view):
            # A full chunk waits until something follows, since the last one is sealed as such.
            if len(self._waiting) == CHUNK:
                self._seal(last=False)
            room = CHUNK - len(self._waiting)
            self._waiting += view[:room]
            view = view[room:]
        return size

    def finish(self):
        """Seal the end; nothing may be written afterwards."""
        self._seal(last=True)
        self._cipher = None

    def _seal(self, *, last):
        bound = _bound(self._identity, self._index, last)
        data = bytes(self._waiting)
        self._raw.write(self._cipher.encrypt(_nonce(self._index), data, bound))
        self._waiting.clear()
        self._index += 1

    def __enter__(self):
        return self

    def __exit__(self, kind, *_error):
        if kind is None:
            self.finish()


class SealedReader(io.RawIOBase):
    """Reads what `SealedWriter` wrote: ``raw`` seekable, with the same key and identity.

    Raises `SealBroken` on opening where the end is missing, and on reading where a chunk was
    changed. Closing it closes ``raw``.
    """

    def __init__(self, raw, key, identity):
        super().__init__()
        self._raw = raw
        self._cipher = AESGCM(key)
        self._identity = identity
        self._at = 0
        self._chunk = (-1, b"")
        sealed = raw.seek(0, os.SEEK_END) - len(MAGIC)
        self._count = -(-sealed // (CHUNK + TAG))
        raw.seek(0)
        if sealed < TAG or raw.read(len(MAGIC)) != MAGIC:
            raise SealBroken("This is not a sealed file, or its end is missing.")
        self.size = sealed - self._count * TAG
        self._opened(self._count - 1)

    def readable(self):
        """Say yes."""
        return True

    def seekable(self):
        """Say yes."""
        return True

    def seek(self, offset, whence=os.SEEK_SET):
        """Go to a place in the unsealed bytes."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning of the file")
        self._at = base + offset
        return self._at

    def tell(self):
        """Return the place in the unsealed bytes."""
        return self._at

    def readinto(self, buffer):
        """Read up to the next end of a chunk."""
        index, offset = divmod(self._at, CHUNK)
        if self._at >= self.size:
            return 0
        data = memoryview(self._opened(index))[offset : offset + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self):
        """Close the file below, too."""
        if not self.closed:
            self._raw.close()
        super().close()

    def _opened(self, index):
        if self._chunk[0] == index:
            return self._chunk[1]
        self._raw.seek(len(MAGIC) + index * (CHUNK + TAG))
        sealed = self._raw.read(CHUNK + TAG)
        bound = _bound(self._identity, index, index == self._count - 1)
        try:
            data = self._cipher.decrypt(_nonce(index), sealed, bound)
        except InvalidTag:
            raise SealBroken(
                "A sealed file doesn't open: it was altered, cut short, or belongs elsewhere."
            ) from None
        self._chunk = (index, data)
        return data


def _nonce(index):
    return index.to_bytes(NONCE, "big")


def _bound(identity, index, last):
    return b"%s|%d|%d" % (identity.encode(), index, last)
