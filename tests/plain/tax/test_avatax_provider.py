"""The AvaTax provider against hand-made answers; the real HTTP is tried against the sandbox."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.providers import http
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Rejected,
    Transient,
)
from odoo.addons.finance_connector_base.providers.session import ConnectorConfig, Session
from odoo.addons.finance_tax_engine.canonical.tax import (
    ABSENT,
    INVOICE,
    LOCKED,
    QUOTED,
    RECORDED,
    REFUND,
    SAVED,
    VOIDED,
    Address,
    JurisdictionTax,
    TaxDocument,
    TaxLine,
    TaxReference,
    TaxResult,
)
from odoo.addons.finance_tax_engine.providers import avatax
from odoo.addons.finance_tax_engine.providers.avatax import AvaTax, escape_code, transaction

HOUSTON = Address("1 Main St", "", "Houston", "TX", "77002", "US")
IRVINE = Address("100 Technology Dr", "", "Irvine", "CA", "92618", "US")


def document(**changes):
    values = {
        "kind": INVOICE,
        "seller": "DEFAULT",
        "customer": "C/7",
        "currency": "USD",
        "date": date(2026, 3, 1),
        "ship_from": IRVINE,
        "ship_to": HOUSTON,
        "lines": (TaxLine("1", Decimal("59.97"), Decimal(3), "SKU", "P0000000", "Three of it"),),
    }
    return TaxDocument(**(values | changes))


def line(sign=1, number="1"):
    detail = {
        "country": "US",
        "region": "TX",
        "jurisdictionType": "State",
        "jurisCode": "48",
        "jurisName": "TEXAS",
        "rate": 0.0625,
        "taxableAmount": sign * 59.97,
        "tax": sign * 3.74,
        "exemptAmount": 0,
    }
    return {"lineNumber": number, "tax": sign * 3.74, "details": [detail]}


def answer(sign=1, **changes):
    return {
        "id": 17,
        "code": "INV/1",
        "type": "SalesOrder" if sign == 1 else "ReturnOrder",
        "status": "Temporary",
        "currencyCode": "USD",
        "totalTax": sign * 3.74,
        "totalTaxable": sign * 59.97,
        "totalExempt": 0,
        "lines": [line(sign)],
    } | changes


@pytest.fixture
def vendor(monkeypatch):
    """An AvaTax whose answers are given in ``vendor.answers``.

    An answer is (status, payload), (status, payload, headers) or an exception; a payload of bytes
    is sent as it stands.
    """
    engine = AvaTax(
        Session(
            ConnectorConfig(
                1,
                "AvaTax",
                "avatax",
                "sandbox",
                "https://sandbox-rest.avatax.com",
                settings={"account_id": "1100000001", "license_key": "KEY"},
            )
        )
    )
    engine.answers, engine.sent = [], []
    monkeypatch.setattr(avatax, "_company_ids", {})

    def send(request, **_kwargs):
        engine.sent.append(request)
        answer = engine.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, payload, headers = (*answer, {})[:3]
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return http.Response(status, headers, body, request.url)

    monkeypatch.setattr(http, "send", send)
    return engine


def refusal(code, fault="Client", message="No."):
    detail = {"code": code, "message": message, "description": "Why.", "faultCode": fault}
    return {"error": {"code": code, "message": message, "details": [detail]}}


def test_quote_is_a_sales_order_and_reads_exact_amounts(vendor):
    vendor.answers = [(200, answer())]
    result = vendor.quote(document())
    model = json.loads(vendor.sent[0].body)
    assert model["type"] == "SalesOrder"
    assert "commit" not in model and "code" not in model
    assert vendor.sent[0].auth == ("1100000001", "KEY")
    assert vendor.sent[0].headers["X-Avalara-Client"].startswith("Finance Connect;")
    assert (result.status, result.code, result.total_tax) == (QUOTED, "", Decimal("3.74"))
    assert result.by_key() == {"US/TX/state/48/0.0625": Decimal("3.74")}


def test_a_credit_note_is_sent_negative_and_read_positive(vendor):
    vendor.answers = [(200, answer(-1))]
    result = vendor.quote(document(kind=REFUND, tax_date=date(2025, 12, 31)))
    model = json.loads(vendor.sent[0].body)
    assert model["lines"][0]["amount"] == -59.97
    assert model["lines"][0]["quantity"] == 3
    assert model["taxOverride"] == {"type": "TaxDate", "taxDate": "2025-12-31", "reason": "Return"}
    assert result.total_tax == Decimal("3.74")
    assert str(result.total_exempt) == "0"


def test_commit_creates_or_adjusts_in_one_call(vendor):
    vendor.answers = [(200, answer(type="SalesInvoice", status="Committed"))]
    result = vendor.commit(document(code="INV/1"))
    model = json.loads(vendor.sent[0].body)["createTransactionModel"]
    assert (model["type"], model["code"], model["commit"]) == ("SalesInvoice", "INV/1", True)
    assert (result.status, result.code, result.engine_id) == (RECORDED, "INV/1", "17")


def test_what_is_saved_but_not_committed_is_not_recorded(vendor):
    vendor.answers = [(200, answer(type="SalesInvoice", status="Saved"))]
    with pytest.raises(ContractBroken, match="status Saved"):
        vendor.commit(document(code="INV/1"))


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"status": "Resting"}, "transaction.status"),
        ({"totalTax": 3.75}, "transaction.totalTax"),
        ({"totalTax": None}, "transaction.totalTax"),
        ({"currencyCode": "EUR"}, "transaction.currencyCode"),
        ({"lines": [{"lineNumber": "1", "tax": 1, "details": []}]}, "transaction.lines.tax"),
        ({"lines": [], "totalTax": 0}, "transaction.lines.lineNumber"),
        ({"lines": None}, "transaction.lines.lineNumber"),
        ({"lines": [line(), line()], "totalTax": 7.48}, "transaction.lines.lineNumber"),
        ({"lines": [line(), line(number="2")], "totalTax": 7.48}, "transaction.lines.lineNumber"),
        ({"type": "PurchaseOrder"}, "transaction.type"),
    ],
)
def test_an_answer_outside_the_contract_is_never_used(vendor, changes, field):
    vendor.answers = [(200, answer(**changes))]
    with pytest.raises(ContractBroken) as broken:
        vendor.quote(document())
    assert broken.value.field == field


def test_void_finds_out_what_a_refusal_means(vendor):
    reference = TaxReference(INVOICE, "DEFAULT", "INV/2026 1+2")
    voided = answer(type="SalesInvoice", status="Cancelled")
    committed = answer(type="SalesInvoice", status="Committed")
    missing, refused = (404, refusal("EntityNotFoundError")), (400, refusal("CannotModify"))

    vendor.answers = [(200, voided)]
    assert vendor.void(reference).status == VOIDED
    assert (
        "/companies/DEFAULT/transactions/INV_-ava2f-_2026%201_-ava2b-_2/void" in vendor.sent[0].url
    )
    assert vendor.sent[0].params == {"documentType": "SalesInvoice"}

    vendor.answers = [missing, missing, (200, {"value": [{"id": 7}]})]
    assert vendor.void(reference).status == ABSENT
    vendor.answers = [missing, missing]
    assert vendor.void(reference).status == ABSENT, "the company's id is asked for once"
    unknown = TaxReference(INVOICE, "NOBODY", "INV/1")
    vendor.answers = [missing, missing, (200, {"value": []})]
    with pytest.raises(Rejected, match="NOBODY"):
        vendor.void(unknown)
    vendor.answers = [refused, (200, voided)]
    assert vendor.void(reference).status == VOIDED
    vendor.answers = [refused, (200, committed)]
    with pytest.raises(Rejected):
        vendor.void(reference)


@pytest.mark.parametrize(
    "status, payload, error_class",
    [
        (401, refusal("AuthenticationException"), AuthFailed),
        (400, refusal("InvalidPostalCode"), Rejected),
        (400, refusal("ServerUnreachable", "Server"), Transient),
        (500, refusal("UnhandledException"), Transient),
        (429, {"error": {"message": "slow down"}}, Transient),
        (429, "text", Transient),
        (503, None, Transient),
        (400, refusal("RateLimitExceededError"), Transient),
        (400, refusal("ConcurrentRequestLimitExceeded"), Transient),
        (403, refusal("AuthorizationException"), AuthFailed),
        (403, refusal("SubscriptionRequired"), Rejected),
    ],
)
def test_errors_have_the_class_that_says_what_to_do(vendor, status, payload, error_class):
    vendor.answers = [(status, payload)]
    with pytest.raises(error_class) as raised:
        vendor.quote(document())
    assert raised.value.status == status
    assert "KEY" not in str(raised.value)


def test_ping_looks_at_authenticated(vendor):
    vendor.answers = [
        (200, {"version": "26.1", "authenticated": True, "authenticatedAccountId": 1100000001}),
        (200, {"version": "26.1", "authenticated": False}),
    ]
    assert vendor.ping() == "AvaTax 26.1, account 1100000001"
    with pytest.raises(AuthFailed):
        vendor.ping()


@pytest.mark.parametrize(
    ("setting", "gtin", "code"),
    [("yes", "036000291452", "036000291452"), ("yes", None, "SKU"), ("no", "036000291452", "SKU")],
)
def test_upc_goes_as_the_item_code_where_wanted(vendor, setting, gtin, code):
    vendor.config.settings["upc"] = setting
    line = replace(document().lines[0], gtin=gtin)
    for ask in (vendor.quote, vendor.commit):
        vendor.answers = [(200, answer())]
        with suppress(ContractBroken):
            ask(document(lines=(line,)))
        sent = json.loads(vendor.sent[-1].body)
        model = sent.get("createTransactionModel", sent)
        assert model["lines"][0]["itemCode"] == code


def test_only_one_of_number_and_use_code_is_sent():
    both = transaction(document(exemption_number="X1", entity_use_code="G"), "SalesOrder")
    assert both["entityUseCode"] == "G" and "exemptionNo" not in both
    assert transaction(document(exemption_number="X1"), "SalesOrder")["exemptionNo"] == "X1"


def test_content_leaves_out_what_tax_does_not_depend_on():
    line = document().lines[0]
    renamed = document(
        code="INV/9",
        reference="PO 4",
        exchange_rate=Decimal("1.1"),
        lines=(TaxLine(line.number, line.amount, line.quantity, "SKU", "P0000000", "Other words"),),
    )
    assert codec.digest(renamed.content()) == codec.digest(document().content())
    moved = document(ship_to=IRVINE)
    assert codec.digest(moved.content()) != codec.digest(document().content())


def test_documents_and_results_survive_storage(vendor):
    vendor.answers = [(200, answer())]
    result = vendor.quote(document())
    assert codec.load(TaxResult, codec.dump(result)) == result
    stored = document(kind=REFUND, tax_date=date(2025, 1, 1), exchange_rate=Decimal("0.8731"))
    assert codec.load(TaxDocument, codec.dump(stored)) == stored


def test_keys_tell_equal_codes_of_two_states_and_two_rates_apart():
    def key(region, rate):
        zero = Decimal(0)
        tax = JurisdictionTax("1", "county", "201", "X", "US", region, Decimal(rate), zero, zero)
        return tax.key

    assert key("TX", "0.00975") == key("TX", "0.009750")
    assert len({key("TX", "0.00975"), key("GA", "0.00975"), key("TX", "0.01")}) == 3
    assert key("TX", "0E-3").endswith("/0")


@pytest.mark.parametrize(
    "code, escaped",
    [
        ("INV/2026/1", "INV_-ava2f-_2026_-ava2f-_1"),
        ("a+b?c%d#e f", "a_-ava2b-_b_-ava3f-_c_-ava25-_d_-ava23-_e%20f"),
    ],
)
def test_escape_code(code, escaped):
    assert escape_code(code) == escaped


# === EVERY CHANGE === #

REFERENCE = TaxReference(INVOICE, "DEFAULT", "INV/1")
CREDIT = TaxReference(REFUND, "DEFAULT", "RINV/1")
DAY = date(2026, 4, 1)
CALLS = {
    "quote": lambda engine: engine.quote(document()),
    "commit": lambda engine: engine.commit(document(code="INV/1")),
    "adjust": lambda engine: engine.adjust(document(code="INV/1"), "price"),
    "refund": lambda engine: engine.refund(CREDIT, REFERENCE, DAY),
    "void": lambda engine: engine.void(REFERENCE),
    "uncommit": lambda engine: engine.uncommit(REFERENCE),
    "unvoid": lambda engine: engine.unvoid(REFERENCE),
    "lookup": lambda engine: engine.lookup(REFERENCE),
    "recorded": lambda engine: list(engine.recorded("DEFAULT", DAY, DAY)),
}
CHANGES = set(CALLS) - {"quote", "lookup", "recorded"}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "given, error_class",
    [
        (http.Unanswered("no connection", sent=False), Transient),
        (http.Unanswered("no answer in time", sent=True), Transient),
        ((429, refusal("RateLimitExceededError"), {"Retry-After": "7"}), Transient),
        ((502, b"<html>Bad gateway</html>"), Transient),
        ((200, b'{"id": 17, "co'), ContractBroken),
        ((200, b"<html>Welcome</html>"), ContractBroken),
        ((200, b""), ContractBroken),
        ((200, []), ContractBroken),
        ((200, {"value": {}}), ContractBroken),
    ],
)
def test_what_goes_wrong_on_the_way_has_its_class_in_every_call(vendor, call, given, error_class):
    vendor.answers = [given]
    with pytest.raises(error_class) as raised:
        CALLS[call](vendor)
    assert vendor.answers == [], "one question, one answer"
    assert raised.value.retry_after == (7.0 if "429" in str(given) else None)


@pytest.mark.parametrize("call", sorted(CHANGES))
def test_a_filed_document_is_named_so_by_every_change(vendor, call):
    locked = refusal("CannotModifyLockedTransaction", message="The document is locked.")
    vendor.answers = [(400, locked)]
    with pytest.raises(Rejected, match="The document is locked") as refused:
        CALLS[call](vendor)
    assert refused.value.code == LOCKED


@pytest.mark.parametrize("call", ["commit", "adjust", "refund"])
@pytest.mark.parametrize(
    "changes",
    [{"totalTax": 3.75}, {"status": "Saved"}, {"lines": [{"lineNumber": "1", "tax": 2}]}],
)
def test_a_recorded_answer_that_does_not_add_up_is_never_used(vendor, call, changes):
    sign, kind = (-1, "ReturnInvoice") if call == "refund" else (1, "SalesInvoice")
    vendor.answers = [(200, answer(sign, **{"type": kind, "status": "Committed", **changes}))]
    with pytest.raises(ContractBroken):
        CALLS[call](vendor)


def test_a_long_code_is_refused_by_the_vendor_and_not_cut_by_us():
    assert transaction(document(code="x" * 60), "SalesInvoice")["code"] == "x" * 60


# === THE LIST === #


def row(number, **changes):
    return {
        "id": number,
        "code": f"INV/{number}",
        "type": "SalesInvoice",
        "status": "Committed",
        "date": "2026-04-01",
        "currencyCode": "USD",
        "totalAmount": 59.97,
        "totalTax": 3.74,
        "summary": [
            {
                "country": "US",
                "region": "TX",
                "jurisType": "State",
                "jurisCode": "48",
                "jurisName": "TEXAS",
                "rate": 0.0625,
                "taxable": 59.97,
                "tax": 3.74,
            }
        ],
    } | changes


def listed(vendor, *rows):
    vendor.answers = [(200, {"value": list(rows)})]
    return list(vendor.recorded("DEFAULT", DAY, DAY))


def test_the_list_asks_for_days_types_and_ids(vendor):
    (found,) = listed(vendor, row(5))
    assert found.by_key == {"US/TX/state/48/0.0625": Decimal("3.74")}
    assert (found.engine_id, found.locked) == ("5", False)
    wanted = vendor.sent[0].params["$filter"]
    assert "date ge '2026-04-01' and date le '2026-04-01'" in wanted
    assert "type in ('SalesInvoice', 'ReturnInvoice') and id gt 0" in wanted


def test_replaced_versions_are_not_documents_and_waiting_ones_are_not_recorded(vendor):
    rows = (row(1, status="Adjusted"), row(2), row(3, status="PendingApproval"))
    found = listed(vendor, *rows)
    assert [(one.code, one.status) for one in found] == [("INV/2", RECORDED), ("INV/3", SAVED)]


def test_a_summary_that_does_not_add_up_is_no_summary(vendor):
    (found,) = listed(vendor, row(1, totalTax=3.75))
    assert (found.total_tax, found.by_key) == (Decimal("3.75"), None)


@pytest.mark.parametrize(
    "rows", [(row(2), row(1)), (row(1), row(1)), (row(1, status="Odd"),), (row(1, type="Odd"),)]
)
def test_a_list_outside_the_contract_is_not_half_a_list(vendor, rows):
    with pytest.raises(ContractBroken):
        listed(vendor, *rows)


def test_a_list_goes_on_as_long_as_there_is_a_next_page(vendor):
    pages = [{"value": [row(1)], "@nextLink": "x"}, {"value": [row(9)], "@nextLink": "x"}]
    vendor.answers = [(200, page) for page in (*pages, {"value": []})]
    found = list(vendor.recorded("DEFAULT", DAY, DAY))
    assert [one.code for one in found] == ["INV/1", "INV/9"]
    assert "id gt 9" in vendor.sent[2].params["$filter"]
