"""Numbers of documents, found in free text however people write them.

A number and a text become keys that are compared for equality only: no substring, no similarity, so
that a table with an index can hold them. "INV/2026/00123", "inv-2026-123", "INV 2026 00123",
"INV202600123" and "2026/123" have keys in common; "1" or "/" have none with it.
"""

import re
import unicodedata
from dataclasses import dataclass

from . import structured

# What a key says of the number it was made from, best first.
ID = 7  # id of a payment order, given by ourselves
STRUCTURED = 6  # a reference with check figures, or one made to be repeated
FULL = 5
LISTED = 4  # the end of a number, behind another of the same kind that is written in full
SHORT = 3  # without its prefix
SERIAL = 2  # the end alone, with its zeros
WEAK = 1  # the end alone, without its zeros, or few figures

RUN = re.compile(r"[A-Z]+|\d+")
DATES = re.compile(
    r"(?<!\d)(?:20\d\d-[01]\d-[0-3]\d|[0-3]?\d\.[01]?\d\.(?:20\d\d|\d\d)?|[0-3]?\d/[01]?\d/20\d\d)(?!\d)"
)
MONTH = re.compile(r"20\d\d\|(?:[1-9]|1[0-2])|(?:[1-9]|1[0-2])\|20\d\d")
MOST_RUNS, MOST_WINDOW, MOST_FIGURES_WINDOW = 80, 6, 8
LONGEST_WORD = 8  # of a prefix
LEAST_FIGURES = 3


@dataclass(frozen=True)
class Mention:
    """A key of a text. raw: its last run as it is written (with zeros)."""

    key: str
    raw: str
    month: bool = False


def fold(text: str) -> str:
    """Return ``text`` in capitals without accents.

    >>> fold("Straße Čedo")
    'STRASSE CEDO'
    """
    plain = unicodedata.normalize("NFKD", text.upper())
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).upper()


def compact(text: str) -> str:
    """Return the letters and figures of ``text``, folded.

    >>> compact("PAY-2026/01 x")
    'PAY202601X'
    """
    return re.sub(r"[^A-Z0-9]", "", fold(text))


def _stripped(run):
    return (run.lstrip("0") or "0") if run[0].isdigit() else run


def _norm(runs):
    return "|".join(_stripped(run) for run in runs)


def _joined(runs):
    text = "".join(runs)
    return text.lstrip("0") if text.isdigit() else text


def number_keys(name: str) -> dict[str, int]:
    """Return {key: form} of a document's number or reference.

    >>> number_keys("INV/2026/00123") == {
    ...     "INV|2026|123": FULL, "INV202600123": FULL, "2026|123": SHORT, "202600123": SHORT,
    ...     "123": SERIAL}
    True
    >>> number_keys("RF18 5390 0754 7034")["RF18539007547034"] == STRUCTURED
    True
    >>> number_keys("Thank you")
    {}
    """
    runs = RUN.findall(fold(name))[:12]
    figures = [run for run in runs if run.isdigit()]
    if not figures:
        return {}
    scheme = structured.scheme(name)
    if scheme:
        keys = {_joined(runs): STRUCTURED}
        if scheme == "rf":  # the number that it was made from
            keys |= {
                key: form for key, form in number_keys(compact(name)[4:]).items() if form == FULL
            }
        return keys
    keys = {}

    def add(key, form):
        if len(key.replace("|", "")) >= LEAST_FIGURES or form in (SERIAL, WEAK):
            keys[key] = max(form, keys.get(key, 0))

    whole = _by_figures(figures[0]) if len(runs) == 1 else FULL
    add(_norm(runs), whole)
    add(_joined(runs), whole)
    rest = runs
    while rest and not rest[0].isdigit():
        rest = rest[1:]
    if rest != runs:
        short = SHORT if len(rest) > 1 else min(SHORT, _by_figures(rest[0]))
        add(_norm(rest), short)
        add(_joined(rest), short)
    if len(figures) > 1:
        add(_stripped(figures[-1]), SERIAL)
    return keys


