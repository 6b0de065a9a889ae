"""What somebody who owns the tables can do to the audit trail, with the triggers switched off.

Each way is a function of a `Culprit`; it returns what a verification must name first: the code of
the finding, and the number of the event or the seal.
"""

from odoo.addons.finance_connector_base.evidence.rows import Event
from odoo.addons.finance_connector_base.evidence.seal import MEMBER_BYTES, Seal, new_seal
from odoo.addons.finance_connector_base.evidence.sealing import (
    EVENT_COLUMNS,
    SEAL_COLUMNS,
    seal_of,
)

# Column: what it is changed to.
CHANGES = {
    "at": "at + interval '1 microsecond'",
    "user_id": "COALESCE(user_id, 0) + 1",
    "company_id": "COALESCE(company_id, 0) + 1",
    "connector_id": "COALESCE(connector_id, 0) + 1",
    "kind": "kind || ' '",
    "res_model": "COALESCE(res_model, '') || 'x'",
    "res_id": "COALESCE(res_id, 0) + 1",
    "trace_id": "COALESCE(trace_id, '') || 'x'",
    "data": "COALESCE(data, '{}') || '{\"amount\": \"0.01\"}'",
    "schema_version": "schema_version + 1",
}
SEAL_CHANGES = {
    "at": "at + interval '1 microsecond'",
    "count": "count + 1",
    "root": "translate(root, '0123456789', '1234567890')",
    "members": "overlay(members placing '\\x00' from 12)",
    "first_event_id": "first_event_id - 1",
    "window_seconds": "window_seconds * 100",
    "public_key": "translate(public_key, '0123456789', '1234567890')",
    "key_id": "key_id || 'x'",
}


class Culprit:
    """Has a cursor, a random generator, the true signer and one of the own."""

    def __init__(self, cursor, pick, true, own):
        self.cursor, self.pick, self.true, self.own = cursor, pick, true, own
        for table in ("finance_audit_event", "finance_audit_seal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")

    def sql(self, query, *values):
        """The rows of a statement."""
        self.cursor.execute(query, values or None)
        return self.cursor.fetchall() if self.cursor.description else []

    def an_event(self, condition="true"):
        """Any sealed event: (id, number of the seal)."""
        return self.pick.choice(
            self.sql(
                "SELECT id, seal_id FROM finance_audit_event WHERE seal_id IS NOT NULL"
                f" AND {condition} ORDER BY id"
            )
        )

    def newest(self):
        """The number of the newest seal."""
        return self.sql("SELECT max(sequence) FROM finance_audit_seal")[0][0]

    def sealed_again(self, start, signer):
        """All seals from ``start`` on made again; without a signer, with the signatures as are."""
        rows = self.sql(f"SELECT {SEAL_COLUMNS} FROM finance_audit_seal ORDER BY sequence")
        seals = [seal_of(row) for row in rows]
        for position in range(start - 1, len(seals)):
            old = seals[position]
            events = [Event(*row) for row in self.sql(
                f"SELECT {EVENT_COLUMNS} FROM finance_audit_event WHERE seal_id = %s ORDER BY id",
                old.sequence,
            )]  # fmt: skip
            new = new_seal(
                events, seals[position - 1] if position else None, signer or self.true,
                database_uuid=old.database_uuid, at=old.at, window=old.window_seconds,
                is_complete=old.is_complete,
            )  # fmt: skip
            seals[position] = new if signer else new._replace(signature=old.signature)
            values = seals[position]._asdict()
            names = ", ".join(f"{name} = %({name})s" for name in Seal._fields)
            self.cursor.execute(
                f"UPDATE finance_audit_seal SET {names} WHERE sequence = %(sequence)s", values
            )


def change(culprit):
    """One column of one event."""
    event, _seal = culprit.an_event()
    column = culprit.pick.choice(list(CHANGES))
    culprit.sql(f"UPDATE finance_audit_event SET {column} = {CHANGES[column]} WHERE id = %s", event)
    return "event.changed", event


def delete(culprit):
    """One event."""
    event, _seal = culprit.an_event()
    culprit.sql("DELETE FROM finance_audit_event WHERE id = %s", event)
    return "event.missing", event


COPY = """
    INSERT INTO finance_audit_event (at, user_id, company_id, connector_id, kind, res_model, res_id,
                                     trace_id, data, schema_version, seal_id)
    SELECT at - interval '1 day' * %s, user_id, company_id, connector_id, kind, res_model, res_id,
           trace_id, data - 'detail', schema_version, {seal}
      FROM finance_audit_event WHERE id = %s RETURNING id
"""


def insert(culprit):
    """One event more in a seal."""
    event, _seal = culprit.an_event()
    [(added,)] = culprit.sql(COPY.format(seal="seal_id"), 0, event)
    return "event.inserted", added


def backdate(culprit):
    """One event more, of days ago, for the next seal to take."""
    event, _seal = culprit.an_event()
    [(added,)] = culprit.sql(COPY.format(seal="NULL"), culprit.pick.randint(1, 400), event)
    return "event.backdated", added


def reorder(culprit):
    """Two events change places."""
    one, first = culprit.an_event()
    other, second = culprit.an_event(f"id <> {one}")
    columns = [name for name in Event._fields if name not in ("id", "seal_id")]
    pairs = ", ".join(f"{name} = other.{name}" for name in columns)
    culprit.sql(
        f"UPDATE finance_audit_event e SET {pairs} FROM finance_audit_event other"
        " WHERE (e.id, other.id) IN ((%s, %s), (%s, %s))", one, other, other, one,
    )  # fmt: skip
    return "event.reordered", min((first, one), (second, other))[1]


