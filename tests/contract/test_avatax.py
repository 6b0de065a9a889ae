"""AvaTax: our requests and the sandbox's answers against the published contract.

Every request in the sandbox's log and every answer to it is checked, with unknown fields refused,
after each test of this module: those of our provider and those of Avalara's own client.
"""

import os
from datetime import date
from decimal import Decimal

import pytest
import requests
from avalara import AvataxClient

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
    VOIDED,
    Address,
    TaxDocument,
    TaxLine,
    TaxReference,
)
from odoo.addons.finance_tax_engine.providers.avatax import AvaTax

from tests.contract import openapi

ACCOUNT, KEY = "1100000001", "SANDBOX-LICENSE-KEY-0001"
SPEC = openapi.SPECS / "avalara" / "avatax_openapi.yaml"

#: Documented on developer.avalara.com/avatax/errors, younger than the kept copy of the contract.
LATER_ERROR_CODES = {"InvalidDocumentStatusForRefund"}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "target": {"type": "string"},
                "details": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"$ref": "#/components/schemas/ErrorDetail"},
                },
            },
        }
    },
}

IRVINE = Address("2000 Main Street", "", "Irvine", "CA", "92614", "US")
HOUSTON = Address("1200 McKinney St", "", "Houston", "TX", "77002", "US")
LINES = (
    TaxLine("1", Decimal("59.97"), Decimal(3), "DESK", "P0000000", "Desk"),
    TaxLine("2", Decimal("59.99"), Decimal(2), "CHAIR", "P0000000", "Chair, 10 % off"),
    TaxLine("3", Decimal("7.77"), Decimal(1), "LAMP", "P0000000", "Lamp"),
)
#: What the engine says of LINES in Houston; percentages would say 7.98, 1.25 and 1.43.
HOUSTON_TAX = {
    "US/TX/state/48/0.0625": Decimal("7.96"),
    "US/TX/county/201/0.00975": Decimal("1.26"),
    "US/TX/city/35000/0.011185": Decimal("1.42"),
}


@pytest.fixture(scope="module")
def contract():
    """The published contract; its folder is kept outside the repository."""
    if not SPEC.exists():
        pytest.skip(f"optional: no contract at {SPEC}; FINANCE_SPECS names its folder")
    loaded = openapi.load(SPEC)
    codes = loaded.description["components"]["schemas"]["ErrorDetail"]["properties"]["code"]
    codes["enum"] = sorted({*codes["enum"], *LATER_ERROR_CODES})
    return loaded


@pytest.fixture(autouse=True)
def conformity(sandbox, contract):
    """After each test, check all that went over the line."""
    yield
    sandbox.clear_faults()
    exchanges = sandbox.requests("avatax", answers=True)
    assert exchanges, "the test sent nothing"
    problems = [problem for one in exchanges for problem in _problems(contract, one)]
    assert problems == []
    assert sandbox.state("avatax")["warnings"] == []


def _problems(contract, exchange):
    method, path, status = (exchange[name] for name in ("method", "path", "status"))
    found = contract.check_request(method, path, exchange["query_string"], exchange["body"])
    if "x-avalara-client" not in exchange["headers"]:
        found.append("header X-Avalara-Client is missing")
    if exchange["fault"] is None and status < 500:  # no vendor describes its own breakdowns
        found += contract.check_answer(method, path, status, exchange["answer"])
    if exchange["fault"] != "malformed" and status and status >= 400:
        found += contract.problems(ERROR, exchange["answer"])
    return [f"{method} {path} {status}: {problem}" for problem in found]


# === OUR PROVIDER === #


def provider(url, **changes):
    """Return our provider at work on the sandbox."""
    settings = {"account_id": ACCOUNT, "license_key": KEY} | changes
    config = ConnectorConfig(
        id=1,
        name="AvaTax",
        provider="avatax",
        environment="local",
        base_url=f"{url}/avatax",
        settings=settings,
        company_settings={"company_code": "DEFAULT"},
        timeouts=(2.0, 2.0),
        secrets=(settings["license_key"],),
    )
    return AvaTax(Session(config, effect="idempotent"))


@pytest.fixture
def engine(sandbox_url):
    return provider(sandbox_url)


