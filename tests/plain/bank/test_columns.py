"""CSV and XLSX by a map: reading, proposing, preview, and what is refused."""

import datetime
import io
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import xlsxwriter
from bank_files import COLUMNS, IBAN, OTHER_IBAN, entry, statement, table, write_csv, write_xlsx

from odoo.addons.finance_bank_sync import formats
from odoo.addons.finance_bank_sync.canonical.statement import BOOKED, PENDING
from odoo.addons.finance_bank_sync.formats import ColumnMap, FormatError, columns, style, xlsx
from odoo.addons.finance_connector_base.canonical import codec

SIMPLE = ColumnMap(columns={"date": "D", "amount": "A"}, order="DMY", mark=",", delimiter=";")


def csv(*rows, head="D;A"):
    return "\n".join([head, *rows]).encode()


def read(content, column_map=SIMPLE):
    (found,) = formats.load(content, column_map)
    return found


def refused(content, column_map=SIMPLE):
    with pytest.raises(FormatError) as error:
        formats.summaries(content, column_map)
    return error.value


# === AMOUNTS AND DATES === #


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("1,234.56", ".", "1234.56"),
        ("1.234,56", ",", "1234.56"),
        ("1 234,56", ",", "1234.56"),
        ("1\u00a0234,56", ",", "1234.56"),
        ("1'234'567.5", ".", "1234567.5"),
        ("-5", ".", "-5"),
        ("5-", ".", "-5"),
        ("\u22125,00", ",", "-5.00"),
        ("(5.00)", ".", "-5.00"),
        ("+5", ",", "5"),
        ("€ 5,00", ",", "5.00"),
        ("5.00 USD", ".", "5.00"),
        ("-$5.00", ".", "-5.00"),
        (".5", ".", "0.5"),
        ("5.", ".", "5"),
    ],
)
def test_amounts(text, mark, expected):
    assert str(style.amount(text, mark)) == expected


@pytest.mark.parametrize(
    ("text", "mark"),
    [("1,5", "."), ("1,23,456.00", "."), ("1.234.56", "."), ("1,234,56", ","), ("(-5)", "."), ("-5-", "."),
     ("(5", "."), ("5 5", "."), ("", "."), ("-", "."), ("1e5", "."), ("NaN", "."), ("9" * 19, "."),
     ("1,234'567.00", "."), ("EUR", "."), ("٣", ".")],
)  # fmt: skip
def test_no_amounts(text, mark):
    with pytest.raises(ValueError, match=".*"):
        style.amount(text, mark)


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("05.03.2026", "DMY", date(2026, 3, 5)),
        ("03/05/26", "MDY", date(2026, 3, 5)),
        ("2026-03-05T10:15:00Z", "YMD", date(2026, 3, 5)),
        ("2026-03-05 10:15:00.123", "YMD", date(2026, 3, 5)),
        ("5 March 2026", "DMY", date(2026, 3, 5)),
        ("Mar 5, 2026", "MDY", date(2026, 3, 5)),
        ("20260305", "YMD", date(2026, 3, 5)),
        ("05032026", "DMY", date(2026, 3, 5)),
        ("5-3-2026", "DMY", date(2026, 3, 5)),
    ],
)
def test_days(text, order, expected):
    assert style.day(text, order) == expected


@pytest.mark.parametrize(
    ("text", "order"), [("05.13.2026", "DMY"), ("2026-03-05", "DMY"), ("1/2", "DMY"), ("1/2/333", "DMY"), ("", "DMY"),
                        ("30.02.2026", "DMY"), ("05 Xyz 2026", "DMY"), ("0000-01-01", "YMD")]
)  # fmt: skip
def test_no_days(text, order):
    with pytest.raises(ValueError, match=".*"):
        style.day(text, order)


# === READING === #


def test_all_columns():
    found = read(
        write_csv(statement([entry(1, "1234.50", account=OTHER_IBAN, text='say "hi"; bye')])),
        COLUMNS,
    )
    (item,) = found.entries
    assert (item.amount, item.currency, item.text) == (Decimal("1234.50"), "EUR", 'say "hi"; bye')
    assert (item.details[0].debtor.name, item.details[0].debtor.account) == (
        "Other Ltd",
        OTHER_IBAN,
    )
    assert (found.format, found.currency) == ("csv", "EUR")


