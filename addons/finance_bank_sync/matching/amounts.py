"""How the amount of a line and the amounts of open items fit."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

# A bank on the way keeps at most this share of a payment.
MOST_FEE = Decimal("0.10")
# How far the rate of a bank is from the one of the books, where the bank doesn't tell it.
MOST_RATE = Decimal("0.05")
MOST_DISCOUNTS = 6

EXACT, DISCOUNT, TOLERANCE, FEE = "exact", "discount", "tolerance", "fee"
PARTIAL, OVER, CONVERTED = "partial", "over", "converted"


@dataclass(frozen=True)
class Fit:
    """kind: of the constants above. pays: {item key: amount}. rest: amount of the line less the
    items, in ``currency``. late: it lacks just the discount whose time is over."""

    kind: str
    currency: str
    pays: dict[int, Decimal]
    rest: Decimal = Decimal(0)
    late: bool = False


def fit(line, items, terms, company_currency=""):
    """Return how ``line`` fits ``items`` (all of them) or None where signs or currencies don't."""
    currencies = {item.currency for item in items}
    if len(currencies) != 1:
        return None
    currency = currencies.pop()
    if currency not in line.amounts:
        return _converted(line, items, currency, company_currency)
    amount, total = line.amounts[currency], sum(item.amount for item in items)
    pays = {item.key: item.amount for item in items}
    rest = amount - total
    if not total or not amount or (total > 0) != (amount > 0):
        return None
    if not rest:
        return Fit(EXACT, currency, pays)
    if rest in _discounts(items, line.day):
        return Fit(DISCOUNT, currency, pays, rest)
    late = rest in _discounts(items, None)
    if abs(rest) <= terms.tolerance:
        return Fit(TOLERANCE, currency, pays, rest, late)
    if -min(terms.fee, MOST_FEE * abs(total)) <= rest < 0:
        return Fit(FEE, currency, pays, rest, late)
    if abs(amount) > abs(total):
        return Fit(OVER, currency, pays, rest)
    return Fit(PARTIAL, currency, _allocated(items, amount), late=late)


def _discounts(items, day):
    """Return all differences that early payment discounts make; day None: of any time."""
    differences = [
        item.discounted - item.amount
        for item in items
        if item.discounted is not None
        and (day is None or (item.discount_day is not None and day <= item.discount_day))
    ][:MOST_DISCOUNTS]
    return {
        sum(chosen)
        for size in range(1, len(differences) + 1)
        for chosen in combinations(differences, size)
    }


def _allocated(items, amount):
    """Return {item key: amount}: credit notes in full, then the oldest invoices first."""
    sign = 1 if amount > 0 else -1
    pays = {item.key: item.amount for item in items if item.amount * sign < 0}
    left = amount - sum(pays.values())
    for item in sorted(items, key=lambda item: (item.due or item.day, item.key)):
        if item.key not in pays and left:
            pays[item.key] = min(item.amount, left, key=abs)
            left -= pays[item.key]
    return pays


def _converted(line, items, currency, company_currency):
    if line.currency != company_currency:
        return None
    total = sum(item.balance for item in items)
    if not total or abs(line.amount - total) > MOST_RATE * abs(total):
        return None
    return Fit(CONVERTED, currency, {item.key: item.amount for item in items})
