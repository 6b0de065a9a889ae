"""Amounts shared out to the cent, and discount lines taken off the others."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.finance_tax_engine.canonical.shares import split, without_discount_lines
from odoo.addons.finance_tax_engine.canonical.tax import TaxLine

CENT = Decimal("0.01")
cents = st.integers(0, 10**9).map(lambda number: Decimal(number) * CENT)


@given(cents, st.lists(cents, min_size=1, max_size=8))
def test_shares_sum_to_the_total_and_are_a_cent_off_at_most(total, weights):
    names = {str(number): weight for number, weight in enumerate(weights)}
    shares = split(total, names, CENT)
    assert sum(shares.values()) == total
    whole = sum(weights)
    for name, weight in names.items():
        if whole:
            assert abs(shares[name] - total * weight / whole) <= CENT


def lines(*amounts):
    return tuple(
        TaxLine(str(number), Decimal(amount), Decimal(1), tax_code=code)
        for number, (amount, code) in enumerate(amounts, start=1)
    )


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ([("10.00", "A"), ("20.00", "B")], {"1": "10.00", "2": "20.00"}),
        # of its own tax code first
        ([("10.00", "A"), ("20.00", "B"), ("-4.00", "A")], {"1": "6.00", "2": "20.00"}),
        # what those can't bear goes to all
        ([("10.00", "A"), ("20.00", "B"), ("-15.00", "A")], {"1": "0.00", "2": "15.00"}),
        # a code that no other line has: to all, in proportion
        ([("10.00", "A"), ("20.00", "B"), ("-1.00", "")], {"1": "9.67", "2": "19.33"}),
        ([("10.00", "A"), ("-10.00", "A"), ("5.00", "B")], {"1": "0.00", "3": "5.00"}),
    ],
)
def test_discount_lines_are_taken_off_the_others(asked, left):
    found = without_discount_lines(lines(*asked), CENT)
    assert {line.number: str(line.amount) for line in found} == left


@given(st.lists(st.tuples(st.integers(-5000, 9000), st.sampled_from("AB")), min_size=1, max_size=9))
def test_the_total_stays_and_nothing_gets_negative(amounts):
    asked = lines(*((Decimal(amount) * CENT, code) for amount, code in amounts))
    total = sum(line.amount for line in asked)
    if total < 0:
        with pytest.raises(ValueError, match="discounts come to more"):
            without_discount_lines(asked, CENT)
        return
    found = without_discount_lines(asked, CENT)
    assert sum(line.amount for line in found) == total
    assert all(line.amount >= 0 for line in found)