@pytest.mark.parametrize(
    ("changes", "head", "row", "expected"),
    [
        (
            {"columns": {"date": "D", "debit": "O", "credit": "I"}},
            "D;O;I",
            "01.03.2026;5,00;",
            "-5.00",
        ),
        (
            {"columns": {"date": "D", "debit": "O", "credit": "I"}},
            "D;O;I",
            "01.03.2026;-5,00;0,00",
            "-5.00",
        ),
        (
            {"columns": {"date": "D", "debit": "O", "credit": "I"}},
            "D;O;I",
            "01.03.2026;;5,00",
            "5.00",
        ),
        (
            {"columns": {"date": "D", "amount": "A", "indicator": "S"}},
            "D;A;S",
            "01.03.2026;5,00;S",
            "-5.00",
        ),
        (
            {"columns": {"date": "D", "amount": "A", "indicator": "S"}},
            "D;A;S",
            "01.03.2026;5,00;Haben",
            "5.00",
        ),
        ({"negate": True}, "D;A", "01.03.2026;5,00", "-5.00"),
        (
            {"columns": {"date": "#1", "amount": "#2"}, "head": 0, "first": 1},
            "01.03.2026;5,00",
            "",
            "5.00",
        ),
        ({"columns": {"date": "#1", "amount": "#2"}, "first": 2}, "x;x", "01.03.2026;5,00", "5.00"),
        ({"delimiter": "\t"}, "D\tA", "01.03.2026\t5,00", "5.00"),
        (
            {"delimiter": ",", "mark": ".", "order": "YMD"},
            "D,A",
            '2026-03-01,"5,000.00"',
            "5000.00",
        ),
    ],
)
def test_where_amounts_stand(changes, head, row, expected):
    (item,) = read(csv(row, head=head), replace(SIMPLE, **changes)).entries
    assert str(item.amount) == expected


def test_lines_before_the_head_and_behind_the_last_row():
    content = b"Bank;\nPeriod;March\n\nD;A\n\n01.03.2026;1,00\n\nTotal;1,00\n"
    found = read(content, replace(SIMPLE, head=4, first=5, last="Total"))
    assert [entry.place for entry in found.entries] == ["row 6"]


def test_several_texts_status_and_ids():
    fields = {"text": "T1", "text2": "T2", "status": "S", "unique_id": "I", "original_amount": "O",
              "original_currency": "C", "rate": "R", "code": "K", "reference": "F"}  # fmt: skip
    column_map = replace(SIMPLE, columns=SIMPLE.columns | fields)
    rows = ["01.03.2026;1,00;a;b;Pending;X1;2,00;USD;0,5;POS;R1", "01.03.2026;1,00;a;;done;X2;;;;;"]
    first, second = read(csv(*rows, head="D;A;T1;T2;S;I;O;C;R;K;F"), column_map).entries
    assert [item.status for item in (first, second)] == [PENDING, BOOKED]
    assert (first.text, first.unique_id, first.reference, first.code.proprietary) == (
        "a b",
        "X1",
        "R1",
        "POS",
    )
    assert (first.original_amount, first.original_currency, first.rate) == (
        Decimal("2.00"),
        "USD",
        Decimal("0.5"),
    )


def test_accounts_of_one_file():
    column_map = replace(SIMPLE, columns=SIMPLE.columns | {"account": "N"})
    rows = [
        f"01.03.2026;1,00;{IBAN}",
        f"02.03.2026;2,00;{OTHER_IBAN}",
        f"03.03.2026;3,00;{OTHER_IBAN}",
    ]
    found = formats.load(csv(*rows, head="D;A;N"), column_map)
    assert [(s.account.iban, len(s.entries)) for s in found] == [(IBAN, 1), (OTHER_IBAN, 2)]
    assert refused(csv(*rows, rows[0], head="D;A;N"), column_map).code == "account"


