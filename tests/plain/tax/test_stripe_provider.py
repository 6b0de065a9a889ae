"""The Stripe Tax provider where HTTP is of no matter, and where days have to pass."""

import doctest
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

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
    RECORDED,
    Address,
    TaxDocument,
    TaxLine,
)
from odoo.addons.finance_tax_engine.providers import (
    stripe_tax_money,
    stripe_tax_request,
    taxjar_order,
)
from odoo.addons.finance_tax_engine.providers.stripe_tax import StripeTax
from odoo.addons.finance_tax_engine.providers.stripe_tax_money import minor
from odoo.addons.finance_tax_engine.providers.stripe_tax_request import tax_ids
from odoo.addons.finance_tax_engine.providers.stripe_tax_reversal import OriginalLine, reversal

from sandbox.server import SandboxServer

HOUSTON = Address("1 Main St", "", "Houston", "TX", "77002", "US")
TODAY = datetime.now(UTC).date()
LINE = TaxLine("1", Decimal("59.97"), Decimal(3), "DESK", "txcd_99999999")


def engine(
    url="https://api.stripe.com",
    environment="sandbox",
    key="sk_test_SandboxStripe0001",
    job="job-1",
):
    config = ConnectorConfig(
        1, "Stripe", "stripe_tax", environment, url, settings={"secret_key": key}
    )
    return StripeTax(Session(config, effect="idempotent", key=job))


def document(**changes):
    values = {
        "kind": INVOICE,
        "seller": "",
        "customer": "C/7",
        "currency": "USD",
        "date": TODAY,
        "ship_from": HOUSTON,
        "ship_to": HOUSTON,
        "lines": (LINE,),
        "code": "INV/1",
    }
    return TaxDocument(**(values | changes))


@pytest.fixture
def server():
    server = SandboxServer().start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("module", [stripe_tax_money, stripe_tax_request, taxjar_order])
def test_examples_in_the_text_hold(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ("production", "sk_test_SandboxStripe0001"),
        ("sandbox", "rk_live_SandboxStripe0001"),
        ("local", "sk_live_SandboxStripe0001"),
    ],
)
def test_a_key_of_the_other_mode_is_never_sent(monkeypatch, environment, key):
    monkeypatch.setattr(http, "send", lambda *_a, **_o: pytest.fail("it was sent"))
    with pytest.raises(AuthFailed) as refused:
        engine(environment=environment, key=key).quote(document())
    assert refused.value.code == "key_mode" and key not in str(refused.value)


def test_a_fault_that_stripe_keeps_under_a_key_is_tried_under_another(monkeypatch):
    keys = []

    def send(request, **_options):
        keys.append(request.headers.get("Idempotency-Key"))
        kept = {"Idempotent-Replayed": "true"} if len(keys) > 1 else {}
        body = json.dumps({"error": {"type": "api_error", "message": "Sorry."}}).encode()
        return http.Response(500, kept, body, request.url)

    monkeypatch.setattr(http, "send", send)
    asked = document(quote_id="taxcalc_1", booked=())
    with pytest.raises(Transient) as first:
        engine().commit(asked)
    assert (keys, first.value.code) == (["job-1:taxcalc_1"], "api_error")
    with pytest.raises(Transient) as second:
        engine().commit(asked)
    assert keys[1:] == ["job-1:taxcalc_1", "job-1:taxcalc_1-2", "job-1:taxcalc_1-3"]
    assert second.value.code == "replayed"


@pytest.mark.parametrize(
    ("status", "error", "error_class"),
    [
        (400, {"type": "idempotency_error"}, Rejected),
        (400, {"type": "invalid_request_error", "code": "tax_id_invalid"}, Rejected),
        (401, {"type": "invalid_request_error"}, AuthFailed),
        (403, {"type": "invalid_request_error"}, AuthFailed),
        (409, {"type": "idempotency_error", "code": "idempotency_key_in_use"}, Transient),
        (429, {"type": "invalid_request_error", "code": "lock_timeout"}, Transient),
        (429, {"type": "invalid_request_error", "code": "rate_limit"}, Transient),
        (500, {"type": "api_error"}, Transient),
    ],
)
def test_errors_have_the_class_that_says_what_to_do(monkeypatch, status, error, error_class):
    body = json.dumps({"error": {"message": "No.", **error}}).encode()
    monkeypatch.setattr(
        http, "send", lambda request, **_o: http.Response(status, {}, body, request.url)
    )
    with pytest.raises(error_class) as raised:
        engine().quote(document())
    assert (type(raised.value), raised.value.status) == (error_class, status)
    assert raised.value.code == error.get("code", error["type"])


