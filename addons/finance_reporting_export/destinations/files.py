"""What a folder on this host and a directory of an SFTP server have in common."""

from contextlib import contextmanager

from ..canonical.delivery import Receipt
from .destination import ACK, MOST_ACK_BYTES, Ahead, Checked, Destination

PART = ".part"


class FileDestination(Destination):
    """A place of files with names that appear at once, by renaming.

    A subclass gives `place`, a context manager whose value has:

    - ``digest(folder, name)``: SHA-256 of a file there, None where there is none,
    - ``write(folder, name, source)``: copy from an open `Checked`, safe on the disk,
    - ``rename(folder, before, after)``: raises FileExistsError rather than replace a file,
    - ``read(folder, name, most)``: bytes of a small file, None where there is none,
    - ``names(folder)``: of what is in a folder; none where there is none,
    - ``make(folder)``: have a folder.

    ``folder`` is a tuple of plain names below the address. All raise TransportError.
    """

    @contextmanager
    def place(self):
        """Yield the place."""
        raise NotImplementedError

    def _deliver(self, delivery):
        folder = tuple(delivery.folder.split("/"))
        sent, found = [], []
        with self.visit(), self.place() as place:
            with self.told("MKDIR", f"/{delivery.folder}"):
                self._check_turn(place, folder, delivery)
                place.make(folder)
            for parcel in delivery.all:
                with self._told_put(delivery, parcel):
                    new = self._put(place, folder, parcel)
                (sent if new else found).append(parcel)
        return Receipt(
            tuple(one.name for one in sent),
            tuple(one.name for one in found),
            sum(one.bytes for one in sent),
        )

    def _check_turn(self, place, folder, delivery):
        """Raise `Ahead` where another batch has this number, or a later one is complete."""
        *home, own = folder
        later = {
            int(name): name
            for name in place.names(tuple(home))
            if name.isdecimal() and int(name) > delivery.number
        }
        manifest = delivery.manifest
        for number in sorted(later, reverse=True):
            if place.read((*home, later[number]), manifest.name, 1) is not None:
                raise Ahead(number)
        if place.digest(folder, manifest.name) not in (None, manifest.sha256):
            raise Ahead(delivery.number)

    def _told_put(self, delivery, parcel):
        path = f"/{delivery.folder}/{parcel.name}"
        return self.told("PUT", path, bytes=parcel.bytes, sha256=parcel.sha256)

    def _put(self, place, folder, parcel):
        """Bring one file; return False where it is there already."""
        name = parcel.name
        if self._is_there(place, folder, parcel):
            return False
        with Checked(parcel) as source:
            place.write(folder, name + PART, source)
        try:
            place.rename(folder, name + PART, name)
        except FileExistsError:
            if not self._is_there(place, folder, parcel):
                raise
            return False
        return True

    def _is_there(self, place, folder, parcel):
        digest = place.digest(folder, parcel.name)
        if digest not in (None, parcel.sha256):
            raise self.taken("/".join(folder), parcel.name)
        return digest is not None

    def _answer(self, delivery):
        folder = tuple(delivery.folder.split("/"))
        with self.visit(), self.place() as place, self.told("GET", f"/{delivery.folder}/{ACK}"):
            return self.read_ack(place.read(folder, ACK, MOST_ACK_BYTES))
