"""AvaTax: the sandbox driven by Avalara's own client."""

import os

import pytest
import requests

from tests.contract.avatax import kept, model, sdk

pytestmark = pytest.mark.usefixtures("avatax_conformity")


def ok(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer, code, status=400):
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == code
    return answer.json()["error"]["details"][0]


def test_sdk_pings(avatax_sdk, sandbox_url):
    assert ok(avatax_sdk.ping())["authenticated"] is True
    assert ok(sdk(sandbox_url, "NO-SUCH-KEY").ping())["authenticated"] is False


def test_sdk_creates_commits_and_voids(avatax_sdk, sandbox):
    created = ok(avatax_sdk.create_transaction(model()))
    assert (created["status"], created["totalTax"]) == ("Saved", 8.36)
    assert [row["tax"] for row in created["summary"]] == [6.25, 1.0, 1.11]
    assert (
        ok(avatax_sdk.commit_transaction("DEFAULT", "SDK-1", {"commit": True}))["status"]
        == "Committed"
    )
    refused(avatax_sdk.create_transaction(model()), "GetTaxError")
    assert (
        ok(avatax_sdk.void_transaction("DEFAULT", "SDK-1", {"code": "DocVoided"}))["status"]
        == "Cancelled"
    )
    refused(
        avatax_sdk.void_transaction("DEFAULT", "SDK-1", {"code": "DocVoided"}),
        "TransactionAlreadyCancelled",
    )
    assert kept(sandbox)["SDK-1"]["committed"] == 1


def test_sdk_creates_or_adjusts(avatax_sdk):
    first = ok(
        avatax_sdk.create_or_adjust_transaction({"createTransactionModel": model(commit=True)})
    )
    second = ok(
        avatax_sdk.create_or_adjust_transaction(
            {
                "createTransactionModel": model(commit=True, lines=[{"amount": 50}]),
                "adjustmentReason": "PriceAdjusted",
            }
        )
    )
    assert second["version"] == first["version"] + 1
    assert second["adjustmentReason"] == "PriceAdjusted"
    assert ok(avatax_sdk.get_transaction_by_id(first["id"]))["status"] == "Adjusted"
    assert ok(avatax_sdk.get_transaction_by_code("DEFAULT", "SDK-1"))["totalAmount"] == 50


def test_sdk_walks_through_the_life_of_a_document(avatax_sdk):
    ok(avatax_sdk.create_transaction(model(code="old/1")))
    ok(avatax_sdk.change_transaction_code("DEFAULT", "old_-ava2f-_1", {"newCode": "SDK-1"}))
    ok(
        avatax_sdk.verify_transaction(
            "DEFAULT", "SDK-1", {"verifyTotalAmount": 100, "verifyTotalTax": 8.36}
        )
    )
    refused(
        avatax_sdk.verify_transaction("DEFAULT", "SDK-1", {"verifyTotalTax": 8.35}),
        "TotalTaxMismatch",
    )
    ok(avatax_sdk.settle_transaction("DEFAULT", "SDK-1", {"commit": {"commit": True}}))
    adjusted = ok(
        avatax_sdk.adjust_transaction(
            "DEFAULT",
            "SDK-1",
            {
                "adjustmentReason": "Other",
                "adjustmentDescription": "typing error",
                "newTransaction": model(commit=True, description="x"),
            },
        )
    )
    assert adjusted["version"] == 2
    assert ok(avatax_sdk.uncommit_transaction("DEFAULT", "SDK-1"))["status"] == "Saved"
    refused(avatax_sdk.uncommit_transaction("DEFAULT", "SDK-1"), "DocumentNotCommitted")
    ok(avatax_sdk.commit_transaction("DEFAULT", "SDK-1", {"commit": True}))
    ok(avatax_sdk.void_transaction("DEFAULT", "SDK-1", {"code": "DocVoided"}))
    assert ok(avatax_sdk.unvoid_transaction("DEFAULT", "SDK-1"))["status"] == "Committed"
    refused(avatax_sdk.unvoid_transaction("DEFAULT", "SDK-1"), "TransactionNotCancelled")
    ok(avatax_sdk.lock_transaction("DEFAULT", "SDK-1", {"isLocked": True}))
    locked = avatax_sdk.void_transaction("DEFAULT", "SDK-1", {"code": "DocVoided"})
    assert refused(locked, "CannotModifyLockedTransaction")["number"] == 1100


