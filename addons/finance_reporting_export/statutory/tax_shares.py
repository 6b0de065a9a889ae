"""Tax of an entry, told at the items that it was charged on."""

from decimal import Decimal
from typing import NamedTuple

ZERO = Decimal(0)


class Item(NamedTuple):
    """An item of an entry: balance (debit minus credit); taxes: ids of what it was charged with;
    tax: id of the tax whose amount it is, None else; counter: it only takes that amount back, as
    in a reverse charge."""

    balance: Decimal
    taxes: tuple = ()
    tax: int | None = None
    counter: bool = False


def shares(items, cent=Decimal("0.01")):
    """Return {position of an item: {tax id: amount}} for the items of one entry.

    What an entry says of a tax is shared in proportion to what it was charged on; the last item
    takes the cents that are over, so that the parts are the whole. A tax without an amount of its
    own (zero rate) is 0.
    """
    total, bases = {}, {}
    for position, item in enumerate(items):
        if item.tax is not None and not item.counter:
            total[item.tax] = total.get(item.tax, ZERO) + item.balance
        for tax in item.taxes:
            bases.setdefault(tax, []).append(position)
    found = {}
    for tax, positions in bases.items():
        amounts = _shared(total.get(tax, ZERO), [items[one].balance for one in positions], cent)
        for position, amount in zip(positions, amounts, strict=True):
            found.setdefault(position, {})[tax] = amount
    return found


def _shared(total, weights, cent):
    whole = sum(weights, ZERO)
    if not whole:
        return [ZERO] * (len(weights) - 1) + [total]
    parts = [(total * weight / whole).quantize(cent) for weight in weights[:-1]]
    return [*parts, total - sum(parts, ZERO)]
