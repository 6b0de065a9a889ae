"""Ages of open items, and the days on which money is expected."""

from datetime import timedelta

# Days old at most: key; the last one has no end.
AGES = ((7, "week"), (30, "month"), (90, "quarter"), (None, "older"))
# Buckets of value dates, in the order of time.
BUCKETS = ("overdue", "today", "tomorrow", "week", "next_week", "month", "later")
# Further ahead than this it is no short-term forecast.
HORIZON = 31


def age(day, as_at):
    """Return the key of the age of something of ``day`` on ``as_at``.

    >>> [age(date(2026, 3, 31) - timedelta(days=n), date(2026, 3, 31)) for n in (0, 7, 8, 31, 91)]
    ['week', 'week', 'month', 'quarter', 'older']
    """
    days = (as_at - day).days
    return next(key for most, key in AGES if most is None or days <= most)


def bucket(day, today):
    """Return the key of the bucket of a value date; weeks end on Sunday.

    >>> wednesday = date(2026, 3, 25)
    >>> [bucket(wednesday + timedelta(days=n), wednesday) for n in (-1, 0, 1, 4, 5, 12, 31, 32)]
    ['overdue', 'today', 'tomorrow', 'week', 'next_week', 'month', 'month', 'later']
    """
    if day < today:
        return "overdue"
    if day <= today + timedelta(days=1):
        return "today" if day == today else "tomorrow"
    sunday = today + timedelta(days=6 - today.weekday())
    if day <= sunday:
        return "week"
    if day <= sunday + timedelta(days=7):
        return "next_week"
    return "month" if day <= today + timedelta(days=HORIZON) else "later"