def _by_figures(run):
    """Return what a number of nothing but figures tells: the longer, the rarer."""
    count = len(run.lstrip("0"))
    return FULL if count >= 8 else SHORT if count >= 6 else SERIAL if count >= 4 else WEAK


def serial(name: str) -> str:
    """Return the last figures of a number as they are printed.

    >>> serial("INV/2026/00123")
    '00123'
    """
    figures = re.findall(r"\d+", name)
    return figures[-1] if figures else ""


def stem(name: str) -> str:
    """Return what comes before the last figures, as a key.

    >>> stem("INV/2026/00123")
    'INV|2026'
    """
    runs = RUN.findall(fold(name))
    while runs and not runs[-1].isdigit():
        runs.pop()
    return _norm(runs[:-1])


def text_mentions(text: str) -> dict[str, Mention]:
    """Return {key: Mention} of all that could be a number in free ``text``.

    >>> {"INV|2026|123", "2026|123", "123"} <= set(text_mentions("Rg INV-2026/ 123 v. 03.02.2026"))
    True
    >>> "2|2026" in text_mentions("vom 03.02.2026")
    False
    """
    mentions = {}
    right, _wrong = structured.found(text)
    for reference in right:
        key = _joined(RUN.findall(reference))
        mentions[key] = Mention(key, reference)
    runs = RUN.findall(DATES.sub(" , ", fold(text)))[:MOST_RUNS]
    for start, first in enumerate(runs):
        if first.isalpha() and len(first) > LONGEST_WORD:
            continue
        only_figures = True
        for end in range(start, min(start + MOST_FIGURES_WINDOW, len(runs))):
            run = runs[end]
            if not run.isdigit():
                only_figures = False
                if len(run) > LONGEST_WORD:
                    break
            if not only_figures and end - start >= MOST_WINDOW:
                break
            window = runs[start : end + 1]
            if run.isalpha() and not (len(run) <= 2 and any(map(str.isdigit, window))):
                continue
            _add(mentions, window, run)
    return mentions


def _add(mentions, window, run):
    norm = _norm(window)
    if norm not in mentions:
        mentions[norm] = Mention(norm, run, bool(MONTH.fullmatch(norm)) and len(run) != 5)
    if len(window) > 1:
        joined = _joined(window)
        mentions.setdefault(joined, Mention(joined, run))


def is_near(typed: str, printed: str) -> bool:
    """Tell whether one figure was wrong, missing, too much or swapped with its neighbour.

    >>> is_near("00132", "00123"), is_near("0123", "00123"), is_near("00321", "00123")
    (True, True, False)
    """
    if typed == printed or min(len(typed), len(printed)) < 4 or abs(len(typed) - len(printed)) > 1:
        return False
    start = 0
    while start < min(len(typed), len(printed)) and typed[start] == printed[start]:
        start += 1
    one, other = typed[start:], printed[start:]
    if len(one) == len(other):
        swapped = (
            len(one) > 1 and one[0] == other[1] and one[1] == other[0] and one[2:] == other[2:]
        )
        return swapped or one[1:] == other[1:]
    return one[1:] == other or one == other[1:]


def near_mention(text_runs: list[str], name: str) -> str:
    """Return the number in a text that ``name`` was mistyped as, "" without one.

    text_runs: `RUN` over the folded text. What stands before the last figures has to be right.
    """
    runs = RUN.findall(fold(name))
    if len(runs) < 2 or not runs[-1].isdigit() or len(runs[-1]) < 4:
        return ""
    before = [_stripped(run) for run in runs[:-1]]
    figures = [run for run in before if run.isdigit()]
    for place, typed in enumerate(text_runs):
        if not typed.isdigit() or not is_near(typed, runs[-1]):
            continue
        for ahead in (before, figures):
            start = place - len(ahead)
            if ahead and start >= 0 and [_stripped(run) for run in text_runs[start:place]] == ahead:
                return "/".join([*text_runs[start:place], typed])
    return ""
