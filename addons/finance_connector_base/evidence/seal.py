"""One seal: a signed statement about the events in it and the seal before it.

What is signed is the payload, canonical JSON. Its SHA-256 is the seal's hash, which the next seal
names as ``previous``. The events are named in the members: 40 bytes each, the id (8 bytes, most
significant first) and the leaf, in the order of the ids; the tree is built over these leaves.
"""

import hashlib
from typing import NamedTuple

from . import merkle
from .rows import canonical, leaf
from .signing import fingerprint, is_signed

VERSION = 1
NOTHING = "0" * 64
ID_BYTES = 8
MEMBER_BYTES = 40
# How much longer than the window an event may take from its time to its commit: by then a
# transaction has ended (Odoo's own limits are minutes), or its events count as back-dated.
LONGEST_TRANSACTION = 3600

# What is signed, by its name in the payload.
SIGNED = {
    "at": "at",
    "complete": "is_complete",
    "count": "count",
    "database": "database_uuid",
    "fingerprint": "fingerprint",
    "first": "first_event_id",
    "key": "key_id",
    "last": "last_event_id",
    "members": "members_digest",
    "previous": "previous",
    "root": "root",
    "sequence": "sequence",
    "version": "version",
    "window": "window_seconds",
}


class Seal(NamedTuple):
    """One row of finance_audit_seal. Digests, keys and signatures are hexadecimal text.

    at: canonical text; window_seconds: the longest time that events were to stay unsealed;
    is_complete: no event that could be seen was left without a seal.
    """

    sequence: int
    at: str
    version: int
    database_uuid: str
    previous: str
    root: str
    count: int
    first_event_id: int
    last_event_id: int
    window_seconds: int
    is_complete: bool
    members: bytes
    members_digest: str
    hash: str
    key_id: str
    public_key: str
    signature: str

    @property
    def payload(self) -> bytes:
        """The bytes that are signed."""
        return canonical({name: getattr(self, field) for name, field in SIGNED.items()}).encode()

    @property
    def fingerprint(self) -> str:
        """What the public key is known by."""
        return fingerprint(self.public_key)

    def leaves(self) -> dict:
        """Return {event id: leaf} of the members, in their order."""
        return dict(_members(self.members))

    def is_consistent(self) -> bool:
        """Tell whether members, root and hash fit together, whoever signed them."""
        ids = [event_id for event_id, _ in _members(self.members)]
        return (
            len(self.members) == MEMBER_BYTES * self.count == MEMBER_BYTES * len(set(ids))
            and ids == sorted(ids)
            and (ids[:1], ids[-1:]) == ([self.first_event_id], [self.last_event_id])
            and _sha256(self.members) == self.members_digest
            and merkle.root(leaf for _, leaf in _members(self.members)).hex() == self.root
            and _sha256(self.payload) == self.hash
        )

    def is_signed_by(self, public_key) -> bool:
        """Tell whether this key signed the payload."""
        return is_signed(public_key, self.signature, self.payload)


def new_seal(events, previous, signer, *, database_uuid, at, window, is_complete) -> Seal:
    """Return the next seal, over ``events`` (in the order of their ids, at least one).

    previous: the `Seal` before, or None for the first one.
    """
    members = b"".join(
        event.id.to_bytes(ID_BYTES, "big", signed=True) + leaf(event.line) for event in events
    )
    seal = Seal(
        sequence=previous.sequence + 1 if previous else 1,
        at=at,
        version=VERSION,
        database_uuid=database_uuid,
        previous=previous.hash if previous else NOTHING,
        root=merkle.root(leaf for _, leaf in _members(members)).hex(),
        count=len(events),
        first_event_id=events[0].id,
        last_event_id=events[-1].id,
        window_seconds=window,
        is_complete=is_complete,
        members=members,
        members_digest=_sha256(members),
        hash="",
        key_id=signer.key_id,
        public_key=signer.public_key,
        signature="",
    )
    payload = seal.payload
    return seal._replace(hash=_sha256(payload), signature=signer.sign(payload))


def _members(members):
    for start in range(0, len(members), MEMBER_BYTES):
        event_id = int.from_bytes(members[start : start + ID_BYTES], "big", signed=True)
        yield event_id, members[start + ID_BYTES : start + MEMBER_BYTES]


def _sha256(data):
    return hashlib.sha256(data).hexdigest()
