"""Is everything still what it was when it was sealed? If not, what is wrong first?

The chain of seals is walked from the first to the newest, and with each seal its events; then what
belongs to no seal, the head outside the database, and the details of events.
"""

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from ..vault.errors import SealBroken, VaultLocked
from .report import NEVER, Finding, Report, shown
from .rows import UUID, WINDOW, leaf, text_of, with_id
from .seal import LONGEST_TRANSACTION, NOTHING
from .signing import fingerprint, signers

DEFAULT_WINDOW = 5
DETAIL = "finance.audit.detail"
# Events put into another order are looked for among so many changed ones.
MOST_COMPARED = 40


class Trust(NamedTuple):
    """What a reader believes, none of it from the database.

    public_keys: {public key in hex: key id}; fingerprints: of further public keys; heads: {number:
    hash} of seals that are named outside, head_path: where; vault: opens details, None without
    a key.
    """

    public_keys: dict
    fingerprints: frozenset = frozenset()
    heads: dict = {}
    head_path: object = None
    vault: object = None

    @property
    def has_keys(self) -> bool:
        """Whether there is any key to trust."""
        return bool(self.public_keys or self.fingerprints)

    def name_of(self, public_key) -> str | None:
        """Return how a trusted key is called, None for any other."""
        if public_key in self.public_keys:
            return self.public_keys[public_key]
        mark = fingerprint(public_key)
        return mark if mark in self.fingerprints else None


def trust_of(ring=None, fingerprints=(), heads=None, head_path=None, vault=None) -> Trust:
    """Return the `Trust` in all keys of a key ring, in further fingerprints and in heads."""
    keys = {signer.public_key: signer.key_id for signer in signers(ring)} if ring else {}
    return Trust(keys, frozenset(fingerprints), heads or {}, head_path, vault)


def verify(source, index, trust_for) -> Report:
    """Check all that ``source`` holds and return the `Report`.

    index: an open, empty `Index`. trust_for: a function from the database uuid to a `Trust`.
    Raises `sources.Unusable`.
    """
    index.load(source.rows())
    report = Report(source.label, database=_parameter(index, UUID) or "?")
    _Verification(index, report, trust_for(report.database), source.now).run()
    return report


