"""The mark file: written only upwards, whole or not at all; and what a mark means."""

import multiprocessing
import os
from datetime import UTC, datetime

import pytest

from odoo.addons.finance_connector_base.evidence.mark import (
    ADOPT,
    BEHIND,
    BLANK,
    ELSEWHERE,
    FINE,
    HEADER,
    LOST,
    REBUILT,
    SIZE,
    Identity,
    Mark,
    judge,
    other_marks,
    raise_mark,
    read_mark,
)

AT = datetime(2026, 3, 31, 12, 0, 0, 5, tzinfo=UTC)


def mark(number):
    return Mark(number, AT, "host.example.com:4711")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "uuid.16385.mark"


# === THE FILE === #


def test_written_and_read(path):
    assert read_mark(path) is None
    raise_mark(path, mark(7))
    assert read_mark(path) == mark(7)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_person_can_read_it(path):
    raise_mark(path, mark(7))
    raise_mark(path, mark(8))
    text = path.read_text()
    assert "leave this file as it is" in text
    assert "00000000000000000008 2026-03-31T12:00:00.000005 host.example.com:4711" in text


def test_only_upwards(path):
    for number in (5, 3, 5, 6, 4):
        raise_mark(path, mark(number))
    assert read_mark(path).number == 6


def test_size_never_changes(path):
    sizes = set()
    for number in (1, 2, 10**19, 10**19 + 1):
        raise_mark(path, mark(number))
        sizes.add(path.stat().st_size)
    assert sizes == {SIZE}


@pytest.mark.parametrize("length", range(0, len(BLANK), 7))
@pytest.mark.parametrize("number", [8, 9])
def test_torn_while_written(path, number, length):
    """The machine dies with a part of the line on the disk: the mark before counts."""
    for before in range(1, number):
        raise_mark(path, mark(before))
    old = path.read_bytes()
    raise_mark(path, mark(number))
    new = path.read_bytes()
    changed = next(n for n in range(SIZE) if old[n] != new[n])
    start = len(HEADER) + (changed - len(HEADER)) // len(BLANK) * len(BLANK)
    path.write_bytes(
        new[: start + length] + b"\0" * (len(BLANK) - length) + old[start + len(BLANK) :]
    )
    assert read_mark(path).number == number - 1
    raise_mark(path, mark(number))
    assert read_mark(path).number == number


def test_every_changed_byte_of_a_line_is_noticed(path):
    raise_mark(path, mark(7))
    good = bytearray(path.read_bytes())
    for place in range(len(HEADER), len(HEADER) + len(BLANK)):
        bad = good.copy()
        bad[place] ^= 1
        path.write_bytes(bad)
        assert read_mark(path) is None


@pytest.mark.parametrize("content", [b"", b"\0" * SIZE, b"something else\n", HEADER])
def test_nothing_that_can_be_read(path, content):
    """As if it were not there; the next mark makes it anew."""
    path.parent.mkdir()
    path.write_bytes(content)
    assert read_mark(path) is None
    raise_mark(path, mark(3))
    assert read_mark(path) == mark(3)
    assert path.stat().st_size == SIZE


def test_longer_file_is_cut(path):
    raise_mark(path, mark(3))
    path.write_bytes(path.read_bytes() + b"more")
    raise_mark(path, mark(4))
    assert (read_mark(path), path.stat().st_size) == (mark(4), SIZE)


def test_odd_writer(path):
    raise_mark(path, Mark(1, AT, "hö st\n" + "x" * 99))
    assert read_mark(path).writer.startswith("h??st?x")
    raise_mark(path, Mark(2, AT))
    assert read_mark(path).writer == "?"


def test_folder_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        raise_mark(tmp_path / "file" / "x.mark", mark(1))
    with pytest.raises(OSError):
        read_mark(tmp_path / "file" / "x.mark")


def test_others_of_the_same_uuid(tmp_path):
    for name in ("uuid.1.mark", "uuid.2.mark", "uuid.3.head.json", "other.4.mark"):
        raise_mark(tmp_path / name, mark(len(name)))
    (tmp_path / "uuid.5.mark").mkdir()
    assert list(other_marks(tmp_path / "uuid.1.mark")) == [tmp_path / "uuid.2.mark"]


def _race(path, first):
    os.nice(5)
    for number in range(first, 100, 4):
        raise_mark(path, mark(number))
        assert read_mark(path).number >= number


def test_several_processes(path):
    """Nobody ever reads less than what was written before."""
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_race, args=(path, first)) for first in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert read_mark(path).number == 99


# === WHAT IT MEANS === #

HERE = Identity("70000", "16385", "17001", "00000001")


@pytest.mark.parametrize(
    ("number", "since", "then", "in_file", "used", "verdict"),
    [
        # nothing was ever sent
        (0, 0, None, None, False, ADOPT),
        (0, 0, HERE, None, False, FINE),
        (0, 0, HERE, None, True, FINE),
        # at work
        (7, 0, HERE, 7, True, FINE),
        (8, 0, HERE, 7, True, FINE),
        # restored, wherever
        (6, 0, HERE, 7, True, BEHIND),
        (6, 0, None, 7, True, BEHIND),
        (0, 0, HERE._replace(database="1"), 7, False, BEHIND),
        # a dump restored in place: with a file that proves that nothing was sent since, and without
        (7, 0, HERE._replace(table="1"), 7, True, ADOPT),
        (7, 0, HERE._replace(table="1"), None, True, REBUILT),
        (0, 0, HERE._replace(table="1"), None, False, ADOPT),
        # a standby took over, or recovery to a point in time
        (7, 0, HERE._replace(timeline="00000002"), 7, True, ADOPT),
        (7, 0, HERE._replace(timeline="00000002"), None, True, REBUILT),
        # a copy, another server
        (7, 0, HERE._replace(database="1"), None, True, ELSEWHERE),
        (7, 0, HERE._replace(database="1"), 7, True, ELSEWHERE),
        (7, 0, HERE._replace(system="1"), 7, True, ELSEWHERE),
        (0, 0, HERE._replace(database="1"), None, False, ADOPT),
        # a container without a volume
        (7, 0, HERE, None, True, LOST),
        (7, 7, HERE, None, True, FINE),
        # a neutralised copy
        (7, 0, None, None, True, ADOPT),
        # a server that doesn't tell, then does
        (7, 0, HERE._replace(system="", timeline=""), 7, True, ADOPT),
        (7, 0, HERE._replace(system="", timeline=""), None, True, ADOPT),
    ],
)
def test_verdict(number, since, then, in_file, used, verdict):
    found = mark(in_file) if in_file is not None else None
    assert judge(number, since, then, HERE, found, used) == verdict


def test_identity_as_text():
    assert Identity.parse(str(HERE)) == HERE
    assert Identity.parse(str(Identity(database="1", table="2"))) == ("", "1", "2", "")
    assert Identity.parse("") is None
