"""The TaxJar provider against hand-made answers: rounding, ids, unit prices."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.finance_connector_base.providers import http
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Rejected,
    Transient,
)
from odoo.addons.finance_connector_base.providers.session import ConnectorConfig, Session
from odoo.addons.finance_tax_engine.canonical.tax import (
    INVOICE,
    NO_NEXUS,
    Address,
    TaxDocument,
    TaxLine,
)
from odoo.addons.finance_tax_engine.providers.taxjar import TaxJar
from odoo.addons.finance_tax_engine.providers.taxjar_order import Item, escape, unescape

HOUSTON = Address("1 Main St", "", "Houston", "TX", "77002", "US")
TODAY = datetime.now(UTC).date()


def document(*amounts, **changes):
    lines = tuple(
        TaxLine(str(number), Decimal(amount), Decimal(1))
        for number, amount in enumerate(amounts or ["10.00"], start=1)
    )
    return TaxDocument(
        INVOICE, "", "C", "USD", TODAY, HOUSTON, HOUSTON, lines, **({"code": "INV/1"} | changes)
    )


@pytest.fixture
def vendor(monkeypatch):
    """A TaxJar whose answers are given as (status, payload) in ``vendor.answers``."""
    config = ConnectorConfig(
        1, "TaxJar", "taxjar", "production", "https://x", settings={"api_token": "T"}
    )
    engine = TaxJar(Session(config, effect="idempotent"))
    engine.answers, engine.sent = [], []

    def send(request, **_options):
        engine.sent.append(request)
        status, payload = engine.answers.pop(0)
        return http.Response(status, {}, json.dumps(payload).encode(), request.url)

    monkeypatch.setattr(http, "send", send)
    return engine


def answer(lines, state, total, **changes):
    """An answer of /taxes: {number: state tax of the line}, of the order, and all in all."""
    rows = [
        {
            "id": number,
            "taxable_amount": 10.0,
            "tax_collectable": tax,
            "state_taxable_amount": 10.0,
            "state_sales_tax_rate": 0.0625,
            "state_amount": tax,
        }
        for number, tax in lines.items()
    ]
    tax = {
        "amount_to_collect": total,
        "has_nexus": True,
        "jurisdictions": {"country": "US", "state": "TX"},
        "breakdown": {"state_tax_collectable": state, "line_items": rows},
    }
    return {"tax": tax | changes}


def test_the_orders_own_tax_counts_where_lines_are_rounded_otherwise(vendor):
    vendor.answers = [(200, answer({"1": 0.63, "2": 0.63, "3": 0.63}, 1.88, 1.88))]
    result = vendor.quote(document("10", "10", "10"))
    assert result.total_tax == Decimal("1.88")
    assert sorted(tax.amount for tax in result.taxes) == [
        Decimal("0.62"),
        Decimal("0.63"),
        Decimal("0.63"),
    ]


@pytest.mark.parametrize(
    "payload",
    [
        answer({"1": 0.63, "2": 0.63}, 1.50, 1.50),
        answer({"1": 0.63, "2": 0.63}, 1.26, 1.27),
        answer({"1": 0.63}, 0.63, 0.63),
        answer({"1": 0.63, "9": 0.63}, 1.26, 1.26),
        answer({"1": 0.63, "2": 0.63}, 1.26, 1.26, breakdown=None),
        answer({"1": 0.63, "2": 0.63}, 1.26, 1.26, has_nexus=False),
        answer({"1": 0.63, "2": 0.63}, 1.26, None),
    ],
)
def test_what_does_not_add_up_is_refused(vendor, payload):
    vendor.answers = [(200, payload)]
    with pytest.raises(ContractBroken):
        vendor.quote(document("10", "10"))


def test_without_nexus_there_is_no_breakdown(vendor):
    vendor.answers = [(200, {"tax": {"amount_to_collect": 0, "has_nexus": False}})]
    result = vendor.quote(document("10", "10"))
    assert (result.total_tax, result.total_exempt) == (0, Decimal("20"))
    assert [(why.line, why.code) for why in result.reasons] == [("1", NO_NEXUS), ("2", NO_NEXUS)]


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (400, Rejected),
        (401, AuthFailed),
        (403, AuthFailed),
        (404, Rejected),
        (406, Rejected),
        (422, Rejected),
        (429, Transient),
        (500, Transient),
        (503, Transient),
    ],
)
def test_errors_have_the_class_that_says_what_to_do(vendor, status, error_class):
    vendor.answers = [(status, {"error": "No", "detail": "why not", "status": status})]
    with pytest.raises(error_class, match="TaxJar: No: why not") as raised:
        vendor.quote(document())
    assert type(raised.value) is error_class


def test_another_id_in_the_answer_is_a_fault(vendor):
    order = {"transaction_id": "123", "transaction_date": "2026-01-01T00:00:00Z",
             "amount": "10.0", "shipping": "0.0", "sales_tax": "0.0"}  # fmt: skip
    vendor.answers = [(201, {"order": order})]
    with pytest.raises(ContractBroken, match="123 instead of INV/1"):
        vendor.commit(document(booked=()))


def test_a_duplicate_of_another_day_is_said(vendor):
    order = {"transaction_id": "INV_-1", "transaction_date": "2026-01-01T00:00:00Z",
             "amount": "10.0", "shipping": "0.0", "sales_tax": "0.0"}  # fmt: skip
    refused = (422, {"error": "Unprocessable Entity", "detail": "already imported"})
    vendor.answers = [refused, (200, {"order": order})]
    with pytest.raises(Rejected, match="of 2026-01-01 with"):
        vendor.commit(document(booked=()))
    gone = (404, {"error": "Not Found", "detail": "no"})
    vendor.answers = [refused, gone]
    with pytest.raises(Rejected, match="already imported"):
        vendor.commit(document(booked=()))


def test_lists_hold_numbers_and_texts(vendor):
    vendor.answers = [
        (200, {"orders": [17]}),
        (404, {"error": "Not Found"}),
        (200, {"refunds": "17"}),
    ]
    with pytest.raises(ContractBroken, match="no list of refunds"):
        list(vendor.recorded("", date(2026, 1, 1), date(2026, 1, 31)))


@given(st.text(max_size=40), st.text(max_size=40))
def test_ids_keep_codes_apart_and_can_be_read_back(one, other):
    assert unescape(escape(one)) == one
    assert (escape(one) == escape(other)) == (one == other)
    assert all(c.isascii() and (c.isalnum() or c in "-_") for c in escape(one))


@given(st.integers(0, 10**8), st.decimals("0.1", "999", places=2))
def test_unit_prices_make_the_amount_exactly(cents, quantity):
    amount = Decimal(cents) / 100
    item = Item(TaxLine("1", amount, quantity), amount)
    assert item.quantity * item.unit_price == amount
    assert isinstance(item.quantity, int)
