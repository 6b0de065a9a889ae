"""Amounts that lines carry: nothing lost, nothing added, each item rounded once."""

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.finance_tax_engine.canonical.carrier import converted, manual_tax_amounts
from odoo.addons.finance_tax_engine.canonical.tax import JurisdictionTax

CENT = Decimal("0.01")
cents = st.decimals(-10_000, 10_000, places=2, allow_nan=False, allow_infinity=False)
rates = st.decimals("0.0001", 20_000, places=6, allow_nan=False, allow_infinity=False)


def tax(line, kind, amount, taxable="100.00"):
    return JurisdictionTax(
        line=line,
        kind=kind,
        code="48",
        name="TEXAS",
        country="US",
        region="TX",
        rate=Decimal("0.0625"),
        taxable=Decimal(taxable),
        amount=Decimal(amount),
    )


@given(st.lists(cents, min_size=1, max_size=12), rates)
def test_shares_sum_to_the_total_rounded_once(amounts, rate):
    shares = converted(dict(enumerate(amounts)), rate, CENT)
    total = sum((amount / rate for amount in amounts), Decimal(0))
    assert sum(shares.values()) == total.quantize(CENT, ROUND_HALF_UP)
    for number, amount in enumerate(amounts):
        assert abs(shares[number] - amount / rate) <= CENT


def test_two_rows_of_one_authority_are_one_tax():
    rows = [tax("1", "state", "1.10"), tax("1", "state", "0.05"), tax("2", "state", "3.00")]
    key = rows[0].key
    amounts = manual_tax_amounts(rows, {key: 7})
    assert amounts == {
        "1": {"7": {"tax_amount_currency": 1.15, "base_amount_currency": 100.0}},
        "2": {"7": {"tax_amount_currency": 3.0, "base_amount_currency": 100.0}},
    }


def test_company_amounts_of_a_foreign_currency():
    rows = [tax("1", "state", "3.98"), tax("2", "state", "3.98")]
    amounts = manual_tax_amounts(rows, {rows[0].key: 7}, Decimal("0.8731"), CENT)
    # 7.96 / 0.8731 is 9.117, line by line it would be 4.56 twice
    assert sum(cells["7"]["tax_amount"] for cells in amounts.values()) == 9.12
