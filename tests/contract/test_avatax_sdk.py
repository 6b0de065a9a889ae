"""AvaTax: the sandbox driven by Avalara's own client."""

import pytest
import requests

from tests.contract.avatax import kept, model, sdk
from tests.soak import only_in_soak

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


def test_sdk_refunds_by_the_rules(avatax_sdk):
    def refund(code, **body):
        body = {"refundDate": "2026-04-01", "refundTransactionCode": code, **body}
        return avatax_sdk.refund_transaction("DEFAULT", "SDK-1", body)

    ok(avatax_sdk.create_transaction(model(commit=True)))
    for code, body in (
        ("RefundTypeAndPercentageMismatch", {"refundType": "Full", "refundPercentage": 10}),
        ("RefundTypeAndLineMismatch", {"refundType": "Full", "refundLines": ["1"]}),
        ("RefundLinesRequired", {"refundType": "Partial"}),
        ("LineNoOutOfRange", {"refundType": "Partial", "refundLines": ["2"]}),
        ("RefundPercentageForTaxOnly", {"refundType": "TaxOnly", "refundPercentage": 10}),
        ("RefundPercentageMissing", {"refundType": "Percentage"}),
        ("RefundPercentageOutOfRange", {"refundType": "Percentage", "refundPercentage": 101}),
    ):
        refused(refund("R", **body), code)
    half = {"refundType": "Partial", "refundLines": ["1"], "refundPercentage": 50}
    assert ok(refund("R", **half))["totalAmount"] == -50
    refused(refund("R"), "GetTaxError")
    again = avatax_sdk.refund_transaction("DEFAULT", "R", {"refundDate": "2026-04-01"})
    refused(again, "EntityNotFoundError", 404)  # the default type is SalesInvoice


def test_sdk_adjusts_within_the_type(avatax_sdk):
    ok(avatax_sdk.create_transaction(model(commit=True)))
    returned = model(type="ReturnInvoice", lines=[{"amount": -100}])
    for code, body in (
        ("CannotAdjustDocumentType", {"newTransaction": returned}),
        ("ValueRequiredError", {"newTransaction": model(), "adjustmentReason": "Other"}),
    ):
        body = {"adjustmentReason": "PriceAdjusted"} | body
        refused(avatax_sdk.adjust_transaction("DEFAULT", "SDK-1", body), code)


def test_sdk_filters_with_or_brackets_and_symbols(avatax_sdk):
    for number in range(4):
        code, amount = f"F{number}", 100 * number + 1
        ok(avatax_sdk.create_transaction(model(code=code, lines=[{"amount": amount}])))

    def found(text):
        page = ok(avatax_sdk.list_transactions_by_company("DEFAULT", f"$filter={text}"))
        return [one["code"] for one in page["value"]]

    assert found("code eq 'F0' or code eq 'F3'") == ["F0", "F3"]
    assert found("(code eq F0 or code eq F3) and totalAmount > 1") == ["F3"]
    assert found("totalAmount between 101 and 201") == ["F1"]
    assert found("code in ('F1', 'F2') and (code ne F1 or totalTax = 0)") == ["F2"]
    odd = avatax_sdk.list_transactions_by_company("DEFAULT", "$filter=colour eq red")
    refused(odd, "InvalidQueryField")


def test_sdk_declares_nexus_and_tax_follows(avatax_sdk):
    company = ok(avatax_sdk.query_companies("$filter=companyCode eq DEFAULT"))["value"][0]["id"]
    texas = ok(avatax_sdk.list_nexus_by_company(company, "$filter=region eq 'TX'"))["value"][0]
    assert ok(avatax_sdk.get_nexus(company, texas["id"])) == texas
    refused(avatax_sdk.create_nexus(company, [writable(texas)]), "DuplicateNexusError")
    ok(avatax_sdk.delete_nexus(company, texas["id"]))
    refused(avatax_sdk.get_nexus(company, texas["id"]), "EntityNotFoundError", 404)

    without = ok(avatax_sdk.create_transaction(model(type="SalesOrder"), "$include=Details"))
    (detail,) = without["lines"][0]["details"]
    assert (detail["nonTaxableType"], detail["nonTaxableAmount"]) == ("NexusRule", 100)
    assert (without["totalTax"], without["totalExempt"]) == (0, 100)

    later = writable(texas) | {"effectiveDate": "2999-01-01"}
    (declared,) = ok(avatax_sdk.create_nexus(company, [later]))
    assert ok(avatax_sdk.create_transaction(model(type="SalesOrder")))["totalTax"] == 0
    ok(avatax_sdk.delete_nexus(company, declared["id"]))
    ok(avatax_sdk.create_nexus(company, [writable(texas)]))
    assert ok(avatax_sdk.create_transaction(model(type="SalesOrder")))["totalTax"] == 8.36

    country = ok(avatax_sdk.list_nexus_by_company(company, "$filter=jurisTypeId eq CNT"))["value"][
        0
    ]
    refused(avatax_sdk.delete_nexus(company, country["id"]), "CannotDeleteParentBeforeChildNexus")
    nowhere = writable(texas) | {"region": "XX"}
    refused(avatax_sdk.create_nexus(company, [nowhere]), "UnknownNexusError")


