"""Canonical values: equal values have equal text, and come back as they were."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

import pytest

from odoo.addons.finance_connector_base.canonical import codec


class Kind(Enum):
    GOODS = "goods"


@dataclass(frozen=True)
class Line:
    amount: Decimal
    kind: Kind = Kind.GOODS
    note: str | None = None


@dataclass(frozen=True)
class Document:
    code: str
    day: date
    at: datetime
    lines: tuple[Line, ...]
    rates: dict[str, Decimal]
    paid: bool = False


DOCUMENT = Document(
    "INV/1",
    date(2026, 2, 28),
    datetime(2026, 2, 28, 12, 30),
    (Line(Decimal("1.50")), Line(Decimal("-0.005"), note="ä „“")),
    {"EUR": Decimal("0.8731")},
)


def test_there_and_back():
    assert codec.load(Document, codec.dump(DOCUMENT)) == DOCUMENT


def test_text_is_canonical():
    text = codec.dump({"b": Decimal("1.0"), "a": [1, None, True]})
    assert text == '{"a":[1,null,true],"b":"1.0"}'


def test_digits_of_an_amount_are_kept():
    assert '"amount":"1.50"' in codec.dump(DOCUMENT)
    assert codec.dump(Decimal("1E+2")) == '"100"'


def test_digest_tells_values_apart():
    other = Document(**{**DOCUMENT.__dict__, "code": "INV/2"})
    assert codec.digest(DOCUMENT) != codec.digest(other)
    assert codec.digest(DOCUMENT) == codec.digest(codec.load(Document, codec.dump(DOCUMENT)))


def test_a_new_optional_field_keeps_old_texts_readable():
    assert codec.load(Line, '{"amount":"2"}') == Line(Decimal(2))


def test_float_is_refused():
    with pytest.raises(TypeError, match="float"):
        codec.dump({"amount": 1.5})