def document(**changes):
    values = {
        "kind": INVOICE,
        "seller": "DEFAULT",
        "customer": "C/7",
        "currency": "USD",
        "date": date(2026, 3, 1),
        "ship_from": IRVINE,
        "ship_to": HOUSTON,
        "lines": LINES,
        "code": "INV/2026/00001-3f2a90bc",
        "reference": "INV/2026/00001",
    }
    return TaxDocument(**(values | changes))


def reference(of):
    return TaxReference(of.kind, of.seller, of.code)


def kept(sandbox):
    """Return the documents of the sandbox by code."""
    return {one["code"]: one for one in sandbox.state("avatax")["documents"]}


def test_provider_pings(engine):
    assert ACCOUNT in engine.ping()


def test_provider_with_a_wrong_key_is_refused(sandbox_url):
    wrong = provider(sandbox_url, license_key="NO-SUCH-KEY")
    with pytest.raises(AuthFailed):
        wrong.ping()
    with pytest.raises(AuthFailed) as refused:
        wrong.quote(document())
    assert refused.value.code == "AuthenticationException"
    assert "NO-SUCH-KEY" not in str(refused.value)


def test_provider_quotes_to_the_cent_and_nothing_is_kept(engine, sandbox):
    result = engine.quote(document(code=""))
    assert (result.status, result.total_tax) == (QUOTED, Decimal("10.64"))
    assert result.by_key() == HOUSTON_TAX
    assert kept(sandbox) == {}


def test_provider_commits_again_and_voids_again(engine, sandbox):
    invoice = document()
    first = engine.commit(invoice)
    assert (first.status, first.code, first.by_key()) == (RECORDED, invoice.code, HOUSTON_TAX)
    assert engine.commit(invoice).by_key() == HOUSTON_TAX
    (found,) = kept(sandbox).values()
    assert (found["status"], found["version"], found["committed"]) == ("Committed", 2, 2)
    assert engine.lookup(reference(invoice)).status == RECORDED
    assert engine.void(reference(invoice)).status == VOIDED
    assert engine.void(reference(invoice)).status == VOIDED
    assert kept(sandbox)[invoice.code]["voided"] == 1


def test_provider_replaces_a_changed_document(engine, sandbox):
    engine.commit(document())
    result = engine.commit(document(lines=LINES[:1]))
    assert result.total_taxable == Decimal("59.97")
    (found,) = kept(sandbox).values()
    assert found["totalAmount"] == 59.97
    assert [one["status"] for one in found["revisions"]] == ["Adjusted"]


def test_provider_finds_nothing_under_an_unknown_code(engine):
    unknown = reference(document(code="INV/none"))
    assert engine.lookup(unknown) is None
    assert engine.void(unknown).status == ABSENT


@pytest.mark.parametrize("code", ["a/b", "a+b", "a?b=c", "a%2Fb", "a#b", "a b", "Ä-1", "(1) 'x'&y"])
def test_provider_finds_a_document_under_any_code(engine, sandbox, code):
    invoice = document(code=code)
    engine.commit(invoice)
    assert engine.lookup(reference(invoice)).code == code
    assert engine.void(reference(invoice)).status == VOIDED
    assert kept(sandbox)[code]["status"] == "Cancelled"


def test_provider_credit_note_mirrors_its_invoice(engine, sandbox):
    engine.commit(document())
    refund = document(
        kind=REFUND, code="RINV/1", tax_date=date(2026, 3, 1), original_code=document().code
    )
    assert engine.commit(refund).by_key() == HOUSTON_TAX
    found = kept(sandbox)["RINV/1"]
    assert (found["type"], found["totalTax"]) == ("ReturnInvoice", -10.64)
    assert found["totalAmount"] == -127.73
    assert engine.void(reference(refund)).status == VOIDED


@pytest.mark.parametrize("why", [{"entity_use_code": "G"}, {"exemption_number": "TX-123"}])
def test_provider_exempt_customer(engine, why):
    result = engine.quote(document(**why))
    assert (result.total_tax, result.total_exempt) == (0, Decimal("127.73"))
    assert {tax.exempt for tax in result.taxes if tax.line == "1"} == {Decimal("59.97")}


