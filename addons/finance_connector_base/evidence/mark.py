"""The high-water mark of a database: how many jobs it has taken to be sent.

The database counts in a row of its own, and the number is written, durably, to a small file beside
it before anything is sent. A restore takes the row back in time and leaves the file alone: where
the file is ahead, the database is older than what it has already sent.

A file holds two lines of a fixed length that are written in turn, each with a check sum: whatever
happens while one is written, the other still says the number before.
"""

import fcntl
import os
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

SUFFIX = "mark"
HEADER = b"""\
High-water mark of a database: how many jobs it has taken to be sent; written before each sending.
When the database is restored, leave this file as it is: by it the database finds out what it has
sent since the backup. The higher number counts, and both lines may be read by anybody.

number               last written (UTC)         by                                       check
"""
LINE = re.compile(rb"(\d{20}) (\S{26}) (\S+) +([0-9a-f]{8})\n")
WRITER_LENGTH = 40
BLANK = b" " * (20 + 1 + 26 + 1 + WRITER_LENGTH + 1 + 8) + b"\n"
SIZE = len(HEADER) + 2 * len(BLANK)

# What `judge` says.
FINE, ADOPT, LOST = "fine", "adopt", "lost"
BEHIND, ELSEWHERE, REBUILT = "behind", "elsewhere", "rebuilt"
HOLDING = (BEHIND, ELSEWHERE, REBUILT)


# === THE FILE === #


@dataclass(frozen=True, order=True)
class Mark:
    """One line of a mark file. at: aware, UTC. writer: host and process."""

    number: int
    at: datetime
    writer: str = ""


def read_mark(path) -> Mark | None:
    """Return the mark in a file; None when there is no file, or nothing in it that can be read.

    :raises OSError: the file is there, or may be, and can't be reached
    """
    try:
        return max(filter(None, _marks(Path(path).read_bytes())), default=None)
    except FileNotFoundError:
        return None


def raise_mark(path, mark):
    """Write ``mark`` durably, unless the file has as high a number already; makes the file.

    Safe for several processes, and for several hosts where the file system knows locks (NFS does).

    :raises OSError: nothing may be sent then
    """
    path = Path(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        data = os.pread(handle, SIZE + 1, 0)
        first, second = _marks(data)
        if max(filter(None, (first, second)), default=Mark(-1, mark.at)).number >= mark.number:
            return
        if len(data) != SIZE:
            _begin(handle, path.parent, mark)
            return
        turn = bool(first and (not second or second.number < first.number))
        _write_all(handle, _line(mark), len(HEADER) + turn * len(BLANK))
        os.fdatasync(handle)
    finally:
        os.close(handle)


def other_marks(path) -> dict:
    """Return {path: `Mark`} of the other databases with the uuid of the one that ``path`` is of."""
    path = Path(path)
    uuid = path.name.partition(".")[0]
    files = [file for file in path.parent.glob(f"{uuid}.*.{SUFFIX}") if file.name != path.name]
    found = {}
    for file in files:
        with suppress(OSError):
            found[file] = read_mark(file)
    return {file: mark for file, mark in found.items() if mark}


def _begin(handle, folder, mark):
    """Write a whole file, and the folder that names it, to the disk."""
    _write_all(handle, HEADER + _line(mark) + BLANK, 0)
    os.ftruncate(handle, SIZE)
    os.fsync(handle)
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _write_all(handle, data, offset):
    if os.pwrite(handle, data, offset) != len(data):
        raise OSError("the mark could not be written completely")


def _line(mark):
    at = mark.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    writer = re.sub(r"[^!-~]", "?", mark.writer)[:WRITER_LENGTH] or "?"
    text = f"{mark.number:020d} {at} {writer:<{WRITER_LENGTH}} ".encode()
    return text + b"%08x\n" % zlib.crc32(text)


def _marks(data):
    """Return the marks of the two lines, each None when it can't be read."""
    starts = (len(HEADER), len(HEADER) + len(BLANK))
    return [_parse(data[start : start + len(BLANK)]) for start in starts]


def _parse(line):
    found = LINE.fullmatch(line)
    if not found or int(found[4], 16) != zlib.crc32(line[:-9]):
        return None
    try:
        at = datetime.fromisoformat(found[2].decode()).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Mark(int(found[1]), at, found[3].decode())


# === WHAT IT MEANS === #


class Identity(NamedTuple):
    """Which physical database it is; what the server doesn't tell is "" and differs from nothing.

    system: of the cluster, made by initdb. database: ``pg_database.oid``. table: oid of the table
    that counts, another one after every restore of a dump. timeline: changes when a server goes
    back in time, or a standby takes over.
    """

    system: str = ""
    database: str = ""
    table: str = ""
    timeline: str = ""

    @classmethod
    def parse(cls, text):
        """Return the identity that ``str()`` wrote, None for the empty text."""
        return cls(*text.split("/")) if text else None

    def __str__(self):
        return "/".join(self)

    def differs(self, other, *names):
        """Return whether one of the parts called ``names`` is known of both and is another."""
        pairs = [(getattr(self, name), getattr(other, name)) for name in names]
        return any(ours and theirs and ours != theirs for ours, theirs in pairs)


def judge(number, since, then, now, mark, used):
    """Return what the mark of a database means, before anything is sent.

    :param int number: how many jobs the database knows to have taken
    :param int since: the number at which it began to write to its own file
    :param then: the `Identity` that the database was last known by, None when it may be any
    :param Identity now: the one that it has
    :param mark: the `Mark` in the file of this database, or None
    :param bool used: whether it has ever taken a job to be sent, or has one to take
    :returns: ``FINE``; ``ADOPT``: nothing to fear, the identity is to be written down; ``LOST``:
        the same database, only its file is gone; or one of ``HOLDING``: ``BEHIND`` older than what
        it has sent, ``ELSEWHERE`` a copy or another server, ``REBUILT`` restored and without a
        file that could say what is missing
    """
    if mark and mark.number > number:
        return BEHIND
    if then is None:
        return ADOPT
    if now.differs(then, "system", "database"):
        return ELSEWHERE if used else ADOPT
    if mark is None and now.differs(then, "table", "timeline"):
        return REBUILT if used else ADOPT
    if now != then:
        return ADOPT
    return LOST if mark is None and number > since else FINE
