"""What verification finds, and what it says."""

import hashlib
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.finance_connector_base.evidence.head import head_of
from odoo.addons.finance_connector_base.evidence.seal import MEMBER_BYTES, new_seal
from odoo.addons.finance_connector_base.evidence.signing import fingerprint, signers

from tests.plain.evidence.chain import UUID, WINDOW, chain_of, event, first, ring


def test_a_chain_that_nobody_touched():
    report = chain_of(3, 1, 5).check()
    assert (report.outcome, report.findings) == ("sound", [])
    assert (report.seals, report.events, report.unsealed) == (3, 9, 0)
    assert any("k-a" in line for line in report.sentences())


def test_nothing_sealed_is_nothing_proved():
    assert chain_of().add(event(1)).check().outcome == "empty"


def test_sentences_are_complete():
    """Every %(…)s of every sentence has something to stand for it, and says it in words."""
    chain = chain_of(3, 3)
    chain.change(2, kind="job.never")
    del chain.events[3]
    chain.add(event(9))
    text = "\n".join(chain.check().sentences())
    assert "BROKEN" in text
    assert "Event 2 (job.never, 2026-03-01 09:02:00 UTC) was changed" in text
    assert "Event 3, sealed in seal 1, is missing" in text
    assert "%(" not in text


# === ONE EVENT === #


def test_changed():
    chain = chain_of(4, 4)
    chain.change(6, data='{"amount": "6.51", "job": 6}')
    report = chain.check()
    assert first(report) == ("event.changed", 6)
    assert report.findings[0].facts["seal"] == 2


def test_deleted():
    chain = chain_of(4, 4)
    del chain.events[3]
    assert first(chain.check()) == ("event.missing", 3)


def test_inserted_with_the_number_of_a_seal():
    chain = chain_of(4, 4)
    chain.add(event(99, minute=2, seal_id=1))
    assert first(chain.check()) == ("event.inserted", 99)


def test_inserted_without_a_seal():
    """It is sealed by the next seal, or waits for it, and says an hour too early what it is."""
    chain = chain_of(4, 4)
    chain.add(event(99, minute=-60 * 24))
    assert first(chain.check()) == ("event.backdated", 99)
    chain.seal(minute=10)
    report = chain.check()
    assert first(report) == ("event.backdated", 99)
    assert report.findings[0].facts["before"] == 2


def test_a_late_commit_is_none():
    """A transaction may take an hour; a backlog is sealed in several batches, oldest first."""
    chain = chain_of(4)
    chain.add(event(5, minute=-40)).seal(minute=6)
    assert chain.check().outcome == "sound"
    chain.add(*(event(n) for n in range(100, 110)))
    for _batch in range(3):
        chain.seal(minute=5000, limit=4)
    assert chain.check().outcome == "sound"


def test_taken_out_of_its_seal():
    chain = chain_of(4, 4)
    chain.now = chain.events[8].at
    chain.change(2, seal_id=None)
    assert first(chain.check()) == ("event.moved", 2)
    chain.change(2, seal_id=2)
    assert first(chain.check()) == ("event.moved", 2)
    assert {finding.code for finding in chain.check().findings} == {"event.moved", "event.inserted"}


def test_two_events_change_places():
    for numbers in ((2, 3), (2, 6)):
        chain = chain_of(4, 4)
        one, other = (chain.events[n] for n in numbers)
        chain.events[one.id] = other._replace(id=one.id, seal_id=one.seal_id)
        chain.events[other.id] = one._replace(id=other.id, seal_id=other.seal_id)
        report = chain.check()
        assert first(report) == ("event.reordered", one.id)
        assert report.findings[0].facts["other"] == other.id


def test_unsealed_too_long():
    chain = chain_of(2)
    chain.add(event(3), event(4), event(12))
    report = chain.check()
    assert first(report) == ("event.unsealed", 3)
    assert report.findings[0].facts["count"] == 2
    assert report.unsealed == 3


def test_unsealed_within_the_window_is_a_remark():
    report = chain_of(2).add(event(3), event(4)).check()
    assert (report.outcome, report.unsealed) == ("sound", 2)
    assert any("not sealed yet: 2" in line for line in report.sentences())


# === SEALS === #


