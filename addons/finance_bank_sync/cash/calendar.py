"""When a bank's statement of a day is due, and how an account stands by that."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# How an account stands.
COMPLETE = "complete"  # all that is due has come
LATE = "late"  # something that is due has not come
STALE = "stale"  # so much has not come that the balance means little
MISSING = "missing"  # there is no balance at all
# The worst first.
STANDINGS = (MISSING, STALE, LATE, COMPLETE)
# Calendars are looked back at most so far for a due day: no bank is closed for longer.
LONGEST_REST = 60


def easter(year):
    """Return Easter Sunday of a year (Gregorian calendar; Meeus, Astronomical Algorithms, ch. 8).

    >>> easter(2026), easter(2027)
    (datetime.date(2026, 4, 5), datetime.date(2027, 3, 28))
    """
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def target_holidays(year):
    """Return the days on which TARGET, the euro system of the central banks, is closed.

    New Year, Good Friday, Easter Monday, 1 May, 25 and 26 December (ECB, long-term calendar).
    """
    sunday = easter(year)
    return frozenset(
        {
            date(year, 1, 1),
            sunday - timedelta(days=2),
            sunday + timedelta(days=1),
            date(year, 5, 1),
            date(year, 12, 25),
            date(year, 12, 26),
        }
    )


@dataclass(frozen=True)
class Calendar:
    """Which days have a statement, and until when it is there.

    weekdays: 0 for Monday to 6 for Sunday. by, zone: the local time, on the first banking day that
    is ``lag`` banking days later, at which the statement of a day is due; lag 0 is the same day.
    holidays: days of the bank's own. target: whether days on which TARGET is closed are holidays
    too. stale_after: so many statements overdue make the account stale.
    """

    weekdays: frozenset = frozenset(range(5))
    by: time = time(12)
    zone: str = "UTC"
    lag: int = 1
    holidays: frozenset = frozenset()
    target: bool = False
    stale_after: int = 3

    def is_banking_day(self, day):
        """Tell whether the bank makes a statement of ``day``."""
        if day.weekday() not in self.weekdays or day in self.holidays:
            return False
        return not (self.target and day in target_holidays(day.year))

    def due_at(self, day):
        """Return the moment (UTC, without zone) at which the statement of ``day`` is due."""
        due = day
        for _number in range(self.lag):
            due = self._step(due, 1)
        local = datetime.combine(due, self.by, ZoneInfo(self.zone))
        return local.astimezone(UTC).replace(tzinfo=None)

    def last_due(self, now):
        """Return the newest day whose statement is due at ``now`` (UTC), None without any."""
        day = now.replace(tzinfo=UTC).astimezone(ZoneInfo(self.zone)).date()
        for _number in range(LONGEST_REST):
            if self.is_banking_day(day) and self.due_at(day) <= now:
                return day
            day -= timedelta(days=1)
        return None

    def overdue(self, newest, now):
        """Return the days after ``newest`` whose statements are due at ``now`` and have not come."""
        last = self.last_due(now)
        if last is None or newest is None:
            return []
        days = (newest + timedelta(days=n) for n in range(1, (last - newest).days + 1))
        return [day for day in days if self.is_banking_day(day)]

    def standing(self, newest, now):
        """Return how an account stands whose newest balance is of the day ``newest`` (or None)."""
        if newest is None:
            return MISSING
        overdue = len(self.overdue(newest, now))
        if not overdue:
            return COMPLETE
        return STALE if overdue >= self.stale_after else LATE

    def _step(self, day, days):
        for _number in range(LONGEST_REST):
            day += timedelta(days=days)
            if self.is_banking_day(day):
                return day
        return day


def days_without(calendar, first, last, covered):
    """Return the banking days from ``first`` to ``last`` that are not among ``covered``."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if calendar.is_banking_day(day) and day not in covered]
