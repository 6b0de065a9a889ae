"""The rules of the AvaTax stand-in that the contract tests do not walk through."""

import base64
import json

import pytest

from sandbox import avatax
from sandbox.vendor import Request

COMPANY = "/api/v2/companies/DEFAULT/transactions"
GOOD = "1100000001:SANDBOX-LICENSE-KEY-0001"


class Client:
    """Calls the vendor without HTTP; raises nothing, returns (status, answer)."""

    def __init__(self):
        self.vendor = avatax.AvaTax()
        self.number = 0

    def __call__(self, method, path, body=None, credentials=GOOD, **headers):
        self.number += 1
        path, _mark, query = path.partition("?")
        given = {"x-avalara-client": "Test", **headers}
        if credentials:
            given["authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
        sent = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        request = Request(method, path, query, given, sent, self.number)
        response = self.vendor.handle(request)
        return response.status, json.loads(response.encoded())

    def create(self, _path="create", **changes):
        return self("POST", f"/api/v2/transactions/{_path}", model(**changes))

    def adjust(self, **changes):
        body = {"createTransactionModel": model(**changes)}
        return self("POST", "/api/v2/transactions/createoradjust", body)

    def act(self, action, body=None, code="A", query=""):
        return self("POST", f"{COMPANY}/{code}/{action}{query}", body)

    @property
    def documents(self):
        return {(one["type"], one["code"]): one for one in self.vendor.state()["documents"]}

    @property
    def warnings(self):
        return [one["warning"] for one in self.vendor.state()["warnings"]]


@pytest.fixture
def client():
    return Client()


def model(**changes):
    return {
        "type": "SalesInvoice",
        "code": "A",
        "companyCode": "DEFAULT",
        "customerCode": "C",
        "date": "2026-03-01",
        "addresses": {"shipTo": {"region": "TX", "city": "Houston", "country": "US"}},
        "lines": [{"number": "1", "amount": 100}],
    } | changes


def detail(answer):
    return answer[1]["error"]["details"][0]


# === ACCESS === #


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (None, "AuthenticationIncomplete"),
        ("1100000001:WRONG", "AuthenticationException"),
        ("1100000001", "AuthenticationException"),
    ],
)
def test_credentials_are_asked_for(client, credentials, code):
    answer = client("POST", "/api/v2/transactions/create", model(), credentials=credentials)
    assert answer[0] == 401
    assert detail(answer)["code"] == code
    assert detail(answer)["faultCode"] == "Client"


def test_every_listed_credential_is_good(client):
    for user, password in avatax.CREDENTIALS:
        answer = client("GET", "/api/v2/utilities/ping", credentials=f"{user}:{password}")
        assert answer[1]["authenticated"] is True
    assert client("GET", "/api/v2/utilities/ping", credentials=None)[1]["authenticated"] is False


def test_a_missing_client_header_and_unknown_fields_are_remarked(client):
    client("GET", "/api/v2/utilities/ping", **{"x-avalara-client": ""})
    client.create(colour="red", lines=[{"amount": 1, "prize": 2}])
    client.create(type="ReturnInvoice", code="R")
    assert client.warnings == [
        "header X-Avalara-Client is missing",
        "unknown field colour",
        "unknown field prize",
        "a return whose amounts are positive",
    ]


# === WHAT IS REFUSED === #


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"customerCode": ""}, "ValueRequiredError"),
        ({"date": None}, "ValueRequiredError"),
        ({"date": "yesterday"}, "ValueRequiredError"),
        ({"lines": []}, "MissingLine"),
        ({"lines": [{"number": "1"}]}, "ValueRequiredError"),
        ({"lines": [{"amount": "1.00"}]}, "InvalidDecimalValue"),
        ({"lines": [{"number": "1", "amount": 1}] * 2}, "GetTaxError"),
        ({"type": "Invoice"}, "InvalidEnumValue"),
        ({"code": "x" * 51}, "StringLengthError"),
        ({"addresses": {}}, "MissingAddress"),
        ({"addresses": {"shipTo": {"country": "US", "region": "TX"}}}, "GetTaxError"),
        ({"companyCode": "NOBODY"}, "GetTaxError"),
        ({"taxOverride": {"type": "DeriveTaxable"}}, "GetTaxError"),
    ],
)
def test_bad_documents_are_refused(client, changes, code):
    answer = client.create(**changes)
    assert answer[0] == 400
    assert answer[1]["error"]["code"] == detail(answer)["code"] == code
    assert client.documents == {}


