"""A directory on an SFTP server where files wait."""

import contextlib
import stat

from odoo.addons.finance_connector_base.transports.sftp import Connection, host_key, private_key

from . import MOST_BYTES, Found, PickupError, is_waiting, plain

__all__ = ["Sftp", "host_key", "private_key"]


class Sftp:
    """Files that wait in a directory of an SFTP server. A context manager; raises PickupError.

    The arguments are those of `Connection`.
    """

    source = "sftp"

    def __init__(self, host, port, user, key, pinned, path):
        self.path = path.rstrip("/") or "/"
        self._connection = Connection(host, port, user, key, pinned)

    def __enter__(self):
        self._connection.__enter__()
        return self

    def __exit__(self, *_exception):
        self._connection.__exit__()

    def files(self) -> list[Found]:
        """Return the files that wait, the oldest first; links and folders are none."""
        try:
            rows = self._connection.files.listdir_attr(self.path)
        except FileNotFoundError:
            raise PickupError("missing", path=self.path) from None
        except PermissionError:
            raise PickupError("denied", path=self.path) from None
        found = [
            Found(row.filename, row.st_size or 0, int(row.st_mtime or 0))
            for row in rows
            if stat.S_ISREG(row.st_mode or 0) and is_waiting(row.filename)
        ]
        return sorted(found, key=lambda one: (one.changed, one.name))

    def read(self, found: Found) -> bytes:
        """Return what is in a file, if it is still the one that was found."""
        if found.size > MOST_BYTES:
            raise PickupError("size", name=found.name, most=MOST_BYTES >> 20)
        place = self._place(found.name)
        try:
            if not stat.S_ISREG(self._connection.files.lstat(place).st_mode or 0):
                raise PickupError("changed", name=found.name)
            with self._connection.files.open(place, "rb") as file:
                file.prefetch(found.size)
                content = file.read(found.size + 1)
            state = self._connection.files.lstat(place)
        except OSError:
            raise PickupError("changed", name=found.name) from None
        if len(content) != found.size or (state.st_size, int(state.st_mtime or 0)) != (
            found.size,
            found.changed,
        ):
            raise PickupError("changed", name=found.name)
        return content

    def move(self, name: str, below: str):
        """Put a file into a directory below; what is there already keeps its name."""
        folder = f"{self.path}/{below}"
        with contextlib.suppress(OSError):
            self._connection.files.mkdir(folder)
        stem, dot, kind = plain(name).rpartition(".")
        for number in range(1, 100):
            free = name if number == 1 else f"{stem or kind}-{number}{dot and stem and '.' + kind}"
            try:
                # SFTP's rename refuses a name that is taken
                self._connection.files.rename(self._place(name), f"{folder}/{free}")
                return
            except FileNotFoundError:
                return
            except OSError:
                continue
        raise PickupError("denied", path=folder)

    def _place(self, name):
        return f"{self.path}/{plain(name)}"
