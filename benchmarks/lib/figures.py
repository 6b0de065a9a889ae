"""How a figure is printed: one JSON object a line on standard output, a table on standard error."""

import contextlib
import json
import operator
import statistics
import sys
from dataclasses import dataclass, field

COMPARE = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Goal:
    """What a figure is to reach: ``of`` "ratio" or "ours", compared by ``sign`` with ``value``."""

    of: str
    sign: str
    value: float

    def __str__(self):
        return f"{self.of} {self.sign} {self.value:g}"


@dataclass
class Figures:
    """Collects figures; `table` shows them to people at the end."""

    rows: list = field(default_factory=list)
    stream: object = None

    def add(self, name, ours, *, peer=None, peer_name=None, limit=None, less_is_better=False,
            goal=None, n=None, note=""):  # fmt: skip
        """Print one figure. ours, peer: lists of measurements, of which the median counts.

        limit: a number that nothing can pass. ratio: how many times better than the peer, else
        how close to the limit; None without either.
        """
        ours, peer = _median(ours), _median(peer)
        ratio = _ratio(ours, peer if peer is not None else limit, less_is_better)
        row = {
            "figure": name,
            "ours": _short(ours),
            "peer": _short(peer),
            "peer_name": peer_name,
            "limit": _short(limit),
            "ratio": _short(ratio),
            "goal": str(goal) if goal else None,
            "ok": _reached(goal, {"ours": ours, "ratio": ratio}),
            "n": n,
        }
        if note:
            row["note"] = note
        self.rows.append(row)
        print(json.dumps(row), file=self.stream, flush=True)

    def table(self):
        """Print all figures as a table on standard error."""
        heads = ("figure", "ours", "peer", "limit", "ratio", "goal", "ok")
        words = {None: "-", True: "yes", False: "NO"}
        lines = [heads, *([_word(row[head], words) for head in heads] for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            print("  ".join(cells).rstrip(), file=sys.stderr)


@contextlib.contextmanager
def printing():
    """Keep standard output for figures alone; yield the `Figures`, and show the table at the end."""
    figures = Figures(stream=sys.stdout)
    with contextlib.redirect_stdout(sys.stderr):
        yield figures
    figures.table()


def alternate(rounds, *measures):
    """Call each of ``measures`` (functions of the round number) in turn, ``rounds`` times.

    A measure may be None (a peer that can't run). Return one list of results a measure, None for
    a measure that is None.
    """
    results = [None if measure is None else [] for measure in measures]
    for number in range(rounds):
        for measure, collected in zip(measures, results, strict=True):
            if measure is not None:
                collected.append(measure(number))
    return results


def _median(values):
    if values is None or isinstance(values, (int, float)):
        return values
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def _ratio(ours, other, less_is_better):
    if ours is None or other is None:
        return None
    above, below = (other, ours) if less_is_better else (ours, other)
    return above / below if below else None


def _reached(goal, values):
    if goal is None:
        return None
    value = values[goal.of]
    return None if value is None else COMPARE[goal.sign](value, goal.value)


def _short(value):
    return None if value is None else float(f"{value:.4g}")


def _word(value, words):
    return words[value] if value is None or isinstance(value, bool) else str(value)
