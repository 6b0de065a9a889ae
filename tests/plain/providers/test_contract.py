"""Strict reading: what is missing, of another type or unknown is named."""

from datetime import date
from decimal import Decimal

import pytest

from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import ContractBroken

ANSWER = Answer(
    {
        "code": "INV-1",
        "tax": Decimal("1.10"),
        "text_tax": "1.10",
        "date": "2026-02-28T00:00:00",
        "status": "Committed",
        "lines": [{"tax": 1}, {"tax": "x"}],
        "nothing": None,
        "flag": True,
    },
    "transaction",
    "v2",
)


def test_reads_what_the_contract_promises():
    assert ANSWER.text("code") == "INV-1"
    assert ANSWER.decimal("tax") == ANSWER.decimal("text_tax") == Decimal("1.10")
    assert ANSWER.date("date") == date(2026, 2, 28)
    assert ANSWER.choice("status", {"Committed": "committed"}) == "committed"
    assert ANSWER.list("lines")[0].integer("tax") == 1
    assert ANSWER.text("absent", default="") == ""
    assert ANSWER.boolean("flag") is True


@pytest.mark.parametrize(
    ("read", "field", "words"),
    [
        (lambda a: a.text("absent"), "transaction.absent", "is missing"),
        (lambda a: a.text("nothing"), "transaction.nothing", "is missing"),
        (lambda a: a.decimal("code"), "transaction.code", "is not a number"),
        (lambda a: a.integer("flag"), "transaction.flag", "is a yes/no"),
        (lambda a: a.choice("status", ("Saved",)), "transaction.status", "unknown value"),
        (lambda a: a.list("lines")[1].decimal("tax"), "transaction.lines[1].tax", "not a number"),
        (lambda a: a.object("lines"), "transaction.lines", "is a list"),
        (lambda a: a.date("code"), "transaction.code", "is not a date"),
    ],
)
def test_names_field_and_version(read, field, words):
    with pytest.raises(ContractBroken, match=words) as raised:
        read(ANSWER)
    assert (raised.value.field, raised.value.version) == (field, "v2")


def test_an_answer_is_an_object():
    with pytest.raises(ContractBroken, match="a list, not an object"):
        Answer([], "transaction")
