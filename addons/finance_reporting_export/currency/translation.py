"""Balances of one company in the currency of the group, after IAS 21.

Assets and liabilities at the closing rate of each month (39 a), income and expenses at the average
rate of the month they are of (39 b, 40), equity at what was paid in, as it is kept by hand. What is
left over so that debits and credits are equal is the translation difference (39 c, 41).
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CLOSING, AVERAGE, HISTORICAL = "closing", "average", "historical"
# Odoo's groups of accounts.
KIND_OF = {
    "asset": CLOSING,
    "liability": CLOSING,
    "income": AVERAGE,
    "expense": AVERAGE,
    "equity": HISTORICAL,
    # what is off the balance sheet is stated as it would be on it
    "off": CLOSING,
    "off_balance": CLOSING,
}


@dataclass(frozen=True)
class Movement:
    """What one account moved by in one month, in the currency of its company."""

    account: int
    kind: str
    period: str
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True)
class Historical:
    """What a part of an equity account was worth when it came about.

    amount: debit less credit in the company's currency; group: the same in the group's. period:
    the month it came about.
    """

    account: int
    period: str
    amount: Decimal
    group: Decimal


@dataclass(frozen=True)
class Line:
    """One account at the end of one month. The group's amounts are None where a rate is missing.

    opening, closing: debit less credit in the group's currency; debit, credit: of the month.
    account: 0 is the translation difference. own_closing: in the company's currency.
    """

    account: int
    kind: str
    period: str
    rate: Decimal | None
    opening: Decimal | None
    debit: Decimal | None
    credit: Decimal | None
    closing: Decimal | None
    own_closing: Decimal


@dataclass(frozen=True)
class Missing:
    """What could not be stated in the group's currency. kind: "closing", "average", "historical";
    account: of equity, else 0; amount: what it is worth in the company's currency."""

    kind: str
    period: str
    account: int
    amount: Decimal


@dataclass
class Translation:
    """What `translate` found: `Line`s by account and period, and what is `Missing`."""

    lines: list
    missing: list


def rounded(amount, rate, unit):
    """Return amount × rate as the group's currency has it; None without a rate.

    unit: the smallest amount of that currency, Decimal("0.01") say; half a unit goes away from
    nothing, as Odoo rounds.
    """
    if rate is None:
        return None
    return (amount * rate / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit


def translate(periods, movements, historical, rate: Callable, unit, own_unit=Decimal("0.01")):
    """Return the `Translation` of a company.

    periods: all months from its first movement on, in order. movements: `Movement`s. historical:
    approved `Historical`s. rate: (kind, period) → Decimal or None. unit, own_unit: smallest
    amounts of the group's and the company's currency.
    """
    found = Translation([], [])
    by_account = {}
    for movement in movements:
        by_account.setdefault((movement.account, movement.kind), {})[movement.period] = movement
    kept = {}
    for one in historical:
        kept.setdefault(one.account, []).append(one)
    for (account, kind), moved in sorted(by_account.items()):
        rows = _Account(account, kind, moved, kept.get(account, ()), rate, unit, own_unit)
        lines, missing = rows.translated(periods)
        found.lines += lines
        found.missing += missing
    found.lines += _differences(periods, found.lines)
    return found


@dataclass
class _Account:
    account: int
    kind: str
    moved: dict
    historical: tuple
    rate: Callable
    unit: Decimal
    own_unit: Decimal

    def translated(self, periods):
        """Return the lines from the first month with a movement on, and what is missing."""
        lines, missing = [], []
        own, closing = Decimal(0), Decimal(0)
        begun = False
        for period in periods:
            movement = self.moved.get(period)
            begun = begun or movement is not None
            if not begun:
                continue
            debit, credit = (movement.debit, movement.credit) if movement else (Decimal(0),) * 2
            before, own = own, own + debit - credit
            rate = self._rate(period, own - before, own)
            opening = closing
            closing = self._closing(opening, period, debit - credit, own, rate)
            if closing is None and (own or debit or credit):
                missing.append(
                    Missing(
                        self.kind,
                        period,
                        self.account * (self.kind == HISTORICAL),
                        own if self.kind != AVERAGE else debit - credit,
                    )
                )
            lines.append(
                Line(
                    self.account,
                    self.kind,
                    period,
                    rate,
                    opening,
                    rounded(debit, rate, self.unit),
                    rounded(credit, rate, self.unit),
                    closing,
                    own,
                )
            )
        return lines, missing

    def _rate(self, period, movement, own):
        """The rate of what moved in the month."""
        if self.kind != HISTORICAL:
            return self.rate(self.kind, period)
        ofmonth = [one for one in self.historical if one.period == period]
        rate = _ratio(ofmonth, movement)
        return rate if rate is not None else _ratio(self._until(period), own)

    def _closing(self, opening, period, movement, own, rate):
        """The balance at the end of the month, None where it isn't known."""
        if self.kind == CLOSING:
            return rounded(own, rate, self.unit) if own else Decimal(0)
        if self.kind == AVERAGE:
            if not movement:
                return opening
            moved = rounded(movement, rate, self.unit)
            return None if opening is None or moved is None else opening + moved
        until = self._until(period)
        if sum((one.amount for one in until), Decimal(0)) != own:
            return None
        return sum((one.group for one in until), Decimal(0))

    def _until(self, period):
        return [one for one in self.historical if one.period <= period]


def _ratio(historical, own):
    """The rate at which these amounts stand; None where they are not all of ``own``, or nothing."""
    amount = sum((one.amount for one in historical), Decimal(0))
    if not amount or amount != own:
        return None
    return sum((one.group for one in historical), Decimal(0)) / amount


def _differences(periods, lines):
    """The translation difference of each month: what the other lines lack to nothing."""
    sums = {}
    for line in lines:
        sums.setdefault(line.period, []).append(line)
    found, opening = [], Decimal(0)
    for period in periods:
        if period not in sums:
            continue
        known = [line.closing for line in sums[period]]
        closing = None if None in known else -sum(known)
        moved = None if closing is None or opening is None else closing - opening
        found.append(
            Line(
                0,
                "difference",
                period,
                None,
                opening,
                None if moved is None else max(moved, Decimal(0)),
                None if moved is None else max(-moved, Decimal(0)),
                closing,
                Decimal(0),
            )
        )
        opening = closing
    return found