def test_provider_partly_taxable_and_non_taxable_lines(engine):
    lines = (
        TaxLine("1", Decimal("100.00"), Decimal(1), "DATA", "SD020800", "Data processing"),
        TaxLine("2", Decimal("50.00"), Decimal(1), "FREE", "NT", "Not taxable"),
        TaxLine("3", Decimal("-10.00"), Decimal(1), "LESS", "P0000000", "Discount"),
    )
    result = engine.quote(document(lines=lines))
    state = {tax.line: tax for tax in result.taxes if tax.kind == "state"}
    assert (state["1"].taxable, state["1"].exempt) == (Decimal(80), Decimal(20))
    assert (state["2"].taxable, state["2"].exempt) == (Decimal(0), Decimal(50))
    assert state["3"].amount == Decimal("-0.62")


def test_provider_keeps_the_currency_of_the_document(engine, sandbox):
    invoice = document(currency="EUR", exchange_rate=Decimal("1.1453"))
    assert engine.commit(invoice).currency == "EUR"
    assert kept(sandbox)[invoice.code]["request"]["exchangeRate"] == 1.1453


def test_provider_no_nexus_is_no_tax_with_a_reason(engine):
    miami = Address("1 Ocean Dr", "", "Miami", "FL", "33139", "US")
    result = engine.quote(document(ship_to=miami))
    assert (result.total_tax, result.taxes) == (0, ())
    assert result.messages


def test_provider_long_texts_are_cut_to_the_contract(engine):
    long = "x" * 3000
    line = TaxLine("1", Decimal(10), Decimal(1), long, "P0000000", long)
    engine.quote(document(lines=(line,), reference=long, customer=long))


def test_provider_locked_document_is_rejected(engine, sandbox, sandbox_url):
    invoice = document()
    engine.commit(invoice)
    sdk(sandbox_url).lock_transaction(
        "DEFAULT", "INV_-ava2f-_2026_-ava2f-_00001-3f2a90bc", {"isLocked": True}
    )
    with pytest.raises(Rejected) as refused:
        engine.commit(invoice)
    assert refused.value.code == LOCKED
    with pytest.raises(Rejected):
        engine.void(reference(invoice))
    assert kept(sandbox)[invoice.code]["version"] == 1


def test_provider_recommit_of_a_voided_code_is_refused(engine):
    """What the vendor does; the caller has to take a new code, or unvoid first."""
    invoice = document()
    engine.commit(invoice)
    engine.void(reference(invoice))
    with pytest.raises(Rejected) as refused:
        engine.commit(invoice)
    assert refused.value.code == "GetTaxError"


