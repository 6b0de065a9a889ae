"""Rates of a day, at the end of a month, and on the average of a month.

A currency without a rate has none: nothing here ever takes it as one to one.
"""

from bisect import bisect_right
from datetime import date, timedelta
from decimal import Context, Decimal, localcontext
from typing import NamedTuple

# Quotients of two rates: more digits than any source of rates has.
PRECISE = Context(prec=28)
DIGITS = Context(prec=16)


class Found(NamedTuple):
    """A rate and the day that its quotation is of: for an average the last day averaged over."""

    rate: Decimal
    day: date


class Quotations:
    """Quotations of many currencies against one base.

    rows: (currency, day, rate) with rate as units of the currency for one unit of the base, as
    Odoo keeps them. base: the currency they are against; it needs no row of its own, but one it
    has is heeded.
    """

    def __init__(self, base, rows):
        self._base = base
        self._days, self._rates = {}, {}
        for currency, day, rate in sorted(rows, key=lambda row: (row[0], row[1])):
            self._days.setdefault(currency, []).append(day)
            self._rates.setdefault(currency, []).append(Decimal(rate))

    def on(self, currency, to, day):
        """Return `Found`: what one unit of ``currency`` is in ``to`` on a day; None without a rate.

        The newest quotation of that day or before; never one from after it.
        """
        if currency == to:
            return Found(Decimal(1), day)
        own, other = self._quotation(currency, day), self._quotation(to, day)
        if own is None or other is None:
            return None
        days = [found.day for found in (own, other) if found.day]
        rate = DIGITS.plus(PRECISE.divide(other.rate, own.rate))
        return Found(rate, max(days, default=day))

    def closing(self, currency, to, last):
        """Return the `Found` at the end of a month whose last day is ``last``."""
        return self.on(currency, to, last)

    def average(self, currency, to, first, last):
        """Return the `Found` on the average of the days from first to last, each with its rate.

        A day without a quotation of its own (a weekend, say) has that of the day before. Days
        before the first quotation do not count.
        """
        if currency == to:
            return Found(Decimal(1), last)
        found = []
        day = first
        while day <= last:
            rate = self.on(currency, to, day)
            if rate:
                found.append(rate.rate)
            day += timedelta(days=1)
        if not found:
            return None
        with localcontext(PRECISE):
            mean = sum(found) / len(found)
        return Found(DIGITS.plus(mean), last)

    def _quotation(self, currency, day):
        days = self._days.get(currency, [])
        place = bisect_right(days, day)
        if place and self._rates[currency][place - 1] > 0:
            return Found(self._rates[currency][place - 1], days[place - 1])
        # the base is one by definition, unless somebody has quoted it otherwise before
        if currency == self._base and not days:
            return Found(Decimal(1), None)
        return None


def month(period):
    """Return (first, last day) of a period as "2026-03"."""
    first = date.fromisoformat(f"{period}-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def months(first, last):
    """Return the periods from ``first`` to ``last``, both of them included, in their order."""
    found = [first]
    while found[-1] < last:
        following = month(found[-1])[1] + timedelta(days=1)
        found.append(f"{following:%Y-%m}")
    return found