def test_bad_bodies_are_refused(client):
    path = "/api/v2/transactions/create"
    assert detail(client("POST", path, b"{"))["code"] == "JsonFormatError"
    assert detail(client("POST", path))["code"] == "ModelRequiredException"
    assert detail(client("POST", path, []))["code"] == "ModelRequiredException"
    wrong = client("POST", "/api/v2/transactions/createoradjust", {})
    assert detail(wrong)["code"] == "ValueRequiredError"


def test_unknown_documents_and_companies(client):
    for method, path, body in (
        ("GET", f"{COMPANY}/A", None),
        ("POST", f"{COMPANY}/A/commit", {"commit": True}),
        ("GET", "/api/v2/companies/NOBODY/transactions", None),
        ("GET", "/api/v2/transactions/17", None),
    ):
        answer = client(method, path, body)
        assert (answer[0], detail(answer)["code"]) == (404, "EntityNotFoundError")
    odd = client("GET", f"{COMPANY}?$filter=(date")
    assert detail(odd)["code"] == "MalformedFilterException"
    client.create(date="2999-01-01")
    odd = client("GET", f"{COMPANY}?$filter=date gt 2026-01-01 and colour eq red")
    assert detail(odd)["code"] == "InvalidQueryField"


# === DOCUMENTS === #


def test_an_estimate_is_not_kept(client):
    for kind in (None, "SalesOrder", "ReturnOrder"):
        status, answer = client.create(type=kind, commit=True)
        assert (status, answer["status"], answer["id"]) == (200, "Temporary", 0)
    assert client.documents == {} and client.vendor.state()["estimates"] == 3


def test_a_code_is_made_up_and_the_default_company_taken(client):
    _status, answer = client.create(code=None, companyCode=None)
    assert len(answer["code"]) == 36
    assert next(iter(client.documents.values()))["companyCode"] == "DEFAULT"


def test_an_uncommitted_document_is_replaced_under_its_id(client):
    first = client.create()[1]
    second = client.adjust(lines=[{"amount": 7}])[1]
    assert (second["id"], second["version"], second["totalAmount"]) == (first["id"], 1, 7)
    assert client.documents["SalesInvoice", "A"]["created"] == 2


def test_a_cancelled_code_is_taken_until_it_is_unvoided(client):
    client.create(commit=True)
    client.act("void", {"code": "DocVoided"})
    for answer in (client.create(commit=True), client.adjust(commit=True)):
        assert (answer[0], detail(answer)["faultSubCode"]) == (400, "DocStatusError")
    assert client.act("unvoid")[1]["status"] == "Committed"
    assert client.adjust(commit=True)[1]["version"] == 2
    actions = [one["action"] for one in client.documents["SalesInvoice", "A"]["history"]]
    assert actions == ["create", "void DocVoided", "unvoid", "adjust"]


def test_types_share_a_code_and_sales_invoice_is_the_default(client):
    client.create(type="ReturnInvoice", lines=[{"amount": -5}])
    assert client("GET", f"{COMPANY}/A")[1]["type"] == "ReturnInvoice"
    assert client.act("commit", {"commit": True})[0] == 404
    client.create()
    assert client("GET", f"{COMPANY}/A")[1]["type"] == "SalesInvoice"
    typed = client.act("commit", {"commit": True}, query="?documentType=ReturnInvoice")[1]
    assert (typed["type"], typed["status"]) == ("ReturnInvoice", "Committed")
    assert client("GET", f"{COMPANY}/A/types/ReturnInvoice")[1]["status"] == "Committed"
    assert client.documents["SalesInvoice", "A"]["status"] == "Saved"


VOIDS = [
    ("Saved", "DocVoided", "Cancelled"),
    ("Saved", "DocDeleted", None),
    ("Saved", "PostFailed", "DocStatusError"),
    ("Saved", "Unspecified", "Saved"),
    ("Committed", "DocVoided", "Cancelled"),
    ("Committed", "DocDeleted", "Cancelled"),
    ("Committed", "PostFailed", "DocStatusError"),
    ("Committed", "AdjustmentCancelled", "DocStatusError"),
    ("Cancelled", "DocDeleted", None),
    ("Cancelled", "DocVoided", "TransactionAlreadyCancelled"),
]