@pytest.mark.parametrize("newest_first", [False, True])
def test_running_balance_proves_itself(newest_first):
    column_map = replace(SIMPLE, columns=SIMPLE.columns | {"balance": "B"})
    rows = ["01.03.2026;10,00;110,00", "02.03.2026;-5,00;105,00", "02.03.2026;1,00;106,00"]
    found = read(csv(*rows[:: -1 if newest_first else 1], head="D;A;B"), column_map)
    assert [(b.type, str(b.amount)) for b in found.balances] == [
        ("OPBD", "100.00"),
        ("CLBD", "106.00"),
    ]
    assert found.findings == ()
    rows[1] = "02.03.2026;-5,00;104,00"
    broken = read(csv(*rows, head="D;A;B"), column_map)
    assert ([f.code for f in broken.findings], broken.balances) == (["running"], ())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (csv("01.03.2026;1.00"), "amount"),
        (csv("01.03.2026;"), "missing"),
        (csv(";1,00"), "missing"),
        (csv("2026-03-01;1,00"), "date"),
        (csv("01.03.2026"), "missing"),
        (csv("01.03.2026;1,00", head="D;X"), "missing"),
        (csv("01.03.2026;1,00", head="D;A;A"), "missing"),
        (csv(), "empty"),
        (csv('01.03.2026;"1,00'), "truncated"),
        (csv('01.03.2026;"1"00'), "syntax"),
        (csv("01.03.2026;" + "x" * 70_000), "size"),
        (csv("01.03.2026;" + "x" * 200_000), "syntax"),
        (csv("01.03.2026;1,00\0"), "encoding"),
    ],
)
def test_refused(content, code):
    error = refused(content)
    assert error.code == code
    assert error.line or code == "empty"


@pytest.mark.parametrize(
    "changes",
    [{"columns": {"date": "D"}}, {"columns": {"amount": "A"}}, {"columns": {"date": "D", "amount": "A", "x": "X"}},
     {"order": ""}, {"mark": ""}],
)  # fmt: skip
def test_maps_that_can_not_read(changes):
    assert refused(csv("01.03.2026;1,00"), replace(SIMPLE, **changes)).code in (
        "missing",
        "value",
        "ambiguous",
    )


def test_a_table_without_a_map_asks_for_one():
    assert refused(csv("01.03.2026;1,00"), None).code == "ambiguous"


def test_a_map_goes_through_its_text_form():
    assert codec.load(ColumnMap, codec.dump(COLUMNS)) == COLUMNS


# === XLSX === #


def test_xlsx_numbers_and_dates_are_exact():
    rows = [["D", "A"], [date(2026, 3, 1), 0.1 + 0.2], [datetime.datetime(2026, 3, 2, 9, 30), -1234567.89],
            ["03.03.2026", "1.000,50"]]  # fmt: skip
    found = read(write_xlsx(rows), replace(SIMPLE, delimiter=""))
    assert [str(item.amount) for item in found.entries] == ["0.3", "-1234567.89", "1000.50"]
    assert [item.booking_date.day for item in found.entries] == [1, 2, 3]
    assert found.format == "xlsx"


def test_xlsx_says_the_same_as_csv():
    source = statement(
        [entry(1, "12.50", text="Größe & more"), entry(2, "-3.25", date(2026, 3, 4))]
    )
    as_csv = read(write_csv(source), COLUMNS)
    as_xlsx = read(write_xlsx(table(source)), replace(COLUMNS, delimiter=""))
    assert as_xlsx.entries == as_csv.entries