def unmark(culprit):
    """One event is taken out of its seal, so that the next seal takes it as it is then."""
    event, _seal = culprit.an_event()
    column = culprit.pick.choice(["user_id", "kind"])
    culprit.sql(
        f"UPDATE finance_audit_event SET seal_id = NULL, {column} = {CHANGES[column]}"
        " WHERE id = %s", event,
    )  # fmt: skip
    return "event.moved", event


def recompute_without_key(culprit):
    """One event is changed, and all digests from its seal on."""
    event, seal = culprit.an_event()
    culprit.sql("UPDATE finance_audit_event SET user_id = 4711 WHERE id = %s", event)
    culprit.sealed_again(seal, None)
    return "seal.signature", seal


def recompute_with_own_key(culprit):
    """One event is deleted, and all later seals are made again with another key."""
    event, seal = culprit.an_event(
        "seal_id IN (SELECT sequence FROM finance_audit_seal WHERE count > 1)"
    )
    culprit.sql("DELETE FROM finance_audit_event WHERE id = %s", event)
    culprit.sealed_again(seal, culprit.own)
    return "seal.key", seal


def recompute_with_the_key(culprit):
    """By somebody who even has the key: only the heads outside tell."""
    event, seal = culprit.an_event()
    culprit.sql("UPDATE finance_audit_event SET user_id = 4711 WHERE id = %s", event)
    culprit.sealed_again(seal, culprit.true)
    return "head.different", seal


def drop(culprit):
    """The newest seals with their events."""
    newest = culprit.newest()
    start = culprit.pick.randint(2, newest)
    culprit.sql("DELETE FROM finance_audit_event WHERE seal_id >= %s", start)
    culprit.sql("DELETE FROM finance_audit_seal WHERE sequence >= %s", start)
    return "head.ahead", newest


def drop_marks(culprit):
    """The newest seals; their events wait for a seal again, as if they had just happened."""
    newest = culprit.newest()
    start = culprit.pick.randint(2, newest)
    culprit.sql("UPDATE finance_audit_event SET seal_id = NULL WHERE seal_id >= %s", start)
    culprit.sql("DELETE FROM finance_audit_seal WHERE sequence >= %s", start)
    return "head.ahead", newest


def drop_seals_alone(culprit):
    """The newest seals; their events still name them."""
    start = culprit.pick.randint(2, culprit.newest())
    culprit.sql("DELETE FROM finance_audit_seal WHERE sequence >= %s", start)
    return "seal.dropped", start


def remove_a_seal(culprit):
    """One seal in the middle."""
    seal = culprit.pick.randint(1, culprit.newest() - 1)
    culprit.sql("DELETE FROM finance_audit_seal WHERE sequence = %s", seal)
    return "seal.missing", seal


def change_a_seal(culprit):
    """One column of one seal."""
    seal = culprit.pick.randint(1, culprit.newest())
    column = culprit.pick.choice(list(SEAL_CHANGES))
    culprit.sql(
        f"UPDATE finance_audit_seal SET {column} = {SEAL_CHANGES[column]} WHERE sequence = %s",
        seal,
    )
    return "seal.changed", seal


def change_a_signature(culprit):
    """The signature of one seal."""
    seal = culprit.pick.randint(1, culprit.newest())
    culprit.sql(
        "UPDATE finance_audit_seal SET signature = reverse(signature) WHERE sequence = %s", seal
    )
    return "seal.signature", seal


def swap_members(culprit):
    """Two leaves change places in a seal, as their events do."""
    [(seal, members)] = [
        culprit.pick.choice(
            culprit.sql("SELECT sequence, members FROM finance_audit_seal WHERE count > 1")
        )
    ]
    members = bytes(members)
    parts = [members[i : i + MEMBER_BYTES] for i in range(0, len(members), MEMBER_BYTES)]
    one, other = culprit.pick.sample(range(len(parts)), 2)
    ids, leaves = [part[:8] for part in parts], [part[8:] for part in parts]
    leaves[one], leaves[other] = leaves[other], leaves[one]
    swapped = b"".join(id_ + leaf for id_, leaf in zip(ids, leaves, strict=True))
    culprit.sql("UPDATE finance_audit_seal SET members = %s WHERE sequence = %s", swapped, seal)
    return "seal.changed", seal


def change_a_detail(culprit):
    """The details of one event become those of another."""
    rows = culprit.sql("SELECT event_id FROM finance_audit_detail ORDER BY event_id")
    one, other = (row[0] for row in culprit.pick.sample(rows, 2))
    culprit.sql(
        "UPDATE finance_audit_detail d SET uuid = o.uuid, content_sealed = o.content_sealed"
        " FROM finance_audit_detail o WHERE d.event_id = %s AND o.event_id = %s", one, other,
    )  # fmt: skip
    return "detail.changed", one


def delete_a_detail(culprit):
    """The details of one event, row and all, instead of erasing them."""
    rows = culprit.sql("SELECT event_id FROM finance_audit_detail ORDER BY event_id")
    [event] = culprit.pick.choice(rows)
    culprit.sql("DELETE FROM finance_audit_detail WHERE event_id = %s", event)
    return "detail.missing", event


WAYS = (
    change,
    delete,
    insert,
    backdate,
    reorder,
    unmark,
    recompute_without_key,
    recompute_with_own_key,
    recompute_with_the_key,
    drop,
    drop_marks,
    drop_seals_alone,
    remove_a_seal,
    change_a_seal,
    change_a_signature,
    swap_members,
    change_a_detail,
    delete_a_detail,
)
