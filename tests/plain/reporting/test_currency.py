"""Group currency after IAS 21, with figures worked out by hand."""

import random
from datetime import date
from decimal import Decimal

import pytest

from odoo.addons.finance_reporting_export.currency.rates import Quotations, month, months
from odoo.addons.finance_reporting_export.currency.translation import (
    AVERAGE,
    CLOSING,
    HISTORICAL,
    Historical,
    Movement,
    rounded,
    translate,
)

CENT = Decimal("0.01")


def D(text):
    return Decimal(text)


def quoted(*rows, base="USD"):
    return Quotations(base, [(code, date.fromisoformat(day), rate) for code, day, rate in rows])


# === RATES === #


def test_closing_is_the_newest_rate_until_the_last_day():
    rates = quoted(("EUR", "2026-03-01", "0.80"), ("EUR", "2026-03-31", "0.5"),
                   ("EUR", "2026-04-01", "0.1"))  # fmt: skip
    assert rates.closing("EUR", "USD", date(2026, 3, 31)) == (2, date(2026, 3, 31))
    assert rates.closing("EUR", "USD", date(2026, 3, 30)) == (D("1.25"), date(2026, 3, 1))
    # the other way round, and between two that are not the base
    assert rates.closing("USD", "EUR", date(2026, 3, 31)).rate == D("0.5")


def test_cross_rates():
    rates = quoted(("EUR", "2026-03-01", "0.5"), ("JPY", "2026-03-01", "150"))
    assert rates.on("EUR", "JPY", date(2026, 3, 5)).rate == 300
    assert rates.on("JPY", "EUR", date(2026, 3, 5)).rate == D("0.003333333333333333")


def test_a_currency_without_rate_is_never_one_to_one():
    rates = quoted(("EUR", "2026-03-10", "0.5"))
    assert rates.on("EUR", "USD", date(2026, 3, 9)) is None
    assert rates.on("GBP", "USD", date(2026, 3, 31)) is None
    assert rates.average("GBP", "USD", *month("2026-03")) is None
    assert quoted(("EUR", "2026-03-10", "0")).on("EUR", "USD", date(2026, 3, 31)) is None
    # the group's own currency needs no rate
    assert rates.on("GBP", "GBP", date(2026, 3, 31)).rate == 1
    # a base that somebody has quoted is taken as quoted, and not as one before that
    odd = quoted(("USD", "2026-03-10", "2"), ("EUR", "2026-01-01", "1"))
    assert odd.on("EUR", "USD", date(2026, 3, 31)).rate == 2
    assert odd.on("EUR", "USD", date(2026, 2, 1)) is None


def test_average_is_of_the_days():
    # 10 days at 2, 21 days at 4
    rates = quoted(("EUR", "2026-02-15", "0.5"), ("EUR", "2026-03-11", "0.25"))
    found = rates.average("EUR", "USD", *month("2026-03"))
    assert found.rate == D("3.354838709677419")
    assert found.day == date(2026, 3, 31)
    # days before the first quotation don't count
    late = quoted(("EUR", "2026-03-31", "0.5"))
    assert late.average("EUR", "USD", *month("2026-03")).rate == 2


def test_months():
    assert month("2028-02") == (date(2028, 2, 1), date(2028, 2, 29))
    assert months("2025-11", "2026-02") == ["2025-11", "2025-12", "2026-01", "2026-02"]


# === TRANSLATION === #


@pytest.mark.parametrize(
    "amount, rate, unit, expected",
    [
        ("10.00", "1.0005", "0.01", "10.01"),  # half goes away from nothing
        ("-10.00", "1.0005", "0.01", "-10.01"),
        ("10.00", "150.05", "1", "1501"),  # no decimals
        ("1.00", "0.30745", "0.001", "0.307"),  # three decimals
        ("1.00", "1.03", "0.05", "1.05"),  # coins of five
    ],
)
def test_rounding(amount, rate, unit, expected):
    assert rounded(D(amount), D(rate), D(unit)) == D(expected)


def test_without_rate_there_is_no_amount():
    assert rounded(D("10"), None, CENT) is None


RATES = {
    ("closing", "2026-01"): "2", ("average", "2026-01"): "1.9",
    ("closing", "2026-02"): "3", ("average", "2026-02"): "2.5",
}  # fmt: skip
BANK, SALES, CAPITAL = 1, 2, 3
MOVED = [
    # 100 paid in; sold for 50 in January, refunds of 20 in February
    Movement(BANK, CLOSING, "2026-01", D("150"), D("0")),
    Movement(SALES, AVERAGE, "2026-01", D("0"), D("50")),
    Movement(CAPITAL, HISTORICAL, "2026-01", D("0"), D("100")),
    Movement(BANK, CLOSING, "2026-02", D("0"), D("20")),
    Movement(SALES, AVERAGE, "2026-02", D("20"), D("0")),
]
PAID_IN = [Historical(CAPITAL, "2026-01", D("-100"), D("-180"))]