def forged(chain, seal, keys=None, **values):
    """The seal with other values, hash made to fit; signed again when ``keys`` are given."""
    seal = seal._replace(**values)
    if keys:
        [signer] = signers(keys)
        seal = seal._replace(key_id=signer.key_id, public_key=signer.public_key)
        seal = seal._replace(signature=signer.sign(seal.payload))
    return seal._replace(hash=hashed(seal))


def hashed(seal):
    return hashlib.sha256(seal.payload).hexdigest()


def sealed_again(chain, start, keys=None):
    """All seals from ``start`` made again over the events as they are now."""
    for position in range(start - 1, len(chain.seals)):
        old = chain.seals[position]
        rows = [row for _, row in sorted(chain.events.items()) if row.seal_id == old.sequence]
        before = chain.seals[position - 1] if position else None
        signer = signers(keys or ring("x"))[0]
        new = new_seal(
            rows, before, signer, database_uuid=UUID, at=old.at, window=WINDOW,
            is_complete=old.is_complete,
        )  # fmt: skip
        if not keys:
            # everything recomputed but the signature, which nobody can make
            new = new._replace(key_id=old.key_id, public_key=old.public_key)
            new = new._replace(hash=hashed(new), signature=old.signature)
        chain.seals[position] = new


def test_recomputed_without_the_key():
    chain = chain_of(4, 4, 4)
    chain.change(6, user_id=9)
    sealed_again(chain, 2)
    assert first(chain.check()) == ("seal.signature", 2)


def test_recomputed_with_another_key():
    chain = chain_of(4, 4, 4)
    chain.change(6, user_id=9)
    sealed_again(chain, 2, ring("z"))
    report = chain.check()
    assert first(report) == ("seal.key", 2)
    mark = signers(ring("z"))[0].fingerprint
    assert report.findings[0].facts["fingerprint"] == mark


def test_one_seal_recomputed_with_another_key():
    """The next one, which nobody can make, names what was there before."""
    chain = chain_of(4, 4, 4)
    later = chain.seals[2]
    chain.change(6, user_id=9)
    sealed_again(chain, 2, ring("z"))
    chain.seals[2] = later
    assert first(chain.check()) == ("seal.order", 3)


def test_every_column_of_a_seal_counts():
    changes = {
        "at": "2026-03-01T09:00:00.000001Z",
        "version": 2,
        "database_uuid": "other",
        "previous": "1" * 64,
        "root": "1" * 64,
        "count": 5,
        "first_event_id": 4,
        "last_event_id": 9,
        "window_seconds": 9999,
        "is_complete": False,
        "members": b"x" * MEMBER_BYTES * 4,
        "members_digest": "1" * 64,
        "hash": "1" * 64,
        "key_id": "k-b",
        "public_key": "1" * 64,
        "signature": "1" * 128,
    }
    fields = set(chain_of(1).seals[0]._fields)
    assert fields == {*changes, "sequence"}
    for name, value in changes.items():
        chain = chain_of(4, 4, 4)
        chain.seals[1] = chain.seals[1]._replace(**{name: value})
        code, seal = first(chain.check())
        assert (code, seal) == (
            "seal.signature" if name == "signature" else
            "seal.order" if name == "previous" else "seal.changed", 2,
        ), name  # fmt: skip


def test_swapped_members():
    """Leaves of two events change places in the seal, and so do the events."""
    chain = chain_of(4)
    [seal] = chain.seals
    halves = [seal.members[i : i + MEMBER_BYTES] for i in range(0, len(seal.members), MEMBER_BYTES)]
    chain.seals = [seal._replace(members=b"".join([halves[1], halves[0], *halves[2:]]))]
    assert first(chain.check()) == ("seal.changed", 1)


def test_a_seal_is_gone():
    for gone in (1, 2):
        chain = chain_of(4, 4, 4)
        del chain.seals[gone - 1]
        assert first(chain.check()) == ("seal.missing", gone)


def test_newest_seals_are_gone():
    """Their events still name them; without their events only the head tells."""
    chain = chain_of(4, 4, 4)
    head = head_of(chain.seals[-1], 12, "")
    del chain.seals[1:]
    assert first(chain.check()) == ("seal.dropped", 5)
    for number in range(5, 13):
        del chain.events[number]
    report = chain.check()
    assert report.outcome == "sound"
    assert any("No head from outside" in line for line in report.sentences())
    report = chain.check(heads={head.sequence: head.hash})
    assert first(report) == ("head.ahead", 3)


