"""Amounts that are shared out, to the cent."""

from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal

from .tax import TaxLine

ZERO = Decimal(0)


def split(total: Decimal, weights: dict, unit: Decimal) -> dict:
    """Return ``total`` shared out in proportion to ``weights``, each share a multiple of ``unit``.

    The shares sum to ``total`` exactly: what rounding leaves goes to the largest remainders, the
    earlier first. weights: {name: Decimal}, not negative; when all are zero the first gets all.

    >>> split(Decimal("1.00"), {"a": Decimal(1), "b": Decimal(1), "c": Decimal(1)}, Decimal("0.01"))
    {'a': Decimal('0.34'), 'b': Decimal('0.33'), 'c': Decimal('0.33')}
    """
    whole = sum(weights.values(), ZERO)
    if not whole:
        return {name: total if position == 0 else ZERO for position, name in enumerate(weights)}
    exact = {name: total * weight / whole for name, weight in weights.items()}
    shares = {name: value.quantize(unit, ROUND_FLOOR) for name, value in exact.items()}
    left = int(((total - sum(shares.values(), ZERO)) / unit).to_integral_value())
    for name in sorted(exact, key=lambda name: shares[name] - exact[name])[:left]:
        shares[name] += unit
    # a total with more digits than the unit keeps them, on the first share
    first = next(iter(shares))
    shares[first] += total - sum(shares.values(), ZERO)
    return shares


def without_discount_lines(lines: tuple[TaxLine, ...], unit: Decimal) -> tuple[TaxLine, ...]:
    """Return the lines with what negative lines take off taken off the others.

    For engines that know no negative lines. A negative line goes to the lines of its own tax code,
    in proportion to their amounts; what those can't bear to all lines. Raises ValueError when the
    negative lines come to more than the others.
    """
    amounts = {line.number: line.amount for line in lines if line.amount >= 0}
    for line in lines:
        if line.amount < 0:
            _take_off(amounts, line, lines, unit)
    return tuple(
        replace(line, amount=amounts[line.number]) for line in lines if line.number in amounts
    )


def _take_off(amounts, discount, lines, unit):
    alike = {line.number for line in lines if line.tax_code == discount.tax_code}
    left = -discount.amount
    for numbers in (alike & amounts.keys(), amounts.keys()):
        room = {number: amount for number, amount in amounts.items() if number in numbers}
        part = min(left, sum(room.values(), ZERO))
        if not part:
            continue
        for number, share in split(part, room, unit).items():
            amounts[number] -= share
        left -= part
    if left:
        raise ValueError("the discounts come to more than the lines")
