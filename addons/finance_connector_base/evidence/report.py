"""What a verification found, and how it is told."""

from dataclasses import dataclass, field
from typing import NamedTuple

from .words import COUNTS, FINDINGS, OUTCOMES, REMARKS

MOST_FINDINGS = 20
NEVER = "–"


class Finding(NamedTuple):
    """One thing that is wrong: a code of `words.FINDINGS` and what stands in its sentence."""

    code: str
    facts: dict


@dataclass
class Report:
    """The result. findings: in the order in which they were found, the first `MOST_FINDINGS`;
    found: how many there are. is_vouched: a key or a head from outside stands for the chain."""

    label: str
    database: str = ""
    seals: int = 0
    events: int = 0
    first: str | None = None
    last: str | None = None
    unsealed: int = 0
    details: dict = field(default_factory=lambda: {"fine": 0, "erased": 0, "unchecked": 0})
    is_vouched: bool = False
    findings: list = field(default_factory=list)
    found: int = 0
    remarks: list = field(default_factory=list)

    def add(self, code, **facts):
        """Note a finding."""
        self.found += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(code, facts))

    def remark(self, code, **facts):
        """Note what a reader should know beside."""
        self.remarks.append((REMARKS[code], facts))

    @property
    def outcome(self) -> str:
        """A key of `words.OUTCOMES`."""
        if self.found:
            return "broken"
        if not self.seals:
            return "empty"
        return "sound" if self.is_vouched else "unproved"

    def sentences(self, translate=lambda text: text) -> list:
        """Return the report as sentences, the outcome first.

        translate: a function from the texts of `words` to the reader's language.
        """

        def told(text, facts):
            return translate(text) % {name: shown(value) for name, value in facts.items()}

        lines = [translate(OUTCOMES[self.outcome])]
        lines += [told(FINDINGS[finding.code], finding.facts) for finding in self.findings]
        remarks = self.remarks
        if self.found > len(self.findings):
            more = {"count": self.found - len(self.findings)}
            remarks = [(REMARKS["more"], more), *remarks]
        lines.append(told(COUNTS, {name: getattr(self, name) for name in _COUNTED}))
        return lines + [told(text, facts) for text, facts in remarks]


_COUNTED = ("events", "first", "last", "seals", "label", "database")


def shown(value) -> str:
    """Return a value as people read it: times without fractions, numbers in groups."""
    if value is None:
        return NEVER
    text = str(value)
    if len(text) == 27 and text.endswith("Z") and text[10] == "T":
        return f"{text[:10]} {text[11:19]} UTC"
    return text
