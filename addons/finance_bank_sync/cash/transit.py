"""Transfers between own accounts of which only one side has been seen."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# Two sides of one transfer are booked at most so many days apart.
WINDOW = 10


@dataclass(frozen=True)
class Movement:
    """One booked or pending line of an own account whose other side is an own account too.

    id: of the line. account, other: ids of the two accounts. day: of the booking. amount: signed,
    in ``currency``. reference: end-to-end id, "" without one. pending: only announced.
    """

    id: int
    account: int
    other: int
    day: date
    amount: Decimal
    currency: str
    reference: str = ""
    pending: bool = False


def one_sided(movements):
    """Return the movements whose other side is not among ``movements``, in their order.

    What left one account and has not reached the other is missing in the total; what has arrived
    and is not yet told as having left is in it twice. Two sides belong together when they have the
    same reference, or else opposite amounts in one currency within `WINDOW` days; the closest pairs
    go first, so that no side is used twice. A pending side is not seen yet: it is left out, and its
    booked other side is on the way.
    """
    booked = [movement for movement in movements if not movement.pending]
    paired = set()
    for key in (_by_reference, _by_amount):
        _pair([movement for movement in booked if movement.id not in paired], key, paired)
    return [movement for movement in booked if movement.id not in paired]


def announced(movements):
    """Return the ids of pending movements that are the other side of a booked one.

    They are on the way already: counted again as pending they would be counted twice.
    """
    on_the_way = one_sided(movements)
    pending = [movement for movement in movements if movement.pending]
    paired = set()
    for key in (_by_reference, _by_amount):
        rest = [movement for movement in (*on_the_way, *pending) if movement.id not in paired]
        _pair(rest, key, paired)
    return {movement.id for movement in pending if movement.id in paired}


def _pair(movements, key, paired):
    sides = defaultdict(lambda: ([], []))
    for movement in movements:
        name = key(movement)
        if name is not None:
            sides[name][movement.amount > 0].append(movement)
    for outgoing, incoming in sides.values():
        gaps = sorted(
            (abs((one.day - two.day).days), one.day, one.id, two.id)
            for one in outgoing
            for two in incoming
            if (one.account, one.other) == (two.other, two.account)
        )
        for gap, _day, one, two in gaps:
            if gap <= WINDOW and one not in paired and two not in paired:
                paired |= {one, two}


def _by_reference(movement):
    return movement.reference.upper() or None


def _by_amount(movement):
    return movement.currency, abs(movement.amount)
