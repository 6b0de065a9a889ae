"""Files for authorities without a database: numbers of companies, cells, shares of tax."""

import re
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from odoo.addons.finance_reporting_export.statutory import KINDS, Books, OtherTotals
from odoo.addons.finance_reporting_export.statutory.books import text
from odoo.addons.finance_reporting_export.statutory.encodings import ENCODINGS, strange
from odoo.addons.finance_reporting_export.statutory.fec import COLUMNS, _cell, siren
from odoo.addons.finance_reporting_export.statutory.saft_no import organisation
from odoo.addons.finance_reporting_export.statutory.tax_shares import Item, shares

amounts = st.decimals("-99999.99", "99999.99", places=2)


def books(**values):
    """Books of 2025."""
    facts = {
        "name": "Maison", "registry": "732829320", "vat": "", "currency": "EUR", "decimals": 2,
        "companies": (1,), "root": "1", "first": date(2025, 1, 1), "last": date(2025, 12, 31),
        "year_first": date(2025, 1, 1), "year_last": date(2025, 12, 31), "earnings": 9,
        "made": datetime(2026, 1, 2, 3, 4, 5),
    }  # fmt: skip
    return Books(**facts | values)


@pytest.mark.parametrize(
    ("registry", "vat", "expected"),
    [
        ("732 829 320", "", "732829320"),
        ("732 829 320 00074", "", "732829320"),
        ("", "FR44 732829320", "732829320"),
        ("RCS Paris", "FR44732829320", "732829320"),
        ("732829321", "", ""),
        ("", "BE0477472701", ""),
        ("", "", ""),
        ("12345", "", ""),
    ],
)
def test_siren(registry, vat, expected):
    """From SIREN, SIRET or VAT number; with a wrong check figure there is none."""
    assert siren(books(registry=registry, vat=vat)) == expected


@pytest.mark.parametrize(
    ("registry", "vat", "expected"),
    [
        ("923 609 016", "", "923609016"),
        ("", "NO 923609016 MVA", "923609016"),
        ("923609017", "", ""),
        ("", "", ""),
    ],
)
def test_organisation_number(registry, vat, expected):
    """Nine figures, the last of which is right."""
    assert organisation(books(registry=registry, vat=vat)) == expected


def test_names_of_files():
    assert KINDS["fec"]().name(books()) == "732829320FEC20251231.txt"
    name = KINDS["saft_no"]().name(books(registry="923609016"))
    assert name == "SAF-T Financial_923609016_20260102030405.xml"


@given(st.text())
def test_a_cell_is_a_cell(value):
    """Whatever a label holds, it breaks neither the line nor the columns, and says the rest."""
    cell = _cell(value)
    assert len(cell.splitlines()) <= 1
    assert not set(cell) & set("\t|\r\n")
    kept = "".join(text(value).translate({ord("|"): None}).split())
    assert "".join(cell.split()) == kept


@given(st.text(), st.integers(1, 40))
def test_text_can_stand_in_xml(value, most):
    element = etree.Element("a")
    element.text = text(value, most)
    assert len(element.text) <= most


@given(st.lists(amounts, min_size=1, max_size=12), amounts)
def test_shares_are_the_whole(bases, tax):
    """The parts of a tax add up to it, whatever the items are."""
    items = [Item(base, (7,)) for base in bases] + [Item(tax, (), 7)]
    found = shares(items)
    assert set(found) == set(range(len(bases)))
    assert sum(part[7] for part in found.values()) == tax


def test_shares_of_several_taxes():
    """In proportion; a reverse charge counts once; a zero rate is 0."""
    items = [
        Item(Decimal("-100.00"), (1, 3)),
        Item(Decimal("-50.00"), (1,)),
        Item(Decimal("200.00"), (2,)),
        Item(Decimal("-30.00"), (), 1),
        Item(Decimal("50.00"), (), 2),
        Item(Decimal("-50.00"), (), 2, True),
    ]
    assert shares(items) == {
        0: {1: Decimal("-20.00"), 3: Decimal(0)},
        1: {1: Decimal("-10.00")},
        2: {2: Decimal("50.00")},
    }


def test_other_totals_are_refused():
    """A file that does not say what the ledger's sums say is none."""
    line = (
        "VT", "Ventes", "VT/1", date(2025, 2, 3), 1, "411000", "Clients", "C1", "Client", "VT/1",
        date(2025, 2, 3), "Label", "10.00", "0.00", None, None, None, None, 1,
    )  # fmt: skip

    def rows(query, **_more):
        if "count(DISTINCT line.move_id)" in query:
            return [(1, 1, "10.00", "10.00")]
        return [line] if "letters" in query else []

    sink = BytesIO()
    with pytest.raises(OtherTotals):
        KINDS["fec"]().write(books(), rows, sink)
    assert sink.getvalue().split(b"\r\n")[0].decode().split("\t") == list(COLUMNS)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_sign_is_strange_exactly_where_the_encoding_has_none(encoding):
    pattern = strange(encoding)
    for sign in map(chr, range(1, 0x3000)):
        if sign in "\u2028\u2029":
            assert text(sign) == ""
            continue
        told = bool(pattern and re.search(pattern, sign))
        assert told == (not _fits(sign, encoding)), hex(ord(sign))


def _fits(sign, encoding):
    try:
        return bool(sign.encode(encoding))
    except UnicodeEncodeError:
        return False