def translated(rates=RATES, moved=MOVED, historical=PAID_IN, unit=CENT):
    def rate(kind, period):
        found = rates.get((kind, period))
        return None if found is None else D(found)

    return translate(["2026-01", "2026-02"], moved, historical, rate, unit)


def closing(found):
    return {(line.account, line.period): line.closing for line in found.lines}


def test_each_kind_at_its_rate_and_the_totals_close():
    found = translated()
    assert closing(found) == {
        (BANK, "2026-01"): D("300"),
        (SALES, "2026-01"): D("-95"),
        (CAPITAL, "2026-01"): D("-180"),
        (0, "2026-01"): D("-25"),
        # 130 at the closing rate of February; -50 × 1.9 + 20 × 2.5; as it was paid in
        (BANK, "2026-02"): D("390"),
        (SALES, "2026-02"): D("-45"),
        (CAPITAL, "2026-02"): D("-180"),
        (0, "2026-02"): D("-165"),
    }
    assert found.missing == []
    difference = [line for line in found.lines if not line.account][1]
    assert (difference.opening, difference.debit, difference.credit) == (D("-25"), 0, D("140"))
    refunds = next(
        line for line in found.lines if (line.account, line.period) == (SALES, "2026-02")
    )
    assert (refunds.opening, refunds.debit, refunds.closing) == (D("-95"), D("50"), D("-45"))


def test_a_missing_rate_makes_incomplete_never_nothing():
    for kind, period in RATES:
        rates = {key: rate for key, rate in RATES.items() if key != (kind, period)}
        found = translated(rates)
        assert (kind, period) in {(one.kind, one.period) for one in found.missing}
        assert closing(found)[0, period] is None
        assert all(one.amount for one in found.missing)


def test_a_gap_in_averages_stays_unknown_for_the_balance_after_it():
    rates = {key: rate for key, rate in RATES.items() if key != ("average", "2026-01")}
    found = closing(translated(rates))
    assert found[SALES, "2026-02"] is None and found[0, "2026-02"] is None
    assert found[BANK, "2026-02"] == 390


def test_equity_without_what_was_paid_in():
    found = translated(historical=[])
    assert [(one.kind, one.account, one.period, one.amount) for one in found.missing] == [
        (HISTORICAL, CAPITAL, "2026-01", D("-100")),
        (HISTORICAL, CAPITAL, "2026-02", D("-100")),
    ]
    assert closing(found)[0, "2026-02"] is None
    # one that says something about another amount is as good as none
    wrong = translated(historical=[Historical(CAPITAL, "2026-01", D("-99"), D("-180"))])
    assert len(wrong.missing) == 2


def test_a_rise_of_capital_has_its_own_rate():
    moved = [*MOVED, Movement(CAPITAL, HISTORICAL, "2026-02", D("0"), D("10")),
             Movement(4, CLOSING, "2026-02", D("10"), D("0"))]  # fmt: skip
    historical = [*PAID_IN, Historical(CAPITAL, "2026-02", D("-10"), D("-27"))]
    found = translated(moved=moved, historical=historical)
    lines = {(line.account, line.period): line for line in found.lines}
    assert lines[CAPITAL, "2026-02"].rate == D("2.7")
    assert lines[CAPITAL, "2026-02"].credit == 27
    assert lines[CAPITAL, "2026-02"].closing == -207


def test_an_account_that_is_settled_needs_no_rate():
    moved = [Movement(9, CLOSING, "2026-01", D("5"), D("5"))]
    found = translated({}, moved, [])
    assert closing(found)[9, "2026-01"] == 0
    assert [one.period for one in found.missing] == []


@pytest.mark.parametrize("unit", ["0.01", "1", "0.001"])
def test_totals_always_close(unit):
    """Whatever is booked at whatever rates: with the difference, all lines add up to nothing."""
    seed = random.Random(21)
    unit = D(unit)
    for _round in range(20):
        moved, periods = [], ["2026-01", "2026-02"]
        for period in periods:
            amounts = [D(seed.randint(-(10**9), 10**9)).scaleb(-2) for _one in range(6)]
            amounts.append(-sum(amounts))
            for number, amount in enumerate(amounts):
                kind = CLOSING if number % 2 else AVERAGE
                debit, credit = max(amount, D(0)), max(-amount, D(0))
                moved.append(Movement(number + 1, kind, period, debit, credit))
        rates = {key: str(D(seed.randint(1, 10**6)).scaleb(-4)) for key in RATES}
        found = translated(rates, moved, [], unit)
        for period in periods:
            lines = [line for line in found.lines if line.period == period]
            assert sum(line.closing for line in lines) == 0
            assert all(line.closing % unit == 0 for line in lines)
