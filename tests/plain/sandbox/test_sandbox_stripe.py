"""The Stripe stand-in: its rules, tried without our provider."""

import base64
import json
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest

from sandbox.server import SandboxServer
from sandbox.stripe.core import form

KEY = "sk_test_SandboxStripe0001"
CALCULATION = {
    "currency": "usd",
    "line_items[0][amount]": 5997,
    "line_items[0][reference]": "L1",
    "customer_details[address][country]": "US",
    "customer_details[address][postal_code]": "77002",
    "customer_details[address][state]": "TX",
}


@pytest.fixture(scope="module")
def server():
    server = SandboxServer().start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def call(server):
    """Send a request; return (status, answer, headers)."""
    server.sandbox.reset()

    def send(path, values=None, key="", auth=f"Bearer {KEY}", **headers):
        headers |= {"Authorization": auth, "Stripe-Version": "2023-08-16"}
        if key:
            headers["Idempotency-Key"] = key
        data = urlencode(values).encode() if values is not None else None
        request = urllib.request.Request(f"{server.url}/stripe{path}", data, headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, json.load(error), error.headers

    return send


def calculated(call, **changes):
    return call("/v1/tax/calculations", CALCULATION | changes)[1]["id"]


def sold(call, reference="order"):
    values = {"calculation": calculated(call), "reference": reference, "expand[]": "line_items"}
    return call("/v1/tax/transactions/create_from_calculation", values)[1]


def reversed_(call, **values):
    status, answer, _headers = call("/v1/tax/transactions/create_reversal", values)
    return status, answer


def test_keys_of_both_schemes_and_their_rights(call):
    basic = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
    assert call("/v1/tax/settings", auth=basic)[0] == 200
    assert call("/v1/tax/settings", auth="Bearer rk_test_SandboxReadOnly0001")[0] == 200
    assert (
        call("/v1/tax/calculations", CALCULATION, auth="Bearer rk_test_SandboxTaxOnly0001")[0]
        == 200
    )
    weak = call("/v1/tax/calculations", CALCULATION, auth="Bearer rk_test_SandboxReadOnly0001")
    assert weak[0] == 403
    for auth in ("", "Bearer sk_test_other00001234", "Basic !!"):
        status, answer, _headers = call("/v1/tax/settings", auth=auth)
        assert status == 401 and "other0000" not in answer["error"]["message"]


def test_a_repeated_key_is_answered_from_memory(call):
    first = call("/v1/tax/calculations", CALCULATION, key="k")
    again = call("/v1/tax/calculations", CALCULATION, key="k")
    assert (again[1], again[2]["Idempotent-Replayed"]) == (first[1], "true")
    other = call("/v1/tax/calculations", CALCULATION | {"currency": "eur"}, key="k")
    assert (other[0], other[1]["error"]["type"]) == (400, "idempotency_error")
    # a refusal of parameters is not kept, one of the content is
    wrong = CALCULATION | {"line_items[0][amount]": "many"}
    assert call("/v1/tax/calculations", wrong, key="p")[0] == 400
    assert call("/v1/tax/calculations", CALCULATION, key="p")[0] == 200
    gone = {"calculation": "taxcalc_1", "reference": "r"}
    path = "/v1/tax/transactions/create_from_calculation"
    assert call(path, gone, key="c")[0] == call(path, gone, key="c")[0] == 400
    assert call(path, gone, key="c")[2]["Idempotent-Replayed"] == "true"


def test_more_than_100_requests_at_once_are_too_many(call, server):
    bucket = server.sandbox.vendors["stripe"].bucket
    bucket.places = 2
    bucket.rate = 0
    assert [call("/v1/tax/settings")[0] for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"line_items[0][price]": 5}, "parameter_unknown", "line_items[0][price]"),
        ({"line_items[0][amount]": -5}, "parameter_invalid_integer", "line_items[0][amount]"),
        ({"tax_date": 1}, "", "tax_date"),
        ({"currency": "USD"}, "", "currency"),
        ({"customer_details[address][postal_code]": ""}, "customer_tax_location_invalid",
         "customer_details[address]"),
        ({"line_items[0][tax_code]": "P1"}, "resource_missing", "line_items[0][tax_code]"),
        ({"currency": "kwd", "line_items[0][amount]": 5001}, "parameter_invalid_integer",
         "line_items[0][amount]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(call, changes, code, param):
    status, answer, _headers = call("/v1/tax/calculations", CALCULATION | changes)
    error = answer["error"]
    assert (status, error.get("code", ""), error["param"]) == (400, code, param)


def test_a_calculation_is_recorded_once_and_for_90_days(call, server):
    path = "/v1/tax/transactions/create_from_calculation"
    one = calculated(call)
    assert call(path, {"calculation": one, "reference": "a"})[0] == 200
    used = call(path, {"calculation": one, "reference": "b"})[1]["error"]
    old = calculated(call)
    server.sandbox.vendors["stripe"].calculations[old]["expires_at"] = 0
    expired = call(path, {"calculation": old, "reference": "c"})[1]["error"]
    taken = call(path, {"calculation": calculated(call), "reference": "a"})[1]["error"]
    assert [used["param"], expired["param"], taken["param"]] == [
        "calculation",
        "calculation",
        "reference",
    ]
    nameless = CALCULATION | {"line_items[1][amount]": 1}
    unnamed = call("/v1/tax/calculations", nameless)[1]["id"]
    assert call(path, {"calculation": unnamed, "reference": "d"})[0] == 400


def test_reversals_take_back_what_is_left(call):
    sale = sold(call)
    [line] = sale["line_items"]["data"]
    part = {"mode": "partial", "original_transaction": sale["id"]}
    for number, amount, tax, status in (
        ("1", -3000, -200, 200),
        ("2", -3000, -200, 400),
        ("3", -2997, -299, 200),
        ("4", 10, 0, 400),
    ):
        row = {"original_line_item": line["id"], "reference": "r", "amount": amount}
        row |= {"amount_tax": tax}
        lines = {f"line_items[0][{name}]": value for name, value in row.items()}
        assert reversed_(call, reference=number, **part, **lines)[0] == status
    status, first = reversed_(call, mode="full", original_transaction=sale["id"], reference="all")
    assert (status, first["type"]) == (200, "reversal")
    assert reversed_(call, mode="full", original_transaction=sale["id"], reference="x")[0] == 400
    undo = {"original_transaction": first["id"], "reference": "undo"}
    assert reversed_(call, mode="partial", flat_amount=-1, **undo)[0] == 400
    assert reversed_(call, mode="full", **undo)[0] == 200


def test_30_parts_are_enough(call, server):
    server.sandbox.vendors["stripe"].bucket.rate = 10_000
    sale = sold(call)
    answers = [
        reversed_(
            call,
            mode="partial",
            original_transaction=sale["id"],
            reference=f"r{number}",
            flat_amount=-10,
        )[0]
        for number in range(31)
    ]
    assert answers == [200] * 30 + [400]


def test_forms_are_nested():
    assert form("a[0][b]=1&a[1][b]=2&c=3&d[]=x&d[]=y&e[f][g]=") == {
        "a": [{"b": "1"}, {"b": "2"}],
        "c": "3",
        "d": ["x", "y"],
        "e": {"f": {"g": ""}},
    }
