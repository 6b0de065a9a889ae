"""Which items come to an amount: bounded, and honest about several answers."""

from dataclasses import dataclass

MOST_ITEMS = 24
MOST_STATES = 20_000


@dataclass(frozen=True)
class Found:
    """positions: of the first answers, at most two. count: of all, 2 for "several". complete: False
    where the search was given up, so that there may be more."""

    positions: tuple[tuple[int, ...], ...] = ()
    count: int = 0
    complete: bool = True


def subsets(amounts: list[int], total: int, least: int = 2) -> Found:
    """Return which of ``amounts`` (in cents) sum to ``total``, with at least ``least`` of them.

    >>> subsets([100, 250, 400], 500).positions
    ((0, 2),)
    >>> subsets([100, 100, 400], 500).count
    2
    """
    if len(amounts) > MOST_ITEMS:
        return Found(complete=False)
    # Of each sum its ways, at most two with enough items and two with too few.
    states = {0: ((),)}
    for position, amount in enumerate(amounts):
        grown = {}
        for value, ways in states.items():
            kept = grown.setdefault(value + amount, [])
            kept.extend((*way, position) for way in ways)
        for value, ways in grown.items():
            states[value] = _bounded((*states.get(value, ()), *ways), least)
        if len(states) > MOST_STATES:
            return Found(complete=False)
    ways = tuple(way for way in states.get(total, ()) if len(way) >= least)[:2]
    return Found(ways, len(ways))


def _bounded(ways, least):
    enough = [way for way in ways if len(way) >= least][:2]
    few = [way for way in ways if len(way) < least]
    return (*enough, *few)