@pytest.mark.parametrize(("status", "reason", "then"), VOIDS)
def test_void_by_the_vendors_table(client, status, reason, then):
    client.create(commit=status != "Saved")
    if status == "Cancelled":
        client.act("void", {"code": "DocVoided"})
    answer = client.act("void", {"code": reason})
    if answer[0] == 400:
        assert then in (detail(answer)["code"], detail(answer).get("faultSubCode"))
    elif then is None:
        assert client.documents == {}
        assert [one["code"] for one in client.vendor.state()["deleted"]] == ["A"]
        assert client.create()[0] == 200
    else:
        assert answer[1]["status"] == then


def test_cancelling_an_adjustment_brings_the_old_revision_back(client):
    client.create(commit=True)
    client.adjust(commit=True, lines=[{"amount": 7}])
    answer = client.act("void", {"code": "AdjustmentCancelled"})[1]
    assert (answer["status"], answer["version"], answer["totalAmount"]) == ("Committed", 1, 100)
    assert client.documents["SalesInvoice", "A"]["request"]["lines"][0]["amount"] == 100


def test_a_locked_document_takes_no_change(client):
    client.create(commit=True)
    client.act("lock", {"isLocked": True})
    for action, body in (
        ("void", {"code": "DocVoided"}),
        ("uncommit", None),
        ("adjust", {"adjustmentReason": "PriceAdjusted", "newTransaction": model()}),
        ("changecode", {"newCode": "B"}),
    ):
        assert detail(client.act(action, body))["number"] == 1100
    assert detail(client.adjust(commit=True))["number"] == 1100
    client.act("lock", {"isLocked": False})
    assert client.act("void", {"code": "DocVoided"})[0] == 200


def test_commit_says_what_it_refuses(client):
    client.create()
    assert detail(client.act("commit", {}))["code"] == "ValueRequiredError"
    assert client.act("commit", {"commit": True})[1]["status"] == "Committed"
    assert detail(client.act("commit", {"commit": True}))["faultSubCode"] == "DocStatusError"
    assert detail(client.act("changecode", {"newCode": "B"}))["code"] == "TransactionIsCommitted"
    assert client.documents["SalesInvoice", "A"]["committed"] == 1


def test_a_code_can_not_be_changed_to_a_taken_one(client):
    client.create()
    client.create(code="B")
    assert detail(client.act("changecode", {"newCode": "B"}))["code"] == "TransactionAlreadyExists"


@pytest.mark.parametrize(
    ("code", "in_url"),
    [
        ("INV/2026/1", "INV_-ava2f-_2026_-ava2f-_1"),
        ("a+b?c%d#e", "a_-ava2b-_b_-ava3f-_c_-ava25-_d_-ava23-_e"),
        ("a b", "a%20b"),
        ("ä", "%C3%A4"),
    ],
)
def test_codes_in_urls(client, code, in_url):
    client.create(code=code)
    assert client("GET", f"{COMPANY}/{in_url}")[1]["code"] == code


def test_force_timeout_records_nothing(client, monkeypatch):
    monkeypatch.setenv("FINANCE_SANDBOX_FORCE_TIMEOUT", "0.25")
    body = json.dumps(model()).encode()
    request = Request(
        "POST",
        "/api/v2/transactions/create",
        "$include=ForceTimeout",
        {"authorization": "Basic " + base64.b64encode(GOOD.encode()).decode()},
        body,
    )
    response = client.vendor.handle(request)
    assert (response.status, response.delay) == (500, 0.25)
    assert client.documents == {}


# === AMOUNTS === #


def test_overrides_of_the_tax(client):
    lines = [{"amount": 100}, {"amount": 50}]
    given = client.create(lines=lines, taxOverride={"type": "TaxAmount", "taxAmount": 5})[1]
    assert given["totalTax"] == 5 and given["totalTaxCalculated"] != 5
    assert sum(row["tax"] for row in given["summary"]) == 5
    line = {"amount": 50, "taxOverride": {"type": "TaxAmount", "taxAmount": 1}}
    assert client.create(lines=[line])[1]["lines"][0]["tax"] == 1
    assert client.create(taxOverride={"type": "Exemption"})[1]["totalTax"] == 0