def test_the_whole_chain_is_replaced():
    """By somebody who even has the key: the head tells."""
    chain = chain_of(4, 4)
    head = head_of(chain.seals[-1], 8, "")
    chain.change(3, user_id=9)
    sealed_again(chain, 1, chain.ring)
    assert chain.check().outcome == "sound"
    assert first(chain.check(heads={head.sequence: head.hash})) == ("head.different", 2)


def test_a_copy_goes_on_under_its_own_number():
    """A database that was copied under another uuid keeps its chain; the report says so."""
    chain = chain_of(4)
    chain.uuid = "0c8d5c5e-0000-4000-8000-000000000002"
    chain.add(event(5)).seal()
    report = chain.check()
    assert report.outcome == "sound"
    assert any(f"Seals up to 1 were made in the database {UUID}" in line
               for line in report.sentences())  # fmt: skip


# === KEYS === #


def test_keys_come_and_go():
    """Seals of a key that left the ring are covered by later ones, and only by later ones."""
    chain = chain_of(4, 4, keys=ring("a"))
    chain.ring = ring("b", "a")
    chain.add(event(9)).seal()
    assert chain.check().outcome == "sound"
    report = chain.check(ring("b"))
    assert report.outcome == "sound"
    assert any("Seals up to 2 are signed with a key that is no longer" in line
               for line in report.sentences())  # fmt: skip
    assert first(chain.check(ring("a"))) == ("seal.key", 3)


def test_without_a_key():
    chain = chain_of(4)
    report = chain.check(False)
    mark = fingerprint(chain.seals[0].public_key)
    assert report.outcome == "unproved"
    assert any(mark in line for line in report.sentences())
    assert chain.check(False, fingerprints=[mark]).outcome == "sound"
    assert chain.check(False, heads={1: chain.seals[0].hash}).outcome == "sound"
    assert first(chain.check(False, fingerprints=["0" * 64])) == ("seal.key", 1)


# === ANY TAMPERING === #


def tampered(chain, kind, pick):
    """Tamper with the chain in one way; return what has to be named."""
    sealed = sorted(number for number, row in chain.events.items() if row.seal_id)
    number = pick.choice(sealed)
    row = chain.events[number]
    position = row.seal_id - 1
    if kind == "change":
        chain.change(number, user_id=(row.user_id or 0) + 1)
    elif kind == "delete":
        del chain.events[number]
    elif kind == "insert":
        chain.add(event(10_000, minute=number, seal_id=row.seal_id))
        return "event", 10_000
    elif kind == "unmark":
        chain.change(number, seal_id=None)
    elif kind == "recompute":
        chain.change(number, user_id=9)
        sealed_again(chain, row.seal_id, pick.choice([None, ring("z")]))
        return "seal", row.seal_id
    elif kind == "drop":
        del chain.seals[position:]
    elif kind == "signature":
        chain.seals[position] = chain.seals[position]._replace(signature="0" * 128)
        return "seal", row.seal_id
    return ("seal", row.seal_id) if kind == "drop" else ("event", number)


KINDS = ("change", "delete", "insert", "unmark", "recompute", "drop", "signature")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
    st.sampled_from(KINDS),
    st.integers(0, 2**32),
)
def test_any_tampering_is_found_and_named(sizes, kind, seed):
    chain = chain_of(*sizes)
    assert chain.check().outcome == "sound"
    head = head_of(chain.seals[-1], sum(sizes), "")
    name, value = tampered(chain, kind, random.Random(seed))
    report = chain.check(heads={head.sequence: head.hash})
    assert report.outcome == "broken"
    assert report.findings[0].facts[name] == value
    assert all("%(" not in line for line in report.sentences())


def test_many_findings_are_counted():
    chain = chain_of(50)
    for number in range(1, 51):
        chain.change(number, user_id=7)
    report = chain.check()
    assert (len(report.findings), report.found) == (20, 50)
    assert any("30 more findings" in line for line in report.sentences())