@pytest.mark.parametrize(
    ("fault", "error", "recorded"),
    [
        ({"kind": "429", "retry_after": 7}, Transient, False),
        ({"kind": "500"}, Transient, False),
        ({"kind": "503", "retry_after": 7}, Transient, False),
        ({"kind": "drop"}, Transient, False),
        ({"kind": "act_then_timeout"}, Transient, True),
        ({"kind": "act_then_500"}, Transient, True),
        ({"kind": "malformed"}, ContractBroken, True),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else None,
)
def test_provider_under_a_fault_and_after_it(engine, sandbox, fault, error, recorded):
    invoice = document()
    sandbox.set_faults({"vendor": "avatax", "match": "POST /createoradjust", "times": 1, **fault})
    with pytest.raises(error) as failed:
        engine.commit(invoice)
    assert failed.value.retry_after == fault.get("retry_after")
    assert bool(kept(sandbox)) is recorded
    assert engine.commit(invoice).status == RECORDED
    (found,) = kept(sandbox).values()
    assert (found["status"], found["committed"]) == ("Committed", 2 if recorded else 1)


# === AVALARA'S OWN CLIENT === #


def sdk(url, key=KEY):
    """Return Avalara's own client, pointed at the sandbox."""
    client = AvataxClient("Contract test", "1.0", "machine", f"{url}/avatax")
    return client.add_credentials(ACCOUNT, key)


@pytest.fixture
def client(sandbox_url):
    return sdk(sandbox_url)


def model(**changes):
    return {
        "code": "SDK-1",
        "type": "SalesInvoice",
        "companyCode": "DEFAULT",
        "customerCode": "ABC",
        "date": date.today().isoformat(),
        "addresses": {
            "singleLocation": {
                "line1": "1200 McKinney St",
                "city": "Houston",
                "region": "TX",
                "postalCode": "77002",
                "country": "US",
            }
        },
        "lines": [{"number": "1", "amount": 100, "taxCode": "P0000000"}],
    } | changes


def ok(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer, code, status=400):
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == code
    return answer.json()["error"]["details"][0]


def test_sdk_pings(client, sandbox_url):
    assert ok(client.ping())["authenticated"] is True
    assert ok(sdk(sandbox_url, "NO-SUCH-KEY").ping())["authenticated"] is False


def test_sdk_creates_commits_and_voids(client, sandbox):
    created = ok(client.create_transaction(model()))
    assert (created["status"], created["totalTax"]) == ("Saved", 8.36)
    assert [row["tax"] for row in created["summary"]] == [6.25, 1.0, 1.11]
    assert (
        ok(client.commit_transaction("DEFAULT", "SDK-1", {"commit": True}))["status"] == "Committed"
    )
    refused(client.create_transaction(model()), "GetTaxError")
    assert (
        ok(client.void_transaction("DEFAULT", "SDK-1", {"code": "DocVoided"}))["status"]
        == "Cancelled"
    )
    refused(
        client.void_transaction("DEFAULT", "SDK-1", {"code": "DocVoided"}),
        "TransactionAlreadyCancelled",
    )
    assert kept(sandbox)["SDK-1"]["committed"] == 1


def test_sdk_creates_or_adjusts(client):
    first = ok(client.create_or_adjust_transaction({"createTransactionModel": model(commit=True)}))
    second = ok(
        client.create_or_adjust_transaction(
            {
                "createTransactionModel": model(commit=True, lines=[{"amount": 50}]),
                "adjustmentReason": "PriceAdjusted",
            }
        )
    )
    assert second["version"] == first["version"] + 1
    assert second["adjustmentReason"] == "PriceAdjusted"
    assert ok(client.get_transaction_by_id(first["id"]))["status"] == "Adjusted"
    assert ok(client.get_transaction_by_code("DEFAULT", "SDK-1"))["totalAmount"] == 50


def test_sdk_walks_through_the_life_of_a_document(client):
    ok(client.create_transaction(model(code="old/1")))
    ok(client.change_transaction_code("DEFAULT", "old_-ava2f-_1", {"newCode": "SDK-1"}))
    ok(
        client.verify_transaction(
            "DEFAULT", "SDK-1", {"verifyTotalAmount": 100, "verifyTotalTax": 8.36}
        )
    )
    refused(
        client.verify_transaction("DEFAULT", "SDK-1", {"verifyTotalTax": 8.35}), "TotalTaxMismatch"
    )
    ok(client.settle_transaction("DEFAULT", "SDK-1", {"commit": {"commit": True}}))
    adjusted = ok(
        client.adjust_transaction(
            "DEFAULT",
            "SDK-1",
            {"adjustmentReason": "Other", "newTransaction": model(commit=True, description="x")},
        )
    )
    assert adjusted["version"] == 2
    assert ok(client.uncommit_transaction("DEFAULT", "SDK-1"))["status"] == "Saved"
    refused(client.uncommit_transaction("DEFAULT", "SDK-1"), "DocumentNotCommitted")
    ok(client.commit_transaction("DEFAULT", "SDK-1", {"commit": True}))
    ok(client.void_transaction("DEFAULT", "SDK-1", {"code": "DocVoided"}))
    assert ok(client.unvoid_transaction("DEFAULT", "SDK-1"))["status"] == "Committed"
    refused(client.unvoid_transaction("DEFAULT", "SDK-1"), "TransactionNotCancelled")
    ok(client.lock_transaction("DEFAULT", "SDK-1", {"isLocked": True}))
    locked = client.void_transaction("DEFAULT", "SDK-1", {"code": "DocVoided"})
    assert refused(locked, "CannotModifyLockedTransaction")["number"] == 1100


def test_sdk_refunds_exactly(client, sandbox):
    lines = [{"number": "1", "amount": 59.97}, {"number": "2", "amount": 7.77}]
    refused(
        client.refund_transaction("DEFAULT", "SDK-1", {"refundDate": "2026-04-01"}),
        "EntityNotFoundError",
        404,
    )
    sale = ok(client.create_transaction(model(lines=lines)))
    request = {"refundDate": "2026-04-01", "refundTransactionCode": "R-1"}
    refused(
        client.refund_transaction("DEFAULT", "SDK-1", request), "InvalidDocumentStatusForRefund"
    )
    ok(client.commit_transaction("DEFAULT", "SDK-1", {"commit": True}))
    full = ok(client.refund_transaction("DEFAULT", "SDK-1", request))
    assert (full["type"], full["totalTax"]) == ("ReturnInvoice", -sale["totalTax"])
    assert full["date"] == "2026-04-01"
    partial = request | {
        "refundTransactionCode": "R-2",
        "refundType": "Partial",
        "refundLines": ["2"],
    }
    assert len(ok(client.refund_transaction("DEFAULT", "SDK-1", partial))["lines"]) == 1
    tenth = request | {
        "refundTransactionCode": "R-3",
        "refundType": "Percentage",
        "refundPercentage": 10,
    }
    assert ok(client.refund_transaction("DEFAULT", "SDK-1", tenth))["totalAmount"] == -6.78
    tax_only = request | {"refundTransactionCode": "R-4", "refundType": "TaxOnly"}
    refunded = ok(client.refund_transaction("DEFAULT", "SDK-1", tax_only))
    assert (refunded["totalAmount"], refunded["totalTax"]) == (0, -sale["totalTax"])


def test_sdk_lists_pages_and_filters(client):
    for number in range(5):
        ok(client.create_transaction(model(code=f"SDK-{number}", commit=number % 2 == 0)))
    page = ok(client.list_transactions_by_company("DEFAULT", "$top=2&$orderBy=code DESC"))
    assert page["@recordsetCount"] == 5
    assert [one["code"] for one in page["value"]] == ["SDK-4", "SDK-3"]
    following = requests.get(
        page["@nextLink"], auth=client.auth, headers=client.client_header
    ).json()
    assert [one["code"] for one in following["value"]] == ["SDK-2", "SDK-1"]
    committed = ok(
        client.list_transactions_by_company(
            "DEFAULT", "$filter=status eq 'Committed' and totalTax gt 1"
        )
    )
    assert [one["code"] for one in committed["value"]] == ["SDK-0", "SDK-2", "SDK-4"]
    early = ok(
        client.list_transactions_by_company(
            "DEFAULT", "$filter=date between 2020-01-01 and 2020-12-31"
        )
    )
    assert early["value"] == []


@pytest.mark.parametrize(
    ("include", "shown"),
    [
        ("", {"lines", "summary", "addresses"}),
        ("$include=Lines", {"lines"}),
        ("$include=LinesOnly", {"lines"}),
        ("$include=SummaryOnly", {"summary"}),
        ("$include=TaxDetailsByTaxType", {"taxDetailsByTaxType"}),
    ],
)
def test_sdk_gets_what_it_includes(client, include, shown):
    answer = ok(client.create_transaction(model(), include))
    nested = {"lines", "summary", "addresses", "taxDetailsByTaxType"}
    assert answer.keys() & nested == shown


def test_sdk_resolves_addresses(client):
    houston = {"line1": "1200 McKinney St", "city": "Houston", "region": "TX", "country": "US"}
    resolved = ok(client.resolve_address_post(houston))
    assert [one["jurisdictionName"] for one in resolved["taxAuthorities"]] == [
        "TEXAS",
        "HARRIS",
        "HOUSTON",
    ]
    abroad = ok(
        client.resolve_address_post({"line1": "Rue", "postalCode": "1000", "country": "BE"})
    )
    assert abroad["messages"][0]["refersTo"] == "Country"


def test_sdk_reads_companies_and_tax_codes(client):
    companies = ok(client.query_companies("$filter=companyCode eq DEFAULT"))
    assert [one["companyCode"] for one in companies["value"]] == ["DEFAULT"]
    codes = ok(client.list_tax_codes("$top=3"))
    assert len(codes["value"]) == 3 and codes["@recordsetCount"] > 3


@pytest.mark.skipif(not os.environ.get("SOAK"), reason="soak: waits for the contract's 30 seconds")
def test_sdk_force_timeout(client):
    assert client.create_transaction(model(), "$include=ForceTimeout").status_code == 500