def test_a_tax_date_takes_its_rates(client):
    seattle = {"shipTo": {"region": "WA", "city": "Seattle", "country": "US"}}
    override = {"type": "TaxDate", "taxDate": "2025-06-30", "reason": "Return"}
    assert client.create(addresses=seattle)[1]["totalTax"] == 10.35
    earlier = client.create(addresses=seattle, taxOverride=override)[1]
    assert (earlier["totalTax"], earlier["taxDate"]) == (10.25, "2025-06-30T00:00:00Z")
    assert earlier["date"] == "2026-03-01"


@pytest.mark.parametrize(
    ("document", "line", "exempt"),
    [
        ({"entityUseCode": "G"}, {}, True),
        ({"customerUsageType": "A"}, {}, True),
        ({"exemptionNo": "1"}, {}, True),
        ({}, {"entityUseCode": "E"}, True),
        ({}, {"exemptionCode": "1"}, True),
        ({"entityUseCode": "OWN-CODE"}, {}, False),
        ({"entityUseCode": "G"}, {"entityUseCode": "TAXABLE"}, False),
    ],
)
def test_exemptions(client, document, line, exempt):
    answer = client.create(**document, lines=[{"amount": 100, **line}])[1]
    assert (answer["totalTax"] == 0) is exempt
    assert answer["totalExempt"] == (100 if exempt else 0)


def test_a_discount_goes_to_the_lines_that_take_it(client):
    lines = [{"amount": 60, "discounted": True}, {"amount": 30, "discounted": True}, {"amount": 10}]
    answer = client.create(discount=10, lines=lines)[1]
    assert [line["discountAmount"] for line in answer["lines"]] == [6.67, 3.33, 0]
    assert (answer["totalAmount"], answer["totalDiscount"], answer["totalTaxable"]) == (100, 10, 90)


def test_tax_included_is_taken_out(client):
    line = client.create(lines=[{"amount": 100, "taxIncluded": True}])[1]["lines"][0]
    assert line["taxIncluded"] is True
    assert round(line["lineAmount"] + line["tax"], 2) == 100


def test_lines_may_go_to_different_places(client):
    lines = [
        {"number": "h", "amount": 100},
        {
            "number": "s",
            "amount": 100,
            "addresses": {"shipTo": {"postalCode": "94103", "region": "CA", "country": "US"}},
        },
    ]
    answer = client.create(lines=lines)[1]
    regions = {
        line["lineNumber"]: {one["region"] for one in line["details"]} for line in answer["lines"]
    }
    assert regions == {"h": {"TX"}, "s": {"CA"}}
    assert len(answer["addresses"]) == 2
    assert len(answer["summary"]) == 7


def test_totals_are_the_sums_of_the_lines(client):
    lines = [
        {"amount": 59.97},
        {"amount": 59.99, "taxCode": "SD020800"},
        {"amount": 7.77, "taxCode": "NT"},
    ]
    answer = client.create(lines=lines)[1]
    for total, part in (
        ("totalTax", "tax"),
        ("totalTaxable", "taxableAmount"),
        ("totalExempt", "exemptAmount"),
        ("totalAmount", "lineAmount"),
    ):
        assert answer[total] == round(sum(line[part] for line in answer["lines"]), 2)
    details = sum(one["tax"] for line in answer["lines"] for one in line["details"])
    assert answer["totalTax"] == round(details, 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("status eq Committed", ["A"]),
        ("status ne 'Committed'", ["B"]),
        ("totalAmount between 50 and 150", ["A"]),
        ("totalAmount GE 200 and locked eq false", ["B"]),
        ("code in ('A', 'Z')", ["A"]),
        ("code startswith 'B' and totalAmount lt 1000", ["B"]),
        ("customerCode contains 'O''Neil'", ["B"]),
    ],
)
def test_filters(client, text, found):
    client.create(commit=True)
    client.create(code="B", customerCode="O'Neil", lines=[{"amount": 200}])
    page = client("GET", f"{COMPANY}?$filter=date gt 2000-01-01 and {text}".replace(" ", "%20"))[1]
    assert [one["code"] for one in page["value"]] == found