def test_after_90_days_the_calculation_is_made_anew(server):
    url = f"{server.url}/stripe"
    asked = document()
    quote = engine(url).quote(asked)
    invoice = replace(asked, quote_id=quote.engine_id, booked=quote.taxes)
    [made] = server.sandbox.vendors["stripe"].calculations.values()
    made["expires_at"] -= 91 * 24 * 3600
    result = engine(url).commit(invoice)
    assert (result.status, result.total_tax) == (RECORDED, quote.total_tax)
    assert len(server.sandbox.vendors["stripe"].calculations) == 2
    cheaper = tuple(replace(tax, amount=tax.amount / 2) for tax in quote.taxes)
    with pytest.raises(Rejected) as refused:
        engine(url, job="job-2").commit(replace(invoice, code="INV/2", booked=cheaper))
    assert refused.value.code == "amounts_changed"


def test_what_was_recorded_otherwise_than_booked_is_a_fault(server):
    url = f"{server.url}/stripe"
    quote = engine(url).quote(document())
    wrong = tuple(replace(tax, amount=tax.amount + 1) for tax in quote.taxes)
    with pytest.raises(ContractBroken, match=r"recorded 5\.02 of tax"):
        engine(url).commit(document(quote_id=quote.engine_id, booked=wrong))


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("0.005", "USD", "precision"),
        ("1.5", "JPY", "precision"),
        ("1.001", "KWD", "precision"),
        ("1.5", "ISK", "precision"),
        ("5", "UGX", "currency"),
    ],
)
def test_amounts_that_stripe_can_not_carry_are_refused(amount, currency, code):
    with pytest.raises(Rejected) as refused:
        minor(Decimal(amount), currency)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("number", "country", "kind", "value"),
    [
        ("DE 123456789", "FR", "eu_vat", "DE123456789"),
        ("123456789", "DE", "eu_vat", "DE123456789"),
        ("GB123456782", "GB", "gb_vat", "GB123456782"),
        ("XI123456782", "GB", "eu_vat", "XI123456782"),
        ("CHE-123.456.789 MWST", "CH", "ch_vat", "CHE-123.456.789MWST"),
        ("123456789", "AU", "au_abn", "123456789"),
    ],
)
def test_vat_numbers_have_the_type_of_their_country(number, country, kind, value):
    assert tax_ids(number, country) == [{"type": kind, "value": value}]


def test_numbers_that_stripe_has_no_type_for_are_not_sent():
    assert tax_ids("", "DE") == tax_ids("12-3456789", "US") == []


# === REVERSALS === #


def asked(number, amount, item="A", tax_code="G", shipping=False):
    line = TaxLine(number, Decimal(amount) / 100, Decimal(1), item, tax_code)
    return stripe_tax_request.AskedLine(line, amount, f"{number}:{item}", shipping)


def originals():
    return [
        OriginalLine("li_1", "A", "G", 1000, 100),
        OriginalLine("li_2", "B", "F", 500, 0),
        OriginalLine("li_3", "A", "G", 2000, 200),
        OriginalLine("", "", "S", 300, 30),
    ]


def taken(*lines, booked=None):
    made = reversal(document(booked=booked), list(lines), originals())
    rows = {
        row["original_line_item"]: (row["amount"], row["amount_tax"], row["reference"])
        for row in made["line_items"]
    }
    return rows, made.get("shipping_cost")


def test_lines_of_a_credit_note_find_those_of_the_invoice():
    # the line of the same amounts, not the first of the item
    assert taken(asked("1", 2000))[0] == {"li_3": (-2000, -200, "1")}
    assert taken(asked("1", 500, "B", "F"))[0] == {"li_2": (-500, 0, "1")}
    # an unknown item: by tax code
    assert taken(asked("1", 100, "Z", "F"))[0] == {"li_2": (-100, 0, "1")}
    # more than one line of the item has: over two lines
    assert taken(asked("1", 2500))[0] == {"li_1": (-1000, -100, "1"), "li_3": (-1500, -150, "1")}
    # two lines of the credit note on one of the invoice
    assert taken(asked("1", 300, "B", "F"), asked("2", 200, "B", "F"))[0] == {
        "li_2": (-500, 0, "1+2")
    }
    assert taken(asked("1", 150, "", "S", shipping=True)) == (
        {},
        {"amount": -150, "amount_tax": -15},
    )


def test_no_more_is_taken_back_than_there_was():
    with pytest.raises(Rejected) as refused:
        taken(asked("1", 3801))
    assert refused.value.code == "exceeds_original"