def writable(nexus):
    """Return the fields of a nexus that a request may have."""
    names = ("country", "region", "jurisTypeId", "jurisCode", "jurisName", "companyId")
    return {name: nexus[name] for name in names}


CUSTOMER = {
    "companyId": 100001,
    "customerCode": "BUYER",
    "name": "Buyer",
    "line1": "1200 McKinney St",
    "city": "Houston",
    "region": "TX",
    "postalCode": "77010",
    "country": "US",
}
CERTIFICATE = {
    "signedDate": "2020-01-01",
    "expirationDate": "2099-12-31",
    "filename": "certificate.pdf",
    "exemptionNumber": "TX-1",
    "exemptionReason": {"name": "RESALE"},
    "exposureZone": {"name": "Texas"},
}


def test_sdk_files_certificates_and_they_exempt(avatax_sdk):
    company = 100001
    assert ok(avatax_sdk.get_certificate_setup(company))["status"] == "Provisioned"
    ok(avatax_sdk.create_customers(company, [CUSTOMER]))
    assert ok(avatax_sdk.get_customer(company, "BUYER"))["name"] == "Buyer"
    assert ok(avatax_sdk.query_customers(company))["@recordsetCount"] == 2
    order = model(type="SalesOrder", customerCode="BUYER")
    status = avatax_sdk.list_valid_certificates_for_customer(company, "BUYER", "US", "TX")
    assert ok(status) == {"status": "NotExempt"}

    (filed,) = ok(avatax_sdk.create_certificates(company, [CERTIFICATE]))
    assert ok(avatax_sdk.get_certificate(company, filed["id"])) == filed
    assert ok(avatax_sdk.create_transaction(order))["totalTax"] == 8.36, "it is nobody's yet"
    ok(avatax_sdk.link_customers_to_certificate(company, filed["id"], {"customers": ["BUYER"]}))
    exempt = ok(avatax_sdk.create_transaction(order, "$include=Details"))
    assert (exempt["totalTax"], exempt["totalExempt"]) == (0, 100)
    line = exempt["lines"][0]
    assert (line["exemptCertId"], line["exemptNo"]) == (filed["id"], "TX-1")
    assert {one["nonTaxableType"] for one in line["details"]} == {"ExemptEntityRule"}
    taxable = ok(avatax_sdk.create_transaction(order | {"entityUseCode": "TAXABLE"}))
    assert taxable["totalTax"] == 8.36
    early = ok(avatax_sdk.create_transaction(order | {"date": "2019-12-31"}))
    assert early["totalTax"] == 8.36

    status = avatax_sdk.list_valid_certificates_for_customer(company, "BUYER", "US", "TX")
    assert ok(status)["certificate"] == filed
    listed = ok(avatax_sdk.list_certificates_for_customer(company, "BUYER"))
    assert listed["value"] == [filed]
    ok(avatax_sdk.delete_certificate(company, filed["id"]))
    assert ok(avatax_sdk.create_transaction(order))["totalTax"] == 8.36


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"filename": ""}, "MissingRequiredFields"),
        ({"exemptionReason": {"name": ""}}, "MissingExemptReason"),
        ({"exemptionReason": {"name": "FRIENDSHIP"}}, "InvalidExemptReason"),
        ({"exposureZone": {"name": "Atlantis"}}, "MissingFieldToCreateExposureZone"),
    ],
)
def test_sdk_files_no_bad_certificate(avatax_sdk, changes, code):
    refused(avatax_sdk.create_certificates(100001, [CERTIFICATE | changes]), code)


def test_sdk_meets_a_company_without_certificate_storage(avatax_sdk):
    assert ok(avatax_sdk.get_certificate_setup(100003))["status"] == "NotProvisioned"
    refused(avatax_sdk.query_certificates(100003), "CertificatesNotSetup")
    refused(avatax_sdk.query_certificates(17), "EntityNotFoundError", 404)


def test_sdk_reads_definitions(avatax_sdk):
    codes = ok(avatax_sdk.list_entity_use_codes("$filter=code eq 'TAXABLE'"))["value"]
    assert [one["name"] for one in codes] == ["Override exemption"]
    reasons = ok(avatax_sdk.list_certificate_exempt_reasons())["value"]
    assert "RESALE" in {one["name"] for one in reasons}
    zones = ok(avatax_sdk.list_certificate_exposure_zones("$top=60"))["value"]
    assert len(zones) == 51
    inactive = ok(avatax_sdk.list_tax_codes("$filter=isActive eq false"))["value"]
    assert [one["taxCode"] for one in inactive] == ["PC089999"]


@only_in_soak("waits for the contract's 30 seconds")
def test_sdk_force_timeout(avatax_sdk):
    assert avatax_sdk.create_transaction(model(), "$include=ForceTimeout").status_code == 500
