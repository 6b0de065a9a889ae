"""Sealing in the database, on any cursor whose statements each see what is committed.

The lock comes first and every statement after it has a snapshot of its own (READ COMMITTED), so two
sealers never continue from the same seal; the unique sequence stands behind that. Only rows that
are committed are touched, and only their seal: business transactions don't notice.
"""

from .rows import AT, Event
from .seal import Seal, new_seal

SEAL_LOCK = 0x46494E03
BATCH = 5000

EVENT_COLUMNS = ", ".join(
    {"at": AT, "data": "data::text"}.get(name, name) for name in Event._fields
)
SEAL_COLUMNS = ", ".join({"at": AT}.get(name, name) for name in Seal._fields)

_NEWEST = f"SELECT {SEAL_COLUMNS} FROM finance_audit_seal ORDER BY sequence DESC LIMIT 1"
_UNSEALED = f"""
    SELECT {EVENT_COLUMNS} FROM finance_audit_event
     WHERE seal_id IS NULL ORDER BY id LIMIT %s
"""
_NOW = f"SELECT {AT} FROM (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS at) now"
_MARK = "UPDATE finance_audit_event SET seal_id = %s WHERE id = ANY(%s) AND seal_id IS NULL"
_ADD = f"""
    INSERT INTO finance_audit_seal ({", ".join(Seal._fields)})
    VALUES ({", ".join(f"%({name})s" for name in Seal._fields)})
"""


class SealConflict(Exception):
    """Events that were to be sealed were taken by somebody who doesn't hold the lock."""


def newest_seal(cursor) -> Seal | None:
    """Return the newest `Seal`."""
    cursor.execute(_NEWEST)
    row = cursor.fetchone()
    return seal_of(row) if row else None


def seal_of(row) -> Seal:
    """Return the `Seal` of a row of `SEAL_COLUMNS`."""
    seal = Seal(*row)
    return seal._replace(members=bytes(seal.members or b""))


def seal_batch(cursor, signer, database_uuid, window, limit=BATCH) -> Seal | None:
    """Seal the first unsealed events in the open transaction; return the seal.

    None when nothing is unsealed or another sealer is at work. window: seconds, see `Seal`. The
    caller commits, and calls again while the seal is not complete. Raises `SealConflict`.
    """
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [SEAL_LOCK])
    if not cursor.fetchone()[0]:
        return None
    previous = newest_seal(cursor)
    cursor.execute(_UNSEALED, [limit])
    events = [Event(*row) for row in cursor.fetchall()]
    if not events:
        return None
    cursor.execute(_NOW)
    seal = new_seal(
        events,
        previous,
        signer,
        database_uuid=database_uuid,
        at=cursor.fetchone()[0],
        window=window,
        is_complete=len(events) < limit,
    )
    cursor.execute(_MARK, [seal.sequence, [event.id for event in events]])
    if cursor.rowcount != len(events):
        raise SealConflict(f"Seal {seal.sequence}: {cursor.rowcount} of {len(events)} events left")
    cursor.execute(_ADD, seal._asdict())
    return seal