def packed(**parts):
    """Return an XLSX file of one row, with shared texts, with some parts replaced."""
    source, file = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(source) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["D", "A"])
        sheet.write_row(1, 0, ["01.03.2026", 5])
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            change = parts.get(name.rpartition("/")[2].partition(".")[0])
            new.writestr(name, change(old.read(name)) if change else old.read(name))
    return file.getvalue()


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (
            packed(
                sheet1=lambda part: part.replace(b"<row", b"<row x='" + b" " * (11 << 20) + b"'", 1)
            ),
            {"size"},
        ),
        (packed(sheet1=lambda part: BOMB + part.partition(b"?>")[2]), {"forbidden"}),
        (packed(sharedStrings=lambda part: BOMB + part.partition(b"?>")[2]), {"forbidden"}),
        (packed(sheet1=lambda part: part.replace(b"<v>5</v>", b"<v>1e999999</v>")), {"amount"}),
        (packed(sheet1=lambda part: part.replace(b"<v>5</v>", b"<v>NaN</v>")), {"amount"}),
        (packed(sheet1=lambda part: part.replace(b"<v>0</v>", b"<v>99</v>")), {"syntax"}),
        (packed(sheet1=lambda part: part.replace(b'r="B2"', b'r="XFD2"')), {"size"}),
        (packed(sheet1=lambda part: part[:-20]), {"truncated", "syntax"}),
        (packed(workbook=lambda part: part.replace(b"<sheet ", b"<other ")), {"empty"}),
        (packed(styles=lambda part: b""), {"syntax", "truncated"}),
        (packed()[:-40], {"syntax"}),
        (b"PK\x03\x04" + b"x" * 100, {"syntax"}),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, {"unsupported"}),
    ],
)
def test_xlsx_refused(content, codes):
    assert refused(content, replace(SIMPLE, delimiter="")).code in codes


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_UNPACKED", 1 << 20), ("MAX_RATIO", 100), ("MAX_PARTS", 3)]
)
def test_a_zip_bomb_is_not_unpacked(monkeypatch, limit, value):
    content = packed(sheet1=lambda part: part + b" " * (2 << 20))
    monkeypatch.setattr(xlsx, limit, value)
    assert refused(content, replace(SIMPLE, delimiter="")).code == "size"


def test_another_zip_is_no_xlsx():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("statement.xml", "<x/>")
    assert refused(file.getvalue(), replace(SIMPLE, delimiter="")).code == "unsupported"


# === PROPOSAL AND PREVIEW === #


def propose(content):
    return columns.propose(io.BytesIO(content))


def test_a_proposal_reads_what_is_clear():
    content = (
        "Konto;DE75\n\nBuchungstag;Valuta;Betrag;Verwendungszweck;Währung\n"
        "13.02.2026;14.02.2026;1.234,56;Rechnung;EUR\n"
    ).encode("cp1252")
    found = propose(content)
    assert found.questions == {}
    assert found.map.columns == {
        "date": "Buchungstag", "value_date": "Valuta", "amount": "Betrag", "text": "Verwendungszweck",
        "currency": "Währung",
    }  # fmt: skip
    assert (found.map.delimiter, found.map.head, found.map.order, found.map.mark) == (
        ";",
        3,
        "DMY",
        ",",
    )
    assert read(content, found.map).entries[0].amount == Decimal("1234.56")


@pytest.mark.parametrize(
    ("content", "questions"),
    [
        (b"Date,Amount\n01/02/2026,1.50\n", {"order": ("DMY", "MDY")}),
        (b"Date;Amount\n2026-02-01;1,500\n", {"mark": (".", ",")}),
        (b"When;What\n2026-02-01;1,50\n", {"columns": ("When", "What"), "order": style.ORDERS, "mark": style.MARKS}),
    ],
)  # fmt: skip
def test_a_proposal_asks_where_two_readings_differ(content, questions):
    found = propose(content)
    assert found.questions == questions
    for name in ("order", "mark"):
        assert bool(getattr(found.map, name)) != (name in questions), "no silent guess"


def test_heads_that_are_there_twice_are_proposed_by_their_place():
    found = propose(b"Date,Amount,Text,Text,Text2\n2026-03-01,1.50,a,b,c\n")
    assert found.map.columns == {"date": "Date", "amount": "Amount", "text": "#3", "text2": "#4"}


def test_a_proposal_for_xlsx():
    found = propose(
        write_xlsx([["Date", "Amount"], [date(2026, 3, 1), 5.5], ["13.03.2026", "1,50"]])
    )
    assert (found.map.delimiter, found.map.order, found.map.mark) == ("", "DMY", ",")


def test_preview_tells_rows_and_problems():
    content = csv("01.03.2026;1,00", "02.03.2026;x")
    rows = columns.preview(io.BytesIO(content), SIMPLE)
    assert [row.cells for row in rows][:2] == [("D", "A"), ("01.03.2026", "1,00")]
    assert [row.entry and str(row.entry.amount) for row in rows] == [None, "1.00", None]
    assert "This is no amount" in rows[2].problem
    (row, *_others) = columns.preview(io.BytesIO(content), replace(SIMPLE, columns={"date": "X"}))
    assert "needs a date and an amount" in row.problem