class _Verification:
    def __init__(self, index, report, trust, now):
        self.index, self.report, self.trust = index, report, trust
        self.now = now or _newest_time(index)
        # {event id: (leaf that was sealed, canonical text now)}
        self.changed = {}
        self.hashes = {}
        self.signed = Signatures(trust, report)

    def run(self):
        baseline, newest, origin = None, None, None
        for seal in self.index.seals():
            self._check_place(seal, newest)
            if self._check_seal(seal):
                self._check_events(seal)
            if baseline:
                self._check_times(seal, baseline)
            if seal.is_complete:
                baseline = seal
            if seal.database_uuid != self.report.database:
                origin = seal
            newest = seal
            self.hashes[seal.sequence] = seal.hash
            self.report.seals += 1
        self._find_reordered()
        self._check_seals_named()
        self._check_head(newest)
        self._check_unsealed(newest, baseline)
        self._check_details()
        self._count()
        if origin:
            facts = {"seal": origin.sequence, "database": origin.database_uuid}
            self.report.remark("copies", **facts)

    # === SEALS === #

    def _check_place(self, seal, before):
        """The number follows, and the seal before is the one that this one names."""
        last = before.sequence if before else 0
        if seal.sequence == last:
            self.report.add("seal.repeated", seal=seal.sequence)
        elif seal.sequence != last + 1:
            self.report.add("seal.missing", seal=last + 1)
        elif seal.previous != (before.hash if before else NOTHING):
            facts = {"seal": seal.sequence, "at": seal.at, "before": last}
            self.report.add("seal.order", **facts)

    def _check_seal(self, seal):
        """The seal fits itself and its signature; return whether its members can be relied on."""
        try:
            is_consistent = seal.is_consistent()
        except (TypeError, ValueError, OverflowError):
            is_consistent = False
        if not is_consistent:
            self.report.add("seal.changed", seal=seal.sequence, at=seal.at)
            return False
        self.signed.check(seal)
        return True

    # === EVENTS === #

    def _check_events(self, seal):
        """The events of a seal are exactly those that it names, each as it was."""
        sealed, seen, found = seal.leaves(), set(), []
        for event_id, now, line, *what in self.index.sql(
            "SELECT id, leaf, line, kind, at FROM event WHERE seal = ? ORDER BY id", seal.sequence
        ):
            if event_id not in sealed or event_id in seen:
                found.append((event_id, "event.inserted", what))
            elif now != sealed[event_id]:
                found.append((event_id, "event.changed", what))
                self.changed[event_id] = sealed[event_id], line
            seen.add(event_id)
        for event_id in sealed.keys() - seen:
            elsewhere = self.index.sql("SELECT 1 FROM event WHERE id = ?", event_id)
            found.append((event_id, "event.moved" if elsewhere else "event.missing", None))
        for event_id, code, what in sorted(found, key=lambda row: row[0]):
            facts = {"event": event_id, "seal": seal.sequence}
            self.report.add(code, **facts, **({"what": what_of(*what)} if what else {}))

    def _check_times(self, seal, baseline):
        """No event is much older than the last seal before which left nothing unsealed."""
        limit = _earlier(baseline.at, seal.window_seconds + LONGEST_TRANSACTION)
        query = "SELECT id, at FROM event WHERE seal = ? AND at < ? ORDER BY id"
        for event_id, at in self.index.sql(query, seal.sequence, limit):
            self._backdated(event_id, at, baseline)

    def _backdated(self, event_id, at, baseline):
        before = {"before": baseline.sequence, "before_at": baseline.at}
        self.report.add("event.backdated", event=event_id, at=at, **before)

    def _find_reordered(self):
        """Among changed events: has one the content of another? Then say that instead."""
        if not 2 <= len(self.changed) <= MOST_COMPARED:
            return
        for number, finding in enumerate(self.report.findings):
            if finding.code != "event.changed" or finding.facts["event"] not in self.changed:
                continue
            _, line = self.changed[finding.facts["event"]]
            others = (
                event_id
                for event_id, (sealed, _) in self.changed.items()
                if leaf(with_id(line, event_id)) == sealed
            )
            if (other := next(others, None)) is not None:
                facts = finding.facts | {"other": other}
                self.report.findings[number] = Finding("event.reordered", facts)

    def _check_seals_named(self):
        """Events name only seals that are there."""
        for seal, event_id, count in self.index.sql(
            "SELECT seal, min(id), count(*) FROM event WHERE seal IS NOT NULL"
            " AND seal NOT IN (SELECT sequence FROM seal) GROUP BY seal ORDER BY seal"
        ):
            self.report.add("seal.dropped", seal=seal, event=event_id, count=count)

    def _check_unsealed(self, newest, baseline):
        """Nothing waits for its seal longer than allowed, or pretends to be older than it is."""
        count, oldest = self.index.sql("SELECT count(*), min(at) FROM event WHERE seal IS NULL")[0]
        self.report.unsealed = count
        if not count:
            return
        minutes = self._window_minutes(newest)
        if baseline:
            limit = _earlier(baseline.at, minutes * 60 + LONGEST_TRANSACTION)
            query = "SELECT id, at FROM event WHERE seal IS NULL AND at < ? ORDER BY id"
            for event_id, at in self.index.sql(query, limit):
                self._backdated(event_id, at, baseline)
        late, event_id, at = self.index.sql(
            "SELECT count(*), id, min(COALESCE(at, '')) FROM event"
            " WHERE seal IS NULL AND COALESCE(at, '') < ?",
            _earlier(self.now, minutes * 60),
        )[0]
        if late:
            facts = {"event": event_id, "at": at, "count": late, "minutes": minutes}
            self.report.add("event.unsealed", **facts)
        self.report.remark("unsealed", count=count, at=oldest, minutes=minutes)

    def _window_minutes(self, newest):
        text = _parameter(self.index, WINDOW)
        if text and text.isdigit():
            return int(text)
        return newest.window_seconds // 60 if newest else DEFAULT_WINDOW

    # === HEAD === #

    def _check_head(self, newest):
        """The chain goes at least as far as the head outside says, over all heads of its log."""
        heads = self.trust.heads
        other = [number for number in sorted(heads) if self.hashes.get(number) != heads[number]]
        if heads and not other:
            self.signed.vouch(max(heads))
        self.signed.conclude()
        if not heads:
            self.report.remark("head.none")
        elif other and other[0] in self.hashes:
            self.report.add("head.different", seal=other[0])
        elif other:
            last = newest.sequence if newest else 0
            self.report.add("head.ahead", seal=other[-1], newest=last)
        else:
            self.report.remark("head.fits", file=self.trust.head_path or NEVER, seal=max(heads))
            if len(heads) > 1:
                self.report.remark("head.log", count=len(heads))

    # === DETAILS === #

    def _check_details(self):
        """Each detail is the one that its event committed to, or says that it was erased."""
        for event_id, digest, rows, uuid, sealed, is_erased, text, *what in self.index.each(
            "SELECT e.id, e.detail, count(d.event), d.uuid, d.sealed, d.is_erased, d.text,"
            " e.kind, e.at FROM event e LEFT JOIN detail d ON d.event = e.id"
            " WHERE e.detail IS NOT NULL GROUP BY e.rowid ORDER BY e.id"
        ):
            if rows > 1:
                self.report.add("detail.inserted", event=event_id)
                continue
            state = self._state_of(digest, rows, uuid, sealed, is_erased, text)
            if state in self.report.details:
                self.report.details[state] += 1
            else:
                self.report.add(f"detail.{state}", event=event_id, what=what_of(*what))
        for (event_id,) in self.index.each(
            "SELECT d.event FROM detail d JOIN event e ON e.id = d.event WHERE e.detail IS NULL"
            " ORDER BY d.event"
        ):
            self.report.add("detail.inserted", event=event_id)
        if any(self.report.details.values()):
            self.report.remark("details", **self.report.details)

    def _state_of(self, digest, rows, uuid, sealed, is_erased, text):
        if not rows or (sealed is None and text is None and not is_erased):
            return "missing"
        if sealed is None and text is None:
            return "erased"
        if text is None:
            if not self.trust.vault:
                return "unchecked"
            try:
                text = self.trust.vault.open(sealed, DETAIL, uuid or "", "content")
            except VaultLocked:
                return "unchecked"
            except SealBroken:
                return "changed"
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        return "fine" if hashlib.sha256(data).hexdigest() == digest else "changed"

    def _count(self):
        query = "SELECT count(*), min(at), max(at) FROM event WHERE seal IS NOT NULL"
        [(self.report.events, self.report.first, self.report.last)] = self.index.sql(query)


