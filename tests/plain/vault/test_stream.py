"""Sealed files: what was written is read, anywhere; every change of the file is found."""

import io
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.finance_connector_base.vault import SealBroken, SealedReader, SealedWriter
from odoo.addons.finance_connector_base.vault.stream import CHUNK, MAGIC, TAG

SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7)


def sealed(data, identity="file", piece=1 << 20):
    raw = io.BytesIO()
    with SealedWriter(raw, identity) as writer:
        for start in range(0, len(data), piece):
            writer.write(data[start : start + piece])
    return raw.getvalue(), writer.key


def opened(content, key, identity="file"):
    with io.BufferedReader(SealedReader(io.BytesIO(content), key, identity)) as reader:
        return reader.read()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [1000, CHUNK, 1 << 20])
def test_what_was_written_is_read(size, piece):
    data = os.urandom(size)
    content, key = sealed(data, piece=piece)
    assert opened(content, key) == data
    assert data[:64] not in content or not data[:64]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SIZES), st.lists(st.tuples(st.integers(0, 4 * CHUNK), st.integers(0, 999))))
def test_it_is_read_anywhere(size, places):
    data = random.Random(size).randbytes(size)
    content, key = sealed(data)
    reader = io.BufferedReader(SealedReader(io.BytesIO(content), key, "file"))
    for place, count in places:
        reader.seek(place)
        assert reader.read(count) == data[place : place + count]
    assert reader.seek(0, os.SEEK_END) == size


def chunks_of(content):
    body = content[len(MAGIC) :]
    return [body[at : at + CHUNK + TAG] for at in range(0, len(body), CHUNK + TAG)]


def test_every_planted_fault_is_found():
    data = os.urandom(3 * CHUNK + 100)
    content, key = sealed(data)
    one, two, three, end = chunks_of(content)
    other, _key = sealed(data)
    faults = {
        "without its end": MAGIC + one + two + three,
        "without all but the first": MAGIC + one,
        "without anything": MAGIC,
        "in another order": MAGIC + two + one + three + end,
        "with one left out": MAGIC + one + three + end,
        "with one twice": MAGIC + one + one + two + three + end,
        "with more behind": content + b"x",
        "with one of another file": MAGIC + chunks_of(other)[0] + two + three + end,
        "with a bit turned": content[:500] + bytes([content[500] ^ 1]) + content[501:],
        "of another kind": b"ZIP" + content[3:],
    }
    for _name, wrong in faults.items():
        with pytest.raises(SealBroken):
            opened(wrong, key)


def test_another_key_or_another_identity_opens_nothing():
    content, key = sealed(b"1,2,3\n")
    with pytest.raises(SealBroken):
        opened(content, key, "another")
    with pytest.raises(SealBroken):
        opened(content, os.urandom(32))


def test_a_file_that_was_never_finished_does_not_open():
    raw = io.BytesIO()
    with pytest.raises(RuntimeError), SealedWriter(raw, "file") as writer:
        writer.write(b"x" * (2 * CHUNK))
        raise RuntimeError
    with pytest.raises(SealBroken):
        opened(raw.getvalue(), writer.key)
