"""A small audit trail in memory: events, seals, and a source that shows them."""

import base64
from datetime import UTC, datetime, timedelta

from odoo.addons.finance_connector_base.evidence.index import Index
from odoo.addons.finance_connector_base.evidence.rows import Event, Parameter, text_of
from odoo.addons.finance_connector_base.evidence.seal import new_seal
from odoo.addons.finance_connector_base.evidence.signing import signers
from odoo.addons.finance_connector_base.evidence.verify import trust_of, verify
from odoo.addons.finance_connector_base.vault import KeyRing

UUID = "0c8d5c5e-0000-4000-8000-000000000001"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
WINDOW = 300


def ring(*letters):
    """A key ring with a key for each letter, the first one signing."""
    return KeyRing.from_text(
        "\n".join(f"k-{x}:{base64.b64encode(x.encode() * 32).decode()}" for x in letters)
    )


def event(number, minute=None, **values):
    """Event ``number``, by default so many minutes after the start."""
    at = text_of(START + timedelta(minutes=number if minute is None else minute))
    columns = dict.fromkeys(Event._fields) | {
        "id": number,
        "at": at,
        "kind": "job.done",
        "user_id": 2,
        "data": f'{{"amount": "{number}.50", "job": {number}}}',
        "schema_version": 1,
    }
    return Event(**columns | values)


class Chain:
    """Events and seals that a test may tamper with; `check` verifies them."""

    def __init__(self, keys=None):
        self.ring = keys or ring("a")
        self.events = {}
        self.seals = []
        self.details = []
        self.now = None
        self.uuid = UUID

    def add(self, *events):
        """Add events, unsealed."""
        self.events |= {event.id: event for event in events}
        return self

    def seal(self, minute=None, limit=5000, keys=None):
        """Seal what is unsealed, at the time of the newest event or in that minute."""
        waiting = [row for _, row in sorted(self.events.items()) if row.seal_id is None]
        taken = waiting[:limit]
        at = max(row.at for row in self.events.values() if row.at)
        if minute is not None:
            at = text_of(START + timedelta(minutes=minute))
        seal = new_seal(
            taken,
            self.seals[-1] if self.seals else None,
            signers(keys or self.ring)[0],
            database_uuid=self.uuid,
            at=at,
            window=WINDOW,
            is_complete=taken == waiting,
        )
        self.seals.append(seal)
        self.events |= {row.id: row._replace(seal_id=seal.sequence) for row in taken}
        return seal

    def change(self, number, **values):
        """Change columns of an event."""
        self.events[number] = self.events[number]._replace(**values)

    # A chain is its own source.
    label = "test"

    def rows(self):
        """What a source yields."""
        yield Parameter("database.uuid", self.uuid)
        yield from self.events.values()
        yield from self.seals
        yield from self.details

    def check(self, keys=None, **trust):
        """The `Report` of somebody who trusts our keys, or those given (False: none)."""
        trusted = self.ring if keys is None else keys or None
        with Index() as index:
            return verify(self, index, lambda uuid: trust_of(trusted, **trust))


def chain_of(*sizes, keys=None):
    """A chain whose seals have so many events each, one a minute."""
    chain, number = Chain(keys), 0
    for size in sizes:
        chain.add(*(event(number + step) for step in range(1, size + 1)))
        chain.seal()
        number += size
    return chain


def first(report):
    """(code, event or seal) of the first finding."""
    finding = report.findings[0]
    return finding.code, finding.facts.get("event", finding.facts.get("seal"))
