"""The canonical statement: lines to book, twins, text form, and how one statement follows another."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from bank_files import entry, statement
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.finance_bank_sync.canonical.continuity import chain, follow
from odoo.addons.finance_bank_sync.canonical.statement import (
    FINDINGS,
    REPORT,
    Detail,
    Finding,
    Party,
    Statement,
    is_iban,
    numbered,
)
from odoo.addons.finance_connector_base.canonical.codec import dump, load


def batch(amount, *parts):
    details = tuple(
        Detail(amount=part and Decimal(part), end_to_end_id=f"E{part}") for part in parts
    )
    return replace(entry(1, amount), details=details)


@pytest.mark.parametrize(
    ("found", "amounts"),
    [
        (batch("10.00"), ["10.00"]),
        (batch("10.00", "4.00", "6.00"), ["4.00", "6.00"]),
        (batch("10.00", "14.00", "-4.00"), ["14.00", "-4.00"]),
        # two of which nobody knows the shares are one line, not two of 10.00
        (batch("10.00", None, None), ["10.00"]),
        (batch("10.00", "4.00", None), ["10.00"]),
        (batch("10.00", "4.00", "5.00"), ["10.00"]),
        (batch("10.00", "11.50"), ["10.00"]),
    ],
)
def test_an_entry_is_split_only_when_its_details_come_to_it(found, amounts):
    shares = found.shares()
    assert [str(amount) for amount, _detail in shares] == amounts
    assert sum(amount for amount, _detail in shares) == found.amount


def test_details_of_a_batch_that_is_not_split_are_not_mixed():
    amount, detail = batch("10.00", None, None).shares()[0]
    assert (amount, detail.end_to_end_id) == (Decimal("10.00"), "")


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(-(10**6), 10**6)), max_size=6), st.integers(1, 10**6)
)
def test_shares_always_sum_to_the_entry(parts, amount):
    details = tuple(Detail(amount=None if part is None else Decimal(part)) for part in parts)
    found = replace(entry(1, amount), details=details)
    assert sum(share for share, _detail in found.shares()) == amount


@pytest.mark.parametrize(
    ("amount", "reversal", "name"),
    [("5", False, "payer"), ("-5", False, "payee"), ("5", True, "payee"), ("-5", True, "payer")],
)
def test_counterparty_of_what_comes_goes_and_is_taken_back(amount, reversal, name):
    detail = Detail(debtor=Party(name="payer"), creditor=Party(name="payee"))
    found = replace(entry(1, amount), reversal=reversal, details=(detail,))
    assert found.counterparty(detail).name == name


def test_twins_are_told_apart_and_found_again():
    entries = [
        entry(1, "-4.50", text="Bus"),
        entry(2, "9", text="x"),
        entry(3, "-4.5", text="BUS "),
    ]
    first = [(print_, twin) for _entry, print_, twin in numbered(entries)]
    assert [twin for _print, twin in first] == [1, 1, 2]
    again = [replace(e, position=e.position + 5, servicer_reference="new id") for e in entries]
    assert [(print_, twin) for _entry, print_, twin in numbered(again)] == first


@pytest.mark.parametrize(
    "changed",
    [
        entry(1, "4.50", text="Bus"),
        entry(1, "-4.50", date(2026, 3, 3), text="Bus"),
        entry(1, "-4.50", text="Bus", currency="USD"),
        entry(1, "-4.50", text="Bus", end_to_end_id="E1"),
        entry(1, "-4.50", text="Bus", account="DE1"),
        entry(1, "-4.50", text="Train"),
    ],
)
def test_another_content_has_another_fingerprint(changed):
    assert changed.fingerprint() != entry(1, "-4.50", text="Bus").fingerprint()


def test_a_statement_goes_through_its_text_form_unchanged():
    found = replace(
        statement([entry(1, "1.10"), entry(2, "-0.05")]), findings=(Finding("gap", {"a": "b"}),)
    )
    assert load(Statement, dump(found)) == found


def test_iban_check_digits():
    assert is_iban("DE75512108001245126199")
    assert not is_iban("DE75512108001245126190")


def test_every_finding_has_words():
    for words in FINDINGS.values():
        assert words.endswith(".")


# === ONE AFTER THE OTHER === #


def pair(number="8", opening="101.00", **more):
    """Return a statement of 1.00 on 2 March and one after it."""
    first = statement([entry(1, "1.00")])
    following = statement([entry(1, "1.00", date(2026, 3, 3))], opening=opening, number=number)
    return first, replace(following, **more)


@pytest.mark.parametrize(
    ("statements", "codes"),
    [
        (pair(), []),
        (pair("9"), ["gap"]),
        (pair("7"), ["again"]),
        (pair("7", page="1"), []),
        (pair("1", start=date(2027, 1, 4), end=date(2027, 1, 4)), []),
        (pair(opening="100.00"), ["opening"]),
        (pair(start=date(2026, 3, 1)), ["overlap"]),
        (pair("0042", kind=REPORT), []),
        (pair("no number"), []),
    ],
)
def test_gap_overlap_and_broken_balance(statements, codes):
    assert [finding.code for finding in follow(*statements)] == codes


def test_accounts_are_compared_with_themselves_only():
    first, following = pair()
    other = statement([], opening="5.00", iban="FR1420041010050500013M02606", number="55")
    found = chain([first, other, following])
    assert found == [(), (), ()]
