"""Transfers between own accounts: counted once, whichever side is seen first."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from odoo.addons.finance_bank_sync.cash.transit import Movement, announced, one_sided

DAY = date(2026, 3, 24)


def moved(id_, account, other, amount, days=0, **values):
    return Movement(
        id_, account, other, DAY + timedelta(days=days), Decimal(amount), "EUR", **values
    )


def test_both_sides_seen_is_nothing_on_the_way():
    assert one_sided([moved(1, 10, 20, -100), moved(2, 20, 10, 100, 1)]) == []


def test_only_the_outgoing_side():
    out = moved(1, 10, 20, -100)
    assert one_sided([out]) == [out]


def test_only_the_incoming_side():
    arrived = moved(1, 20, 10, 100)
    assert one_sided([arrived]) == [arrived]


def test_another_account_is_not_the_other_side():
    both = [moved(1, 10, 20, -100), moved(2, 30, 10, 100)]
    assert one_sided(both) == both


def test_twins_pair_one_to_one():
    twins = [moved(1, 10, 20, -100), moved(2, 10, 20, -100), moved(3, 20, 10, 100, 1)]
    assert [movement.id for movement in one_sided(twins)] == [2]


def test_the_reference_wins_over_the_day():
    """The nearer twin has another reference."""
    movements = [
        moved(1, 10, 20, -100, 0, reference="A"),
        moved(2, 10, 20, -100, 2, reference="B"),
        moved(3, 20, 10, 100, 2, reference="a"),
    ]
    assert [movement.id for movement in one_sided(movements)] == [2]


def test_currencies_differ_but_the_reference_is_the_same():
    dollars = Movement(2, 20, 10, DAY, Decimal(110), "USD", "T1")
    assert one_sided([moved(1, 10, 20, -100, reference="T1"), dollars]) == []
    assert (
        len(one_sided([moved(1, 10, 20, -100), Movement(2, 20, 10, DAY, Decimal(100), "USD")])) == 2
    )


def test_too_far_apart():
    assert len(one_sided([moved(1, 10, 20, -100), moved(2, 20, 10, 100, 11)])) == 2


def test_an_announced_arrival_is_on_the_way_once():
    movements = [moved(1, 10, 20, -100), moved(2, 20, 10, 100, 1, pending=True)]
    assert [movement.id for movement in one_sided(movements)] == [1]
    assert announced(movements) == {2}
    assert announced(movements[1:]) == set()


def test_no_side_is_used_twice():
    """Whatever the order: the sum on the way is that of all sides, and each pair cancels."""
    random = Random(7)
    for _round in range(50):
        movements = []
        for number in range(random.randint(1, 12)):
            account, other = random.sample((10, 20, 30), 2)
            sign = random.choice((-1, 1))
            movements.append(
                moved(number, account, other, sign * random.choice((50, 100)), number % 3)
            )
        rest = one_sided(movements)
        random.shuffle(movements)
        assert sum(m.amount for m in rest) == sum(m.amount for m in movements)
        assert {m.id for m in one_sided(movements)} == {m.id for m in rest}
