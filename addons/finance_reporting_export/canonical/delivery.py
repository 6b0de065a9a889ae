"""What a destination gets, and what it tells."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from .schema import Schema


@dataclass(frozen=True)
class Parcel:
    """One file to deliver. open: returns a readable, seekable stream of its bytes (unsealed).

    feed, mode, format, compression, schema: for destinations that load rows; the manifest has
    none of them. deletions as in `batch.File`.
    """

    name: str
    bytes: int
    sha256: str
    open: Callable[[], BinaryIO]
    feed: str = ""
    mode: str = ""
    format: str = ""
    compression: str = ""
    schema: Schema | None = None


@dataclass(frozen=True)
class Delivery:
    """A batch on its way: `parcels` in the order they are sent, the manifest is the last.

    folder: relative path at the destination, "<export>/<number>". A delivery that is sent again
    is the same, byte for byte.
    """

    run: str
    export: str
    number: int
    folder: str
    parcels: tuple[Parcel, ...]
    manifest: Parcel


@dataclass(frozen=True)
class Acknowledgement:
    """What a receiver confirmed. state: "accepted", "refused" or "waiting"; rows: {file name:
    rows}, as far as told; words: the receiver's own."""

    state: str
    rows: dict | None = None
    words: str = ""
