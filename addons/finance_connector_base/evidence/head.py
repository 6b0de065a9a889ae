"""The head of the chain outside the database: what the newest seal was, and all before it.

``<database uuid>.<oid>.head.json`` holds the newest head. ``….heads`` has a line for each head ever
written, so that a head file that was replaced still leaves its trace. A line with ``goes_on_from``
says that a person accepted, after a restore, that the chain goes on from an older seal: heads after
that seal, written before that line, no longer count.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

from .place import file_of

HEAD = "head.json"
LOG = "heads"


class Head(NamedTuple):
    """sequence, hash, at: of the newest seal; events: how many are in all seals together."""

    database: str
    sequence: int
    hash: str
    at: str
    events: int
    fingerprint: str


def head_of(seal, events, fingerprint) -> Head:
    """Return the head that a `Seal` makes."""
    return Head(seal.database_uuid, seal.sequence, seal.hash, seal.at, events, fingerprint)


def head_file(folder, database_uuid, oid) -> Path:
    """Return the path of the head file of a database."""
    return file_of(folder, database_uuid, oid, HEAD)


def log_file(path) -> Path:
    """Return the path of the log that lies beside a head file."""
    path = Path(path)
    return path.with_name(path.name.removesuffix(HEAD) + LOG)


def read_head(path) -> Head | None:
    """Return the head in a file, None when there is no file.

    Raises OSError, and ValueError when the file holds something else.
    """
    try:
        return Head(**json.loads(Path(path).read_text(encoding="ascii")))
    except FileNotFoundError:
        return None
    except TypeError as error:
        raise ValueError(str(error)) from None


def read_log(path) -> dict:
    """Return {sequence: hash} of all heads that still count, {} without a file. Raises OSError."""
    heads = {}
    try:
        lines = Path(path).read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    for entry in map(_entry, lines):
        if "goes_on_from" in entry:
            last = entry["goes_on_from"]
            heads = {number: hash_ for number, hash_ in heads.items() if number <= last}
        elif "sequence" in entry:
            heads[entry["sequence"]] = entry.get("hash")
    return heads


def read_heads(path) -> tuple:
    """Return (head or None, {sequence: hash} of it and of its log).

    Read before the database: what it names is then there, whatever is sealed meanwhile.
    """
    head = read_head(path)
    named = {head.sequence: head.hash} if head else {}
    return head, read_log(log_file(path)) | named


def write_head(path, head):
    """Write the head and its line in the log, both to the disk itself. Raises OSError."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(head._asdict())
    _append(log_file(path), text)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with open(part, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def last_common(heads, hashes) -> int:
    """Return the last seal up to which all heads, {number: hash}, are those of the chain."""
    common = 0
    for number in sorted(heads):
        if hashes.get(number) != heads[number]:
            break
        common = number
    return common


def go_on_from(path, sequence, at):
    """Note that the chain goes on from the seal ``sequence``; a new head has to be written.

    at: canonical text of the time. Raises OSError.
    """
    _append(log_file(path), json.dumps({"goes_on_from": sequence, "at": at}))
    Path(path).unlink(missing_ok=True)


def _entry(line):
    try:
        entry = json.loads(line)
    except ValueError:
        # The end of a line that a crash cut off.
        return {}
    return entry if isinstance(entry, dict) else {}


def _append(path, text):
    with open(path, "a", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
