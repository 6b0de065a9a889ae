"""Canonical statements written in each format and read again say the same."""

from datetime import date
from decimal import Decimal

from bank_files import (
    COLUMNS,
    OTHER_IBAN,
    entry,
    statement,
    table,
    write_bai2,
    write_camt,
    write_csv,
    write_mt940,
    write_ofx,
    write_qif,
    write_xlsx,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.finance_bank_sync import formats
from odoo.addons.finance_bank_sync.canonical.statement import numbered
from odoo.addons.finance_bank_sync.formats import columns

cents = st.integers(-(10**11), 10**11).filter(bool).map(lambda number: Decimal(number) / 100)
days = st.dates(date(2000, 1, 1), date(2079, 12, 1))
# words of letters that all formats can carry and none gives a meaning to
words = st.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789äöüéñß.-()&'",
    min_size=1,
    max_size=9,
)
texts = st.lists(words, min_size=1, max_size=9).map(" ".join)
ids = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", min_size=1, max_size=20).filter(
    lambda i: i.strip("-")
)


@st.composite
def statements(draw):
    """Draw a statement whose entries are near each other in time."""
    first = draw(days)
    entries = []
    for position in range(1, draw(st.integers(1, 6)) + 1):
        booked = date.fromordinal(first.toordinal() + draw(st.integers(0, 20)))
        value = date.fromordinal(booked.toordinal() + draw(st.integers(-9, 9)))
        more = {
            "name": draw(texts)[:50].strip(),
            "account": draw(st.sampled_from(["", OTHER_IBAN])),
        }
        end_to_end = draw(st.one_of(st.just(""), ids))
        entries.append(
            entry(
                position, draw(cents), booked, value, draw(texts), end_to_end_id=end_to_end, **more
            )
        )
    return statement(entries, opening=str(draw(cents)))


def said(found, *names):
    """Return what each entry says of ``names``."""
    every = {
        "booked": lambda e: e.booking_date,
        "value": lambda e: e.value_date,
        "text": lambda e: " ".join(e.text.split()),
        "name": lambda e: e.counterparty(e.details[0]).name,
        "account": lambda e: e.counterparty(e.details[0]).account,
        "end_to_end": lambda e: e.details[0].end_to_end_id,
    }
    return [(e.amount, e.status, *(every[name](e) for name in names)) for e in found.entries]


def check(source, content, *names, column_map=None, **options):
    """Assert that ``content`` says what ``source`` does, and that balances prove right."""
    (found,) = formats.load(content, column_map, **options)
    assert said(found, *names) == said(source, *names)
    assert not [finding for finding in found.findings if finding.code not in ("encoding", "dates")]
    if found.closing:
        assert found.closing.amount == source.closing.amount
    return found


ALL = ("booked", "value", "text", "name", "account", "end_to_end")
FEW = settings(max_examples=15, deadline=None)


@FEW
@given(statements(), st.sampled_from(["02", "04", "08", "14"]))
def test_camt(source, version):
    found = check(source, write_camt(source, version), *ALL)
    assert [e.fingerprint() for e in found.entries] == [e.fingerprint() for e in source.entries]


@FEW
@given(statements())
def test_mt940(source):
    # the subfields of 27 characters and the lines of 65 break words and lose blanks at the end
    found = check(source, write_mt940(source), "booked", "value", "account", "end_to_end")
    squeezed = [["".join(e.text.split()) for e in s.entries] for s in (found, source)]
    assert squeezed[0] == squeezed[1]


@FEW
@given(statements(), st.booleans())
def test_ofx(source, xml):
    check(source, write_ofx(source, xml), "booked", "value", "text", "name")


@FEW
@given(statements())
def test_bai2(source):
    one_day = statement(
        (
            entry(e.position, e.amount, date(2026, 3, 2), e.value_date, e.text)
            for e in source.entries
        ),
        opening=str(source.opening.amount),
    )
    found = check(one_day, write_bai2(one_day), "booked", "value", "text")
    assert found.opening.amount == source.opening.amount


@FEW
@given(statements())
def test_qif(source):
    check(source, write_qif(source), "booked", "text", "name", order="MDY", mark=".")


@FEW
@given(statements())
def test_csv(source):
    found = check(source, write_csv(source), *ALL[:-1], column_map=COLUMNS)
    assert found.currency == "EUR"


@settings(max_examples=5, deadline=None)
@given(statements())
def test_xlsx(source):
    check(
        source,
        write_xlsx(table(source)),
        *ALL[:-1],
        column_map=columns.replace(COLUMNS, delimiter=""),
    )


@FEW
@given(statements())
def test_camt_and_mt940_of_one_day_have_the_same_fingerprints(source):
    prints = [
        [(mark, twin) for _entry, mark, twin in numbered(formats.load(content)[0].entries)]
        for content in (write_camt(source), write_mt940(source))
    ]
    assert prints[0] == prints[1]
