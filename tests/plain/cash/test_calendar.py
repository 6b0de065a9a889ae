"""When statements are due, and how accounts stand by that."""

from datetime import date, datetime, time

from odoo.addons.finance_bank_sync.cash.calendar import Calendar, days_without, target_holidays

GERMAN = Calendar(by=time(8), zone="Europe/Berlin", target=True)


def test_the_statement_of_friday_is_due_on_monday_morning():
    assert GERMAN.due_at(date(2026, 3, 20)) == datetime(2026, 3, 23, 7)


def test_summer_time_moves_the_moment():
    """Clocks change on 29 March 2026: eight o'clock is 07:00 UTC before and 06:00 UTC after."""
    assert GERMAN.due_at(date(2026, 3, 27)) == datetime(2026, 3, 30, 6)


def test_easter_is_closed():
    assert date(2026, 4, 3) in target_holidays(2026)
    assert GERMAN.due_at(date(2026, 4, 2)) == datetime(2026, 4, 7, 6)
    assert GERMAN.last_due(datetime(2026, 4, 7, 5, 59)) == date(2026, 4, 1)
    assert GERMAN.last_due(datetime(2026, 4, 7, 6)) == date(2026, 4, 2)


def test_the_same_day_and_the_bank_s_own_days():
    intraday = Calendar(by=time(18), lag=0, holidays=frozenset({date(2026, 3, 24)}))
    assert intraday.last_due(datetime(2026, 3, 24, 20)) == date(2026, 3, 23)
    assert intraday.last_due(datetime(2026, 3, 25, 18)) == date(2026, 3, 25)


def test_the_day_is_that_of_the_zone():
    """At 23:30 UTC it is already the next day in Tokyo, and its statement is not due."""
    tokyo = Calendar(by=time(9), zone="Asia/Tokyo", lag=0)
    assert tokyo.last_due(datetime(2026, 3, 24, 23, 30)) == date(2026, 3, 24)
    assert tokyo.last_due(datetime(2026, 3, 25, 0)) == date(2026, 3, 25)


def test_standings():
    now = datetime(2026, 3, 26, 12)  # a Thursday; Wednesday is due
    for newest, standing in (
        (date(2026, 3, 25), "complete"),
        (date(2026, 3, 26), "complete"),
        (date(2026, 3, 24), "late"),
        (date(2026, 3, 23), "late"),
        (date(2026, 3, 20), "stale"),
        (None, "missing"),
    ):
        assert GERMAN.standing(newest, now) == standing


def test_a_weekend_is_not_late():
    assert GERMAN.standing(date(2026, 3, 20), datetime(2026, 3, 22, 20)) == "complete"


def test_no_banking_days_are_never_due():
    assert Calendar(weekdays=frozenset()).last_due(datetime(2026, 3, 26)) is None


def test_days_without_statement():
    covered = {date(2026, 3, 30), date(2026, 4, 1)}
    assert days_without(GERMAN, date(2026, 3, 30), date(2026, 4, 6), covered) == [
        date(2026, 3, 31),
        date(2026, 4, 2),
    ]
