"""What the contract tests of AvaTax share: the contract, the two clients, sample documents.

Every request in the sandbox's log and every answer to it is checked, with unknown fields refused,
after each test: those of our provider and those of Avalara's own client.
"""

from datetime import date
from decimal import Decimal

import pytest
from avalara import AvataxClient

from odoo.addons.finance_connector_base.providers.session import ConnectorConfig, Session
from odoo.addons.finance_tax_engine.canonical.tax import (
    INVOICE,
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


@pytest.fixture(scope="session")
def avatax_contract():
    """The published contract; its folder is kept outside the repository."""
    if not SPEC.exists():
        pytest.skip(f"optional: no contract at {SPEC}; FINANCE_SPECS names its folder")
    loaded = openapi.load(SPEC)
    codes = loaded.description["components"]["schemas"]["ErrorDetail"]["properties"]["code"]
    codes["enum"] = sorted({*codes["enum"], *LATER_ERROR_CODES})
    return loaded


@pytest.fixture
def avatax_conformity(sandbox, avatax_contract):
    """After each test, check all that went over the line."""
    yield
    sandbox.clear_faults()
    exchanges = sandbox.requests("avatax", answers=True)
    assert exchanges, "the test sent nothing"
    problems = [problem for one in exchanges for problem in _problems(avatax_contract, one)]
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
def avatax(sandbox_url):
    """Our provider, on an empty sandbox."""
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


# === AVALARA'S OWN CLIENT === #


def sdk(url, key=KEY):
    """Return Avalara's own client, pointed at the sandbox."""
    client = AvataxClient("Contract test", "1.0", "machine", f"{url}/avatax")
    return client.add_credentials(ACCOUNT, key)


@pytest.fixture
def avatax_sdk(sandbox_url):
    """Avalara's own client, on an empty sandbox."""
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