def test_sdk_refunds_exactly(avatax_sdk, sandbox):
    lines = [{"number": "1", "amount": 59.97}, {"number": "2", "amount": 7.77}]
    refused(
        avatax_sdk.refund_transaction("DEFAULT", "SDK-1", {"refundDate": "2026-04-01"}),
        "EntityNotFoundError",
        404,
    )
    sale = ok(avatax_sdk.create_transaction(model(lines=lines)))
    request = {"refundDate": "2026-04-01", "refundTransactionCode": "R-1"}
    refused(
        avatax_sdk.refund_transaction("DEFAULT", "SDK-1", request), "InvalidDocumentStatusForRefund"
    )
    ok(avatax_sdk.commit_transaction("DEFAULT", "SDK-1", {"commit": True}))
    full = ok(avatax_sdk.refund_transaction("DEFAULT", "SDK-1", request))
    assert (full["type"], full["totalTax"]) == ("ReturnInvoice", -sale["totalTax"])
    assert full["date"] == "2026-04-01"
    partial = request | {
        "refundTransactionCode": "R-2",
        "refundType": "Partial",
        "refundLines": ["2"],
    }
    assert len(ok(avatax_sdk.refund_transaction("DEFAULT", "SDK-1", partial))["lines"]) == 1
    tenth = request | {
        "refundTransactionCode": "R-3",
        "refundType": "Percentage",
        "refundPercentage": 10,
    }
    assert ok(avatax_sdk.refund_transaction("DEFAULT", "SDK-1", tenth))["totalAmount"] == -6.78
    tax_only = request | {"refundTransactionCode": "R-4", "refundType": "TaxOnly"}
    refunded = ok(avatax_sdk.refund_transaction("DEFAULT", "SDK-1", tax_only))
    assert (refunded["totalAmount"], refunded["totalTax"]) == (0, -sale["totalTax"])


def test_sdk_lists_pages_and_filters(avatax_sdk):
    for number in range(5):
        ok(avatax_sdk.create_transaction(model(code=f"SDK-{number}", commit=number % 2 == 0)))
    page = ok(avatax_sdk.list_transactions_by_company("DEFAULT", "$top=2&$orderBy=code DESC"))
    assert page["@recordsetCount"] == 5
    assert [one["code"] for one in page["value"]] == ["SDK-4", "SDK-3"]
    following = requests.get(
        page["@nextLink"], auth=avatax_sdk.auth, headers=avatax_sdk.client_header
    ).json()
    assert [one["code"] for one in following["value"]] == ["SDK-2", "SDK-1"]
    committed = ok(
        avatax_sdk.list_transactions_by_company(
            "DEFAULT", "$filter=status eq 'Committed' and totalTax gt 1"
        )
    )
    assert [one["code"] for one in committed["value"]] == ["SDK-0", "SDK-2", "SDK-4"]
    early = ok(
        avatax_sdk.list_transactions_by_company(
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
def test_sdk_gets_what_it_includes(avatax_sdk, include, shown):
    answer = ok(avatax_sdk.create_transaction(model(), include))
    nested = {"lines", "summary", "addresses", "taxDetailsByTaxType"}
    assert answer.keys() & nested == shown


def test_sdk_resolves_addresses(avatax_sdk):
    houston = {"line1": "1200 McKinney St", "city": "Houston", "region": "TX", "country": "US"}
    resolved = ok(avatax_sdk.resolve_address_post(houston))
    assert [one["jurisdictionName"] for one in resolved["taxAuthorities"]] == [
        "TEXAS",
        "HARRIS",
        "HOUSTON",
    ]
    abroad = ok(
        avatax_sdk.resolve_address_post({"line1": "Rue", "postalCode": "1000", "country": "BE"})
    )
    assert abroad["messages"][0]["refersTo"] == "Country"


def test_sdk_reads_companies_and_tax_codes(avatax_sdk):
    companies = ok(avatax_sdk.query_companies("$filter=companyCode eq DEFAULT"))
    assert [one["companyCode"] for one in companies["value"]] == ["DEFAULT"]
    codes = ok(avatax_sdk.list_tax_codes("$top=3"))
    assert len(codes["value"]) == 3 and codes["@recordsetCount"] > 3


@pytest.mark.skipif(not os.environ.get("SOAK"), reason="soak: waits for the contract's 30 seconds")
def test_sdk_force_timeout(avatax_sdk):
    assert avatax_sdk.create_transaction(model(), "$include=ForceTimeout").status_code == 500
