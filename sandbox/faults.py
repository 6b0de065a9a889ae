"""Fault switches: rules that make a vendor misbehave, per request and repeatable by seed."""

import random
import re
import threading
from dataclasses import dataclass, field

__all__ = ["KINDS", "FaultError", "FaultRule", "Faults"]

#: kind → what happens, and whether the vendor acts on the request.
KINDS = {
    "429": "refused with 429 and Retry-After; not acted on",
    "500": "refused with 500; not acted on",
    "503": "refused with 503 (and Retry-After when given); not acted on",
    "delay": "waits delay_ms, then acts and answers as usual",
    "act_then_timeout": "acts, then keeps silent for delay_ms and closes without an answer",
    "act_then_500": "acts, then answers 500",
    "malformed": "acts, then answers with the right status and half of the body",
    "drop": "closes the connection; not acted on",
}
#: Milliseconds waited when a rule gives no delay_ms.
DEFAULT_DELAY_MS = {"act_then_timeout": 30_000, "delay": 1_000}
_FIELDS = {
    "vendor",
    "match",
    "kind",
    "times",
    "probability",
    "seed",
    "retry_after",
    "delay_ms",
}


class FaultError(ValueError):
    """A rule that makes no sense; the text says which field and why."""


@dataclass
class FaultRule:
    """One rule. ``match`` is ``"METHOD /path-regex"``, METHOD may be ``*``; the pattern is searched
    in the vendor's path (without prefix and query). ``times`` None = for ever."""

    kind: str
    vendor: str = "*"
    match: str = "* /"
    times: int | None = None
    probability: float = 1.0
    seed: int = 0
    retry_after: int | None = None
    delay_ms: float | None = None
    hits: int = 0
    method: str = field(init=False, repr=False)
    pattern: re.Pattern = field(init=False, repr=False)
    dice: random.Random = field(init=False, repr=False)

    def __post_init__(self):
        if self.kind not in KINDS:
            raise FaultError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        self.method, _space, pattern = self.match.partition(" ")
        if not pattern:
            raise FaultError(f"match must read 'METHOD /path-regex', not {self.match!r}")
        try:
            self.pattern = re.compile(pattern)
        except re.error as error:
            raise FaultError(f"match: {error}") from error
        if not 0 <= self.probability <= 1:
            raise FaultError("probability must lie between 0 and 1")
        self.dice = random.Random(self.seed)

    @classmethod
    def parse(cls, values):
        """Return the rule of a JSON object; unknown fields are refused."""
        unknown = set(values) - _FIELDS
        if unknown:
            raise FaultError(f"unknown field {', '.join(sorted(unknown))}")
        given = {key: value for key, value in values.items() if value is not None}
        if "kind" not in given:
            raise FaultError("kind is missing")
        return cls(**{**given, "kind": str(given["kind"])})

    @property
    def delay_seconds(self):
        """Return how long to wait, in seconds."""
        given = self.delay_ms
        return (DEFAULT_DELAY_MS.get(self.kind, 0) if given is None else given) / 1000

    def fires(self, vendor, request):
        """Tell whether the rule acts on this request, and count it if so."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.vendor not in ("*", vendor) or self.method not in ("*", request.method):
            return False
        if not self.pattern.search(request.path):
            return False
        if self.probability < 1 and self.dice.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def as_dict(self):
        """Return the rule as JSON values, with its ``hits``."""
        return {name: getattr(self, name) for name in sorted(_FIELDS)} | {"hits": self.hits}


class Faults:
    """The rules in force, in order; the first that fires wins. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._rules = []

    def replace(self, rules):
        """Put these JSON objects in force instead of the present rules.

        :raises FaultError: one of them makes no sense; the present rules stay.
        """
        if not isinstance(rules, list):
            raise FaultError("a list of rules is expected")
        parsed = [FaultRule.parse(values) for values in rules]
        with self._lock:
            self._rules = parsed

    def choose(self, vendor, request):
        """Return the rule that acts on this request, or None."""
        if not self._rules:
            return None
        with self._lock:
            return next((rule for rule in self._rules if rule.fires(vendor, request)), None)

    def as_list(self):
        """Return the rules as JSON values."""
        with self._lock:
            return [rule.as_dict() for rule in self._rules]
