"""The canonical text of an event: written once, computed a second time here."""

import hashlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.finance_connector_base.evidence.rows import COLUMNS, Event, at_of, leaf, with_id

from tests.plain.evidence.chain import event

ROW = Event(
    at="2026-03-31T10:11:12.120000Z",
    company_id=1,
    connector_id=None,
    data='{"b": 1.50, "a": {"é": ["x\\"y", null, true]}, "n": 12345678901234567890}',
    id=7,
    kind="job.done",
    res_id=42,
    res_model="account.move",
    schema_version=1,
    trace_id=None,
    user_id=2,
    seal_id=3,
)
LINE = (
    '{"at":"2026-03-31T10:11:12.120000Z","company_id":1,'
    '"data":{"a":{"é":["x\\"y",null,true]},"b":1.50,"n":12345678901234567890},'
    '"id":7,"kind":"job.done","res_id":42,"res_model":"account.move","schema_version":1,"user_id":2}'
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def test_text_and_leaf():
    assert ROW.line.decode() == LINE
    assert leaf(ROW.line) == hashlib.sha256(b"\0" + LINE.encode()).digest()
    assert list(COLUMNS) == sorted(COLUMNS)


def test_the_seal_is_no_part_of_it():
    assert ROW._replace(seal_id=None).line == ROW.line


@pytest.mark.parametrize(
    "change",
    [
        {"at": "2026-03-31T10:11:12.120001Z"},
        {"company_id": None},
        {"connector_id": 0},
        {"id": 8},
        {"kind": "job.dons"},
        {"res_id": 43},
        {"res_model": ""},
        {"schema_version": 2},
        {"trace_id": ""},
        {"user_id": 1},
        {"data": None},
        {"data": ROW.data.replace("1.50", "1.5")},
        {"data": ROW.data.replace("1.50", '"1.50"')},
        {"data": ROW.data.replace("null", "0")},
        {"data": ROW.data.replace("true", "1")},
    ],
    ids=str,
)
def test_every_column_counts(change):
    assert leaf(ROW._replace(**change).line) != leaf(ROW.line)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), json_values, max_size=5))
def test_data_is_json_again(data):
    """Blanks and the order of keys don't matter; the line is JSON and says the same."""
    line = event(1, data=json.dumps(data)).line
    assert json.loads(line)["data"] == data
    backwards = dict(reversed(data.items()))
    assert event(1, data=json.dumps(backwards, indent=2, ensure_ascii=False)).line == line
    expected = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert f'"data":{expected},'.encode() in line


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_digits(number):
    text = format(Decimal(number), "f")
    assert f'"data":{{"n":{text}}}'.encode() in event(1, data=f'{{"n": {text}}}').line


@pytest.mark.parametrize("data", ["{", "[" * 5000, '{"a": NaNx}', "\udc80"])
def test_what_is_no_json_does_not_stop_anybody(data):
    assert leaf(event(1, data=data).line) != leaf(event(1).line)


def test_the_same_under_another_id():
    assert with_id(ROW.line, 9) == ROW._replace(id=9).line


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026-03-31 10:11:12", "2026-03-31T10:11:12.000000Z"),
        ("2026-03-31 10:11:12.1", "2026-03-31T10:11:12.100000Z"),
        ("2026-03-31 10:11:12.123456", "2026-03-31T10:11:12.123456Z"),
    ],
)
def test_times_of_a_dump(text, canonical):
    assert at_of(text) == canonical
