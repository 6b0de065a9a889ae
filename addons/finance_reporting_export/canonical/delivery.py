"""What a destination gets, and what it tells."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from .schema import Schema

ACCEPTED, REFUSED, WAITING = "accepted", "refused", "waiting"


@dataclass(frozen=True)
class Parcel:
    """One file to deliver. open: returns a readable, seekable stream of its bytes (unsealed).

    place: where its sealed bytes are kept, and what they are sealed for, as the opener of
    `Delivery.opened` takes them; open is None until then. feed, mode, format, compression, schema,
    company, period: for destinations that load rows, as in `batch.File`; the manifest has none of
    them. rows: all of the file; deletions: how many of them say that a row is gone.
    """

    name: str
    bytes: int
    sha256: str
    open: Callable[[], BinaryIO] | None = None
    place: tuple[str, ...] = ()
    feed: str = ""
    mode: str = ""
    format: str = ""
    compression: str = ""
    schema: Schema | None = None
    company: str = ""
    period: str = ""
    rows: int = 0
    deletions: int = 0


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

    def manifest_of(self, number) -> str:
        """Return the relative path of the manifest of another batch of this export."""
        home, _slash, own = self.folder.rpartition("/")
        return f"{home}/{number:0{len(own)}}/{self.manifest.name}"

    @property
    def all(self) -> tuple[Parcel, ...]:
        """Every file in the order of sending."""
        return (*self.parcels, self.manifest)

    def opened(self, opener):
        """Return the delivery with parcels that open: ``opener(*place)`` returns a stream."""

        def ready(parcel):
            return replace(parcel, open=lambda: opener(*parcel.place))

        parcels = tuple(ready(parcel) for parcel in self.parcels)
        return replace(self, parcels=parcels, manifest=ready(self.manifest))


@dataclass(frozen=True)
class Receipt:
    """What a delivery did. sent: names of the files that were sent; found: of those that were there
    already, the same byte for byte; bytes: how many were sent. ahead: nothing was sent, since the
    receiver has this other batch, of the same number or a higher one; 0 otherwise."""

    sent: tuple[str, ...]
    found: tuple[str, ...] = ()
    bytes: int = 0
    ahead: int = 0


@dataclass(frozen=True)
class Acknowledgement:
    """What a receiver confirmed. state: "accepted", "refused" or "waiting"; rows: {file name:
    rows}, as far as told; words: the receiver's own."""

    state: str
    rows: dict | None = None
    words: str = ""
