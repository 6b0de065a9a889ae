"""Lines of mappings as CSV: what is written, what is read, and what is wrong with a file."""

import csv
import io
import random
from datetime import date

import pytest

from odoo.addons.finance_connector_base.mappings.table import COLUMNS, DANGEROUS, read, write


def row(**values):
    """The cells of one line."""
    return dict.fromkeys(COLUMNS) | {"rule": "default", "code": "X", "direction": "both"} | values


def reasons(text):
    """What is wrong with a CSV: (line, column, reason)."""
    rows, problems = read(text)
    return [problem[:3] for problem in problems]


def test_what_is_written_is_read():
    rows, problems = read(
        write(
            [row(rule="record", record_id=7, record="400", label='ü,"\n;', valid_to="2026-01-31")]
        )
    )
    assert problems == []
    [found] = rows
    assert (found.line, found.record_id, found.record, found.code) == (2, 7, "400", "X")
    assert (found.label, found.valid_from, found.valid_to) == ('ü,"\n;', None, date(2026, 1, 31))


def test_no_cell_begins_a_formula_and_all_come_back():
    pick = random.Random(7)
    letters = [*DANGEROUS[:4], "'", "a", " b", ",", '"', "ü"]
    for _turn in range(300):
        code = "".join(pick.choices(letters, k=pick.randint(1, 6))).strip()
        if not code:
            continue
        text = write([row(code=code)])
        cell = list(csv.reader(io.StringIO(text)))[1][COLUMNS.index("code")]
        assert not cell.startswith(DANGEROUS), text
        [found], problems = read(text)
        assert (found.code, problems) == (code, [])


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_in_any_order(mark, delimiter):
    lines = [("code", "rule", "prefix"), ("A", "Code", "4"), ("", "", ""), ("B", "name", "R")]
    rows, problems = read(mark + "\n".join(delimiter.join(cells) for cells in lines))
    assert problems == []
    assert [(found.line, found.code, found.prefix) for found in rows] == [
        (2, "A", "4"),
        (4, "B", "R"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(1, "rule", "no_column"), (1, "code", "no_column")]),
        ("rule,code\n", [(2, "", "empty")]),
        ("rule,code,colour\ndefault,X,red", [(1, "colour", "unknown_column")]),
        ("rule,code,code\ndefault,X,Y", [(1, "code", "column_twice")]),
        ("rule,code\ndefault,X,Y", [(2, "", "too_many_cells")]),
        ("rule,code\ndefault,\nother,X", [(2, "code", "no_value"), (3, "rule", "unknown_rule")]),
        ("rule,code,record\nrecord,X,", [(2, "record", "no_value")]),
        ("rule,code,record\ndefault,X,7", [(2, "record", "must_be_empty")]),
        ("rule,code,record_id\nrecord,X,-7", [(2, "record_id", "no_number")]),
        ("rule,code,prefix\ncode,X,", [(2, "prefix", "no_value")]),
        ("rule,code,prefix\ndefault,X,4", [(2, "prefix", "must_be_empty")]),
        ("rule,code,direction\ndefault,X,in", [(2, "direction", "only_records_lead_in")]),
        ("rule,code,direction\ndefault,X,up", [(2, "direction", "unknown_direction")]),
        ("rule,code,valid_from\ndefault,X,31.01.2026", [(2, "valid_from", "no_day")]),
        (
            "rule,code,valid_from,valid_to\ndefault,X,2026-02-01,2026-01-31",
            [(2, "valid_to", "ends_before")],
        ),
        ("rule,code\ndefault,X\n\ndefault,Y", [(4, "rule", "overlaps")]),
        ("rule,code,prefix\nname,X,Ab\nname,Y,aB", [(3, "rule", "overlaps")]),
        ("rule,code,prefix\ncode,X,Ab\ncode,Y,aB", []),
        ('rule,code\n"default"x,"Y', [(2, "", "unreadable")]),
    ],
)
def test_what_is_wrong_is_told_with_line_and_column(text, expected):
    assert reasons(text) == expected


def test_line_numbers_count_breaks_in_cells():
    assert reasons('rule,code\ndefault,"X\nY"\nother,Z') == [(4, "rule", "unknown_rule")]
