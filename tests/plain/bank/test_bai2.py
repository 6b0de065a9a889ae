"""BAI2: records, continuation, funds types, control totals."""

from datetime import date
from decimal import Decimal

import pytest

from odoo.addons.finance_bank_sync import formats
from odoo.addons.finance_bank_sync.canonical.statement import INFORMATION, REPORT, STATEMENT
from odoo.addons.finance_bank_sync.formats import FormatError


def file(
    *records,
    account="03,123,USD,010,10000,,,015,15000,,/",
    total=None,
    group="02,ME,BANK,1,260302,,USD,2/",
):
    """Return a file of one account whose control totals are right unless ``total`` is given."""
    if total is None:
        total = sum(int(record.split(",")[2]) for record in records if record.startswith("16,"))
        fields = account.rstrip("/").split(",")
        total += sum(int(amount or 0) for amount in fields[4::4])
    count = len(records) + 2
    lines = ["01,BANK,ME,260302,1800,1,80,,2/", group, account, *records, f"49,{total},{count}/",
             f"98,{total},1,{count + 2}/", f"99,{total},1,{count + 4}/"]  # fmt: skip
    return "\n".join(lines).encode()


def read(*records, **more):
    (found,) = formats.load(file(*records, **more))
    return found


def refused(content):
    with pytest.raises(FormatError) as error:
        formats.summaries(content)
    return error.value


def test_account_balances_and_entries():
    found = read("16,195,6000,,B1,C1,INVOICE 1, AND 2/", "16,475,1000,Z,,77,CHEQUE")
    assert (found.account.number, found.currency, found.kind) == ("123", "USD", STATEMENT)
    assert [(b.type, str(b.amount), b.day) for b in found.balances] == [
        ("OPBD", "100.00", date(2026, 3, 2)),
        ("CLBD", "150.00", date(2026, 3, 2)),
    ]
    credit, debit = found.entries
    assert (str(credit.amount), credit.servicer_reference, credit.customer_reference) == (
        "60.00",
        "B1",
        "C1",
    )
    assert (credit.text, credit.code.proprietary, credit.code.issuer) == (
        "INVOICE 1, AND 2",
        "195",
        "BAI2",
    )
    assert (str(debit.amount), debit.customer_reference, debit.text) == ("-10.00", "77", "CHEQUE")
    assert found.findings == ()


@pytest.mark.parametrize(
    ("funds", "value"),
    [
        ("", None),
        ("Z,", None),
        ("0,", None),
        ("S,1000,2000,3000,", None),
        ("V,260305,1200,", date(2026, 3, 5)),
        ("V,260305,,", date(2026, 3, 5)),
        ("D,2,0,1000,1,5000,", None),
    ],
)
def test_funds_types_do_not_shift_the_references(funds, value):
    record = f"16,195,5000,{funds or ','}B1,C1,TEXT"
    (item,) = read(record).entries
    assert (item.servicer_reference, item.customer_reference, item.text) == ("B1", "C1", "TEXT")
    assert item.value_date == (value or date(2026, 3, 2))


@pytest.mark.parametrize(
    ("records", "text"),
    [
        (["16,195,5000,,B1,C1,/", "88,FIRST", "88,SECOND"], "FIRST SECOND"),
        (["16,195,5000,,B1,C1,FIRST", "88,SECOND, THIRD/"], "FIRST SECOND, THIRD"),
        (["16,195,5000,,B1,C1," + "X" * 62, "88,YZ"], "X" * 62 + "YZ"),
        (["16,195,5000,,B1,/", "88,FIRST"], "FIRST"),
    ],
)
def test_continuation(records, text):
    assert read(*records).entries[0].text == text


def test_continuation_of_the_account():
    content = file("16,195,5000,,,,", account="03,123,USD,010,10000,,,/", total=30000)
    content = content.replace(b"\n16", b"\n88,015,15000,,/\n16")
    content = (
        content.replace(b"49,30000,3", b"49,30000,4")
        .replace(b",5/", b",6/")
        .replace(b",7/", b",8/")
    )
    (found,) = formats.load(content)
    assert (found.closing.amount, found.findings) == (Decimal("150.00"), ())


@pytest.mark.parametrize(
    ("currency", "amount"), [("USD", "50.00"), ("JPY", "5000"), ("KWD", "5.000"), ("", "50.00")]
)
def test_the_smallest_unit_depends_on_the_currency(currency, amount):
    found = read("16,195,5000,,,,", account=f"03,123,{currency},,,,/")
    assert (str(found.entries[0].amount), found.currency) == (amount, currency or "USD")


def test_what_is_not_money_is_information():
    found = read("16,890,,,,,NOTE", "16,195,5000,,,,", total=30000)
    assert [(e.status, e.amount) for e in found.entries][0] == (INFORMATION, 0)
    assert found.booked == Decimal("50.00")


def test_reports_of_the_day_and_corrections():
    assert read("16,195,5000,,,,", group="02,ME,BANK,1,260302,,USD,3/").kind == REPORT
    found = read("16,195,5000,,,,", group="02,ME,BANK,3,260302,,USD,2/")
    assert [finding.code for finding in found.findings] == ["copy"]


def test_totals_and_numbers_that_differ_are_findings():
    found = read("16,195,5000,,,,", account="03,123,USD,100,6000,2,/")
    assert [finding.code for finding in found.findings] == ["declared"]
    content = file("16,195,5000,,,,").replace(b"49,30000,3/", b"49,30000,9/")
    assert [finding.code for finding in formats.summaries(content)[0].findings] == ["records"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (file("16,195,5000,,,,")[:-14], "truncated"),
        (file("16,195,5000,,,,", total=1), "control"),
        (file("16,195,5000,,,,").replace(b"16,195,5000", b"16,195,5001"), "control"),
        (file("16,195,50.00,,,,", total=25000), "amount"),
        (file("16,195,,,,,", total=25000), "missing"),
        (file("16,720,5000,,,,"), "value"),
        (file("16,XYZ,5000,,,,"), "value"),
        (file("16,195,5000,Q,,,"), "value"),
        (file("16,195,5000,D,999999999,,"), "value"),
        (file("16,195,5000,V,260399,,,,"), "date"),
        (file("16,195,5000,,,,", group="02,ME,BANK,1,,,USD,2/"), "date"),
        (file("16,195,5000,,,,", group="02,ME,BANK,2,260302,,USD,2/"), "unsupported"),
        (file("16,195,5000,,,,", group="02,ME,BANK,4,260302,,USD,2/"), "unsupported"),
        (file("16,195,5000,,,,", account="03,,USD,,,,/"), "account"),
        (file("16,195,5000,,,,", account="03,123,usd,,,,/"), "currency"),
        (file("16,195,5000,,,,", account="03,123,USD,10,5,,/", total=5005), "value"),
        (file("17,195,5000,,,,"), "syntax"),
        (file("02,ME,BANK,1,260302,,USD,2/"), "syntax"),
        (file("16,195,5000,,,,") + b"\n16,195,5000,,,,", "syntax"),
        (b"01,BANK,ME,260302,1800,1,80,,2/\n", "truncated"),
    ],
)
def test_refused(content, code):
    assert refused(content).code == code
