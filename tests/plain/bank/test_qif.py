"""QIF: accounts, dates in every order, and what is refused."""

from datetime import date
from decimal import Decimal

import pytest

from odoo.addons.finance_bank_sync import formats
from odoo.addons.finance_bank_sync.formats import FormatError


def file(*records, head="!Type:Bank"):
    return ("\n".join([head, *("\n".join([*record, "^"]) for record in records)]) + "\n").encode()


def refused(content, **options):
    with pytest.raises(FormatError) as error:
        formats.summaries(content, **options)
    return error.value


@pytest.mark.parametrize(
    ("days", "found", "order"),
    [
        (["D2/14'2020", "D2/10'2020"], date(2020, 2, 10), "MDY"),
        (["D31/01/2020", "D10/02/20"], date(2020, 2, 10), "DMY"),
        (["D2020-02-10"], date(2020, 2, 10), "YMD"),
        (["D10.02.2020", "D28.02.2020"], date(2020, 2, 28), "DMY"),
        (["D 2/ 2'20"], date(2020, 2, 2), "DMY"),
    ],
)
def test_dates_are_read_where_only_one_order_fits(days, found, order):
    (statement,) = formats.load(file(*([day, "T1.00"] for day in days)))
    assert statement.entries[-1].booking_date == found
    assert [(f.code, f.values["format"]) for f in statement.findings] == [("dates", order)]


def test_dates_that_can_be_read_in_two_ways_need_a_choice():
    content = file(["D01/02/2020", "T1.00"], ["D03/04/2020", "T1.00"])
    error = refused(content)
    assert (error.code, error.what) == (
        "ambiguous",
        "The dates of the file can be read as DMY or MDY",
    )
    (statement,) = formats.load(content, order="MDY")
    assert (statement.entries[0].booking_date, statement.findings) == (date(2020, 1, 2), ())


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (["T1,234.56", "T-5.00"], ["1234.56", "-5.00"]),
        (["T1.234,56", "T-5,00"], ["1234.56", "-5.00"]),
        (["T1,500", "T-5.00"], ["1500", "-5.00"]),
        (["T-10", "T20"], ["-10", "20"]),
    ],
)
def test_amounts(amounts, expected):
    (statement,) = formats.load(file(*(["D2020-02-10", amount] for amount in amounts)))
    assert [str(entry.amount) for entry in statement.entries] == expected


def test_an_amount_that_can_be_read_in_two_ways_needs_a_choice():
    content = file(["D2020-02-10", "T1,500"])
    assert refused(content).code == "ambiguous"
    (statement,) = formats.load(content, mark=",")
    assert statement.entries[0].amount == Decimal("1.500")


def test_accounts_lists_and_an_opening_balance():
    content = (
        b"!Option:AutoSwitch\n!Account\nNSavings\nTBank\n^\n!Type:Cat\nNFood\nE\n^\n!Type:Bank\n"
        b"D2020-02-01\nT100.00\nPOpening Balance\nL[Savings]\n^\n"
        b"D2020-02-03\nT-5.00\nN77\nPShop\nMFood and more\nAMain St\nATown\nLFood\nSFood\n$-5.00\n^\n"
        b"!Account\nNCard\nTCCard\n^\n!Type:CCard\nD2020-02-02\nT-7.00\n^\n"
    )
    savings, card = formats.load(content)
    assert (savings.account.name, card.account.name) == ("Savings", "Card")
    assert [(b.type, b.amount) for b in savings.balances] == [("OPBD", Decimal("100.00"))]
    (item,) = savings.entries
    assert (item.customer_reference, item.text, item.details[0].cheque) == (
        "77",
        "Food and more",
        "77",
    )
    assert item.details[0].creditor.name == "Shop"
    assert item.details[0].creditor.address == ("Main St", "Town")
    assert (savings.start, savings.end) == (date(2020, 2, 3), date(2020, 2, 3))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"!Type:Bank\nD2020-02-01\nT1.00\n", "truncated"),
        (file(["D2020-02-01", "T1.00"]) + b"D2020-02-02\n!Type:Cat\n", "truncated"),
        (file(["D2020-02-01"]), "amount"),
        (file(["T1.00"]), "date"),
        (file(["D2020-02-31", "T1.00"]), "date"),
        (file(["D31/01/2020", "T1.00"], ["D01/31/2020", "T1.00"]), "date"),
        (file(["D2020-02-01", "T1.00.00"]), "amount"),
        (file(["D2020-02-01", "T1,00"], ["D2020-02-01", "T1.00"]), "amount"),
        (file(["D2020-02-01", "T" + "9" * 19]), "amount"),
        (file(["NFood"], head="!Type:Cat"), "empty"),
        (file(["D2020-02-01", "T1.00"], head="!Typo:Bank\n!Type:Bank"), "syntax"),
    ],
)
def test_refused(content, code):
    assert refused(content).code == code