class Signatures:
    """Collects who signed what, seal by seal, and says at the end whether it can be believed."""

    def __init__(self, trust, report):
        self._trust, self._report = trust, report
        self._names = {}
        self._vouched = 0
        self._first_unknown, self._last_unknown = None, None

    def check(self, seal):
        """Note the signature of the next seal."""
        name = self._trust.name_of(seal.public_key)
        if not seal.is_signed_by(seal.public_key):
            facts = {"seal": seal.sequence, "at": seal.at, "key": seal.key_id}
            self._report.add("seal.signature", **facts)
        elif name:
            self._names[name] = None
            self._vouched = seal.sequence
            self._first_unknown = None
        else:
            self._first_unknown = self._first_unknown or seal
            self._last_unknown = seal

    def vouch(self, sequence):
        """A head from outside names this seal."""
        if not self._trust.has_keys:
            self._vouched = max(self._vouched, sequence)

    def break_off(self):
        """The next seal does not vouch for those before it."""
        unknown, self._first_unknown = self._first_unknown, None
        if not unknown:
            return
        mark = unknown.fingerprint
        if self._trust.has_keys:
            facts = {"seal": unknown.sequence, "at": unknown.at, "key": unknown.key_id}
            self._report.add("seal.key", fingerprint=mark, **facts)
        else:
            self._report.remark("keys.unknown", fingerprint=mark)

    def conclude(self):
        """There is no further seal: say what can be believed."""
        if self._last_unknown and not self._first_unknown:
            self._report.remark("keys.covered", seal=self._last_unknown.sequence)
        self.break_off()
        self._report.is_vouched = self._vouched > 0
        if self._names:
            self._report.remark("keys.trusted", keys=", ".join(self._names))


def what_of(kind, at) -> str:
    """Return what an event is called in a sentence."""
    return f"{kind}, {shown(at)}"


def _parameter(index, key):
    rows = index.sql("SELECT value FROM parameter WHERE key = ?", key)
    return rows[0][0] if rows else None


def _newest_time(index):
    times = index.sql("SELECT max(at) FROM (SELECT at FROM event UNION ALL SELECT at FROM seal)")
    return times[0][0]


def _earlier(at, seconds):
    """Canonical text of a time so many seconds before ``at``; "" when that is no time."""
    try:
        return text_of(datetime.fromisoformat(at) - timedelta(seconds=seconds))
    except (ValueError, TypeError, OverflowError):
        return ""
