"""A folder on this host. Nothing outside it is touched, whatever somebody puts into it.

All is done relative to the open folder, and no link is followed: a file that is exchanged for a
link between looking and reading is not read.
"""

import contextlib
import os
import stat
from pathlib import Path

from odoo.addons.finance_connector_base.transports.folder import (
    OPEN,
    READ,
    allowed,
    open_folder,
    roots,
)

from . import FOLDERS, MOST_BYTES, Found, PickupError, is_waiting, plain

__all__ = ["Folder", "allowed", "roots"]


class Folder:
    """Files that wait in a folder. A context manager; raises PickupError."""

    source = "folder"

    def __init__(self, path: str, opened: list[Path]):
        self.path = allowed(path, opened, FOLDERS)
        self._open = None

    def __enter__(self):
        self._open = open_folder(self.path)
        return self

    def __exit__(self, *_exception):
        os.close(self._open)

    def files(self) -> list[Found]:
        """Return the files that wait, the oldest first; links and folders are none."""
        found = []
        try:
            with os.scandir(self._open) as rows:
                for row in rows:
                    if is_waiting(row.name) and row.is_file(follow_symlinks=False):
                        state = row.stat(follow_symlinks=False)
                        found.append(Found(row.name, state.st_size, int(state.st_mtime)))
        except PermissionError:
            raise PickupError("denied", path=self.path) from None
        return sorted(found, key=lambda one: (one.changed, one.name))

    def read(self, found: Found) -> bytes:
        """Return what is in a file, if it is still the one that was found."""
        if found.size > MOST_BYTES:
            raise PickupError("size", name=found.name, most=MOST_BYTES >> 20)
        try:
            handle = os.open(plain(found.name), READ, dir_fd=self._open)
        except PermissionError:
            raise PickupError("denied", path=self.path / found.name) from None
        except OSError:
            raise PickupError("changed", name=found.name) from None
        with os.fdopen(handle, "rb") as file:
            content = file.read(found.size + 1)
            state = os.fstat(file.fileno())
        same = (state.st_size, int(state.st_mtime)) == (found.size, found.changed)
        if not stat.S_ISREG(state.st_mode) or not same or len(content) != found.size:
            raise PickupError("changed", name=found.name)
        return content

    def move(self, name: str, below: str):
        """Put a file into a folder below; what is there already keeps its name."""
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(below, 0o750, dir_fd=self._open)
            target = os.open(below, OPEN, dir_fd=self._open)
        except OSError:
            raise PickupError("denied", path=self.path / below) from None
        try:
            self._rename(plain(name), target)
        except FileNotFoundError:
            return  # somebody else has moved it
        except OSError:
            raise PickupError("denied", path=self.path / below) from None
        finally:
            os.close(target)

    def _rename(self, name, target):
        """Give the file a name that is free there: a link fails where a rename would replace."""
        stem, dot, kind = name.rpartition(".")
        free, number = name, 1
        while True:
            try:
                os.link(name, free, src_dir_fd=self._open, dst_dir_fd=target, follow_symlinks=False)
                break
            except FileExistsError:
                number += 1
                free = f"{stem or kind}-{number}{dot and stem and '.' + kind}"
        os.unlink(name, dir_fd=self._open)
