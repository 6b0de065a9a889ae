"""What a lookup in a mapping found, and what it did not."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


class Hit(NamedTuple):
    """What one value is at the other side.

    code, label: the external code and its words. line_id: the line that says so. rule: why this
    line: "record", "code", "name" or "default"; prefix: what the code or name begins with.
    """

    code: str
    label: str
    line_id: int
    rule: str
    prefix: str


@dataclass(frozen=True)
class Answer:
    """Codes of many Odoo records of one kind on one business day.

    found: {record id: `Hit`}. missing: ids without a code, in the order they were asked for.
    mapping_id, version_id: where it was looked up; None where there is no such mapping, or no
    approved version of it, and then everything is missing. company_id, connector_id, scope: for
    whom.
    """

    kind: str
    day: date
    company_id: int
    connector_id: int | None
    scope: str
    mapping_id: int | None = None
    version_id: int | None = None
    found: dict = field(default_factory=dict)
    missing: tuple = ()

    @property
    def codes(self):
        """{record id: external code} of what was found."""
        return {record_id: hit.code for record_id, hit in self.found.items()}


@dataclass(frozen=True)
class Reverse:
    """Odoo records of many external codes on one business day.

    found: {external code: (record id, line id)}. ambiguous: {external code: ids of the records it
    could be}. missing: codes that no line has.
    """

    mapping_id: int | None = None
    version_id: int | None = None
    found: dict = field(default_factory=dict)
    ambiguous: dict = field(default_factory=dict)
    missing: tuple = ()

    @property
    def records(self):
        """{external code: record id} of what was found."""
        return {code: record_id for code, (record_id, _line) in self.found.items()}
