"""TaxJar: our requests and the sandbox's answers against the fields of the API reference.

TaxJar publishes no machine-readable description; the tables below are the parameter and attribute
tables of its API reference (version 2020-08-07). Every request in the sandbox's log and every answer
to it is checked after each test of this module, unknown fields refused: those of our provider and
those of TaxJar's own client.
"""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import taxjar

from odoo.addons.finance_connector_base.providers.errors import AuthFailed, Rejected, Transient
from odoo.addons.finance_connector_base.providers.session import ConnectorConfig, Session
from odoo.addons.finance_tax_engine.canonical.tax import (
    ABSENT,
    CORRECTED,
    EXEMPT,
    INVOICE,
    NO_NEXUS,
    NOT_TAXABLE,
    QUOTED,
    RECORDED,
    REFUND,
    UNKNOWN,
    VALID,
    VOIDED,
    Address,
    TaxDocument,
    TaxLine,
    TaxReference,
)
from odoo.addons.finance_tax_engine.providers.taxjar import TaxJar

TOKEN = "SANDBOX-TAXJAR-TOKEN-0001"

# === THE API REFERENCE === #

TEXT, NUMBER, WHOLE, YES_NO, AMOUNT = "text", "number", "whole", "yes/no", "amount"
PLACE = {
    f"{way}_{part}": TEXT
    for way in ("from", "to")
    for part in "country zip state city street".split()
}
EXEMPTION_TYPES = {"wholesale", "government", "marketplace", "other", "non_exempt"}

TAXES = PLACE | {
    "amount": NUMBER,
    "shipping": NUMBER,
    "customer_id": TEXT,
    "exemption_type": EXEMPTION_TYPES,
    "line_items": [
        {
            "id": TEXT,
            "quantity": WHOLE,
            "product_tax_code": TEXT,
            "unit_price": NUMBER,
            "discount": NUMBER,
        }
    ],
}
TRANSACTION_LINE = {
    "id": TEXT,
    "quantity": WHOLE,
    "product_identifier": TEXT,
    "description": TEXT,
    "product_tax_code": TEXT,
    "unit_price": AMOUNT,
    "discount": AMOUNT,
    "sales_tax": AMOUNT,
}
ORDER = PLACE | {
    "transaction_id": TEXT,
    "transaction_date": TEXT,
    "provider": TEXT,
    "amount": AMOUNT,
    "shipping": AMOUNT,
    "sales_tax": AMOUNT,
    "customer_id": TEXT,
    "exemption_type": EXEMPTION_TYPES - {"marketplace"},
    "line_items": [TRANSACTION_LINE],
}
REFUND_FIELDS = ORDER | {"transaction_reference_id": TEXT}
ADDRESS = dict.fromkeys(("country", "state", "zip", "city", "street"), TEXT)

PARTS = {
    "taxable_amount": NUMBER,
    "tax_collectable": NUMBER,
    "combined_tax_rate": NUMBER,
    "county_taxable_amount": NUMBER,
    "county_tax_rate": NUMBER,
    "city_taxable_amount": NUMBER,
    "city_tax_rate": NUMBER,
    "state_taxable_amount": NUMBER,
    "special_tax_rate": NUMBER,
    "country_taxable_amount": NUMBER,
    "country_tax_rate": NUMBER,
    "country_tax_collectable": NUMBER,
    **{f"{name}_taxable_amount": NUMBER for name in ("gst", "pst", "qst")},
    **{f"{name}_tax_rate": NUMBER for name in ("gst", "pst", "qst")},
    **dict.fromkeys(("gst", "pst", "qst"), NUMBER),
}
LINE_PARTS = PARTS | {
    "id": TEXT,
    "state_sales_tax_rate": NUMBER,
    "state_amount": NUMBER,
    "county_amount": NUMBER,
    "city_amount": NUMBER,
    "special_district_taxable_amount": NUMBER,
    "special_district_amount": NUMBER,
}
SHIPPING_PARTS = {
    name: kind for name, kind in LINE_PARTS.items() if name != "special_district_taxable_amount"
} | {"special_taxable_amount": NUMBER}
TAX = {
    "order_total_amount": NUMBER,
    "shipping": NUMBER,
    "taxable_amount": NUMBER,
    "amount_to_collect": NUMBER,
    "rate": NUMBER,
    "has_nexus": YES_NO,
    "freight_taxable": YES_NO,
    "tax_source": TEXT,
    "exemption_type": EXEMPTION_TYPES,
    "jurisdictions": dict.fromkeys(("country", "state", "county", "city"), TEXT),
    "breakdown": PARTS
    | {
        "state_tax_rate": NUMBER,
        "state_tax_collectable": NUMBER,
        "county_tax_collectable": NUMBER,
        "city_tax_collectable": NUMBER,
        "special_district_taxable_amount": NUMBER,
        "special_district_tax_collectable": NUMBER,
        "shipping": SHIPPING_PARTS,
        "line_items": [LINE_PARTS],
    },
}
SHOWN_LINE = TRANSACTION_LINE | {"id": (TEXT, WHOLE)}
SHOWN = {"user_id": WHOLE, "line_items": [SHOWN_LINE]}
ERROR = {"error": TEXT, "detail": TEXT, "status": WHOLE}

#: (method, path) → (body, required fields, query parameters, answer).
_COMMON = ("transaction_id", "transaction_date", "to_country", "to_zip", "to_state", "amount",
           "shipping", "sales_tax")  # fmt: skip
_SPAN = {"transaction_date", "from_transaction_date", "to_transaction_date", "provider"}
_PATHS = {}
for _name, _fields, _more in (
    ("order", ORDER, ()),
    ("refund", REFUND_FIELDS, ("transaction_reference_id",)),
):
    _shown = {_name: (_fields | SHOWN)}
    _all, _one = f"/v2/transactions/{_name}s", f"/v2/transactions/{_name}s/[A-Za-z0-9_-]+"
    _PATHS |= {
        ("GET", _all): (None, (), _SPAN, {f"{_name}s": [TEXT]}),
        ("POST", _all): (_fields, (*_COMMON, *_more), (), _shown),
        ("GET", _one): (None, (), {"provider"}, _shown),
        ("PUT", _one): (_fields, ("transaction_id", *_more), (), _shown),
        ("DELETE", _one): (None, (), {"provider"}, _shown),
    }
_PATHS |= {
    ("POST", "/v2/taxes"): (TAXES, ("to_country", "shipping"), (), {"tax": TAX}),
    ("GET", "/v2/nexus/regions"): (
        None,
        (),
        (),
        {"regions": [dict.fromkeys(("country_code", "country", "region_code", "region"), TEXT)]},
    ),
    ("GET", "/v2/categories"): (
        None,
        (),
        (),
        {"categories": [dict.fromkeys(("name", "product_tax_code", "description"), TEXT)]},
    ),
    ("POST", "/v2/addresses/validate"): (ADDRESS, (), (), {"addresses": [ADDRESS]}),
}


def check(value, kind, path=""):
    """Return what is wrong with ``value``, in words; null is allowed everywhere, as at TaxJar."""
    if value is None:
        return []
    if isinstance(kind, tuple):
        problems = [check(value, one, path) for one in kind]
        return [] if [] in problems else problems[0]
    if isinstance(kind, set):
        return [] if value in kind else [f"{path}: {value!r} is none of {sorted(kind)}"]
    if isinstance(kind, list):
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [
            p for index, item in enumerate(value) for p in check(item, kind[0], f"{path}[{index}]")
        ]
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            return [f"{path} is no object"]
        unknown = [f"{path}.{name} is unknown" for name in value.keys() - kind.keys()]
        known = value.keys() & kind.keys()
        return unknown + [
            p for name in known for p in check(value[name], kind[name], f"{path}.{name}")
        ]
    whole = isinstance(value, int) and not isinstance(value, bool)
    number = whole or isinstance(value, float)
    right = {
        TEXT: isinstance(value, str),
        WHOLE: whole,
        NUMBER: number,
        YES_NO: isinstance(value, bool),
        # transactions: sent as numbers, answered as texts
        AMOUNT: number or isinstance(value, str) and bool(re.fullmatch(r"-?\d+\.\d+", value)),
    }[kind]
    return [] if right else [f"{path}: {value!r} is no {kind}"]


def _problems(exchange):
    method, path, status = (exchange[name] for name in ("method", "path", "status"))
    found = [row for (verb, pattern), row in _PATHS.items()
             if verb == method and re.fullmatch(pattern, path)]  # fmt: skip
    if not found:
        return [f"{method} {path} is not in the reference"]
    body, required, query, answer = found[0]
    problems = [
        f"query parameter {name} is unknown" for name in set(exchange["query"]) - set(query)
    ]
    if body is not None:
        problems += check(exchange["body"], body, "body")
        if status and status < 400:
            problems += [
                f"{name} is missing" for name in required if exchange["body"].get(name) is None
            ]
    if exchange["headers"].get("x-api-version") != "2020-08-07":
        problems.append("header x-api-version is missing")
    if exchange["fault"] is None and status:
        problems += check(exchange["answer"], answer if status < 400 else ERROR, "answer")
    return [f"{method} {path} {status}: {problem}" for problem in problems]


@pytest.fixture(autouse=True)
def conformity(sandbox):
    """After each test, check all that went over the line."""
    yield
    sandbox.clear_faults()
    exchanges = sandbox.requests("taxjar", answers=True)
    assert exchanges, "the test sent nothing"
    assert [problem for one in exchanges for problem in _problems(one)] == []
    assert sandbox.state("taxjar")["warnings"] == []


# === OUR PROVIDER === #

HOUSTON = Address("1200 Smith Street", "", "Houston", "TX", "77002", "US")
IRVINE = Address("2000 Main St", "", "Irvine", "CA", "92614-7211", "US")
SAN_FRANCISCO = Address("1 Market St", "", "San Francisco", "CA", "94105", "US")
MONTREAL = Address("1 Rue", "", "Montreal", "QC", "H2X 1Y4", "CA")
PARIS = Address("55 Rue", "", "Paris", "", "75008", "FR")
LINES = (
    TaxLine("1", Decimal("59.97"), Decimal(3), "DESK", "", "Desk"),
    TaxLine("2", Decimal("59.99"), Decimal(2), "CHAIR", "", "Chair, 10 % off"),
    TaxLine("3", Decimal("7.77"), Decimal(1), "LAMP", "", "Lamp" * 100),
)
HOUSTON_TAX = {
    "US/TX/state/TX/0.0625": Decimal("7.96"),
    "US/TX/county/HARRIS/0.00975": Decimal("1.26"),
    "US/TX/city/HOUSTON/0.011185": Decimal("1.42"),
}
TODAY = datetime.now(UTC).date()


def provider(url, token=TOKEN, environment="local"):
    """Return our provider at work on the sandbox."""
    config = ConnectorConfig(
        1,
        "TaxJar",
        "taxjar",
        environment,
        f"{url}/taxjar",
        settings={"api_token": token, "shipping_code": "shipping"},
        timeouts=(2.0, 2.0),
        secrets=(token,),
    )
    return TaxJar(Session(config, effect="idempotent"))


@pytest.fixture
def engine(sandbox_url):
    return provider(sandbox_url)


def document(**changes):
    values = {
        "kind": INVOICE,
        "seller": "",
        "customer": "C/7",
        "currency": "USD",
        "date": TODAY,
        "ship_from": IRVINE,
        "ship_to": HOUSTON,
        "lines": LINES,
        "code": "INV/2026/00001-3f2a90bc",
    }
    return TaxDocument(**(values | changes))


def booked(engine, **changes):
    """Return a document as it is recorded: with the tax that was quoted."""
    asked = document(**changes)
    return replace(asked, booked=engine.quote(asked).taxes)


def kept(sandbox):
    return sandbox.state("taxjar")["transactions"]


def test_provider_pings(engine, sandbox_url):
    assert "US TX" in engine.ping()
    with pytest.raises(AuthFailed) as refused:
        provider(sandbox_url, "NO-SUCH-TOKEN").ping()
    assert "NO-SUCH-TOKEN" not in str(refused.value)


def test_quotes_to_the_cent_and_nothing_is_kept(engine, sandbox):
    result = engine.quote(document(code=""))
    assert (result.status, result.total_tax) == (QUOTED, Decimal("10.64"))
    assert result.by_key() == HOUSTON_TAX
    assert (result.total_taxable, result.total_exempt) == (Decimal("127.73"), 0)
    assert kept(sandbox) == []


def test_creates_looks_up_replaces_and_deletes(engine, sandbox):
    invoice = booked(engine)
    made = engine.commit(invoice)
    assert (made.status, made.code, made.by_key()) == (RECORDED, invoice.code, HOUSTON_TAX)
    assert engine.commit(invoice) == made
    reference = TaxReference(INVOICE, "", invoice.code)
    assert engine.lookup(reference).total_tax == Decimal("10.64")
    changed = replace(
        invoice,
        lines=LINES[:1],
        booked=tuple(tax for tax in invoice.booked if tax.line == "1"),
    )
    with pytest.raises(Rejected, match=r"127\.73 and 10\.64 of tax; here it is") as duplicate:
        engine.commit(changed)
    assert duplicate.value.code == "duplicate"
    assert engine.adjust(changed, "price").total_tax == Decimal("4.99")
    assert engine.adjust(changed, "price").code == invoice.code
    [order] = kept(sandbox)
    assert (order["amount"], order["sales_tax"]) == ("59.97", "4.99")
    assert engine.void(reference).status == VOIDED
    assert engine.void(reference).status == ABSENT
    assert (engine.lookup(reference), kept(sandbox)) == (None, [])
    with pytest.raises(Rejected):
        engine.adjust(changed, "price")


def test_two_calls_from_draft_to_recorded(engine, sandbox):
    engine.commit(booked(engine))
    assert sandbox.count("taxjar") == 2


def test_refunds_are_negative_there_and_positive_here(engine, sandbox):
    invoice = booked(engine)
    engine.commit(invoice)
    credit = replace(invoice, kind=REFUND, code="RINV/1", original_code=invoice.code)
    result = engine.commit(credit)
    assert (result.status, result.total_tax, result.by_key()) == (
        RECORDED,
        Decimal("10.64"),
        HOUSTON_TAX,
    )
    _order, refund = kept(sandbox)
    assert (refund["amount"], refund["sales_tax"]) == ("-127.73", "-10.64")
    assert refund["transaction_reference_id"] == "INV_-2026_-00001-3f2a90bc"
    assert [line["sales_tax"] for line in refund["line_items"]] == ["-4.99", "-4.99", "-0.66"]
    with pytest.raises(Rejected) as refused:
        engine.commit(replace(credit, code="RINV/2", original_code=""))
    assert refused.value.code == "no_original"


def test_all_of_an_order_is_refunded(engine, sandbox):
    invoice = booked(engine)
    engine.commit(invoice)
    original = TaxReference(INVOICE, "", invoice.code)
    credit = TaxReference(REFUND, "", "RINV 1")
    for _attempt in range(2):
        result = engine.refund(credit, original, TODAY)
        assert (result.code, result.total_tax) == ("RINV 1", Decimal("10.64"))
    assert len(kept(sandbox)) == 2
    with pytest.raises(Rejected):
        engine.refund(credit, replace(original, code="INV/9"), TODAY)


def test_what_is_recorded_is_listed_by_date(engine):
    invoice = booked(engine)
    for day in (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1)):
        engine.commit(replace(invoice, code=f"INV/{day}", date=day))
    engine.commit(
        replace(invoice, kind=REFUND, code="R/1", original_code="INV/1", date=date(2026, 2, 14))
    )
    found = list(engine.recorded("", date(2026, 2, 1), date(2026, 2, 28)))
    assert [(one.code, one.kind, one.total_amount, one.total_tax) for one in found] == [
        ("INV/2026-02-01", INVOICE, Decimal("127.73"), Decimal("10.64")),
        ("INV/2026-02-28", INVOICE, Decimal("127.73"), Decimal("10.64")),
        ("R/1", REFUND, Decimal("127.73"), Decimal("10.64")),
    ]
    assert {one.by_key for one in found} == {None}


def test_shipping_and_discount_lines(engine, sandbox):
    lines = (
        *LINES,
        TaxLine("4", Decimal("10.00"), Decimal(1), "", "shipping"),
        TaxLine("5", Decimal("5.01"), Decimal(1), "", "SHIPPING"),
        TaxLine("6", Decimal("-12.73"), Decimal(1), "COUPON", ""),
    )
    invoice = booked(engine, lines=lines)
    freight = {t.line: t.amount for t in invoice.booked if t.kind == "state" and t.line in "45"}
    assert freight == {"4": Decimal("0.62"), "5": Decimal("0.31")}
    goods = [tax.taxable for tax in invoice.booked if tax.kind == "state" and tax.line in "123"]
    assert sum(goods) == Decimal("115.00")
    result = engine.commit(invoice)
    assert result.total_tax == sum(tax.amount for tax in invoice.booked)
    [order] = kept(sandbox)
    assert (order["amount"], order["shipping"]) == ("130.01", "15.01")
    assert sum(Decimal(line["discount"]) for line in order["line_items"]) == Decimal("12.73")


def test_special_districts_canada_and_europe(engine):
    francisco = engine.quote(document(ship_to=SAN_FRANCISCO))
    assert "US/CA/special/CA special districts/0.02375" in francisco.by_key()
    montreal = engine.quote(document(ship_to=MONTREAL, currency="CAD"))
    assert montreal.by_key() == {
        "CA//country/CA GST/0.05": Decimal("6.39"),
        "CA/QC/state/QC QST/0.09975": Decimal("12.74"),
    }
    paris = engine.quote(document(ship_to=PARIS, currency="EUR"))
    assert paris.by_key() == {"FR//country/FR/0.2": Decimal("25.54")}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ship_to": replace(HOUSTON, city="Salem", region="OR", postal_code="97301")}, NO_NEXUS),
        ({"entity_use_code": "wholesale"}, EXEMPT),
        ({"exemption_number": "TX-1"}, EXEMPT),
        ({"lines": (replace(LINES[0], tax_code="40030"),)}, NOT_TAXABLE),
    ],
)
def test_why_there_is_no_tax(engine, changes, reason):
    result = engine.quote(document(**changes))
    assert result.total_tax == 0
    assert {why.code for why in result.reasons} == {reason}


def test_rates_of_other_days_are_remarked(engine):
    assert engine.quote(document(date=TODAY - timedelta(days=2))).messages == ()
    [remark] = engine.quote(document(tax_date=date(2025, 12, 31))).messages
    assert "2025-12-31" in remark


def test_what_taxjar_refuses_has_its_words(engine):
    for changes, words in (
        ({"ship_to": replace(HOUSTON, region="CA")}, "not used within to_state CA"),
        ({"ship_to": replace(HOUSTON, postal_code="")}, "to_zip is missing"),
        ({"currency": "JPY"}, "dollars and cents"),
        ({"lines": (*LINES, TaxLine("4", Decimal(-900), Decimal(1)))}, "discounts come to more"),
    ):
        with pytest.raises(Rejected, match=words):
            engine.quote(document(**changes))


def test_a_lost_answer_is_found_again(engine, sandbox):
    invoice = booked(engine)
    sandbox.set_faults({"kind": "act_then_timeout", "delay_ms": 10, "times": 1})
    with pytest.raises(Transient):
        engine.commit(invoice)
    sandbox.clear_faults()
    assert engine.commit(invoice).status == RECORDED
    assert len(kept(sandbox)) == 1


def test_the_vendors_own_sandbox_answers_with_an_example(sandbox_url, sandbox):
    engine = provider(sandbox_url)
    engine.commit(replace(booked(engine), code="another", lines=LINES[:1], booked=()))
    # TaxJar's sandbox: whatever is created, the answer is always the same order
    stubbed = provider(sandbox_url, environment="sandbox")
    invoice = booked(engine)
    answer = sandbox.requests("taxjar", answers=True)[-2]["answer"]["order"]
    stubbed.send = lambda *_arguments, **_options: {"order": answer}
    result = stubbed.commit(invoice)
    assert (result.code, result.by_key()) == (invoice.code, HOUSTON_TAX)


def test_addresses_nexus_and_categories(engine):
    found = engine.resolve_address(HOUSTON)
    assert (found.status, found.suggestion.postal_code) == (CORRECTED, "77002-4313")
    assert engine.resolve_address(IRVINE).status == VALID
    assert engine.resolve_address(replace(HOUSTON, line1="1 Nowhere")).status == UNKNOWN
    assert engine.resolve_address(PARIS).status == UNKNOWN
    nexus = {(one.country, one.region, one.kind) for one in engine.nexus("")}
    assert {("US", "TX", "state"), ("FR", "", "country")} <= nexus
    assert [one.code for one in engine.tax_codes("groceries")] == ["40030"]
    assert "wholesale" in {one.code for one in engine.entity_use_codes()}


# === TAXJAR'S OWN CLIENT === #


@pytest.fixture
def client(sandbox_url):
    headers = {"headers": {"x-api-version": "2020-08-07"}}
    return taxjar.Client(TOKEN, api_url=f"{sandbox_url}/taxjar", options=headers)


PLACES = {
    "from_country": "US",
    "from_zip": "92093",
    "from_state": "CA",
    "to_country": "US",
    "to_zip": "77002",
    "to_state": "TX",
    "to_city": "Houston",
}


def test_the_official_client_calculates_and_keeps_orders(client):
    lines = [
        {"id": "1", "quantity": 3, "unit_price": 19.99},
        {"id": "2", "quantity": 1, "unit_price": 59.99},
        {"id": "3", "quantity": 1, "unit_price": 7.77},
    ]
    tax = client.tax_for_order(PLACES | {"amount": 127.73, "shipping": 0, "line_items": lines})
    assert (tax.amount_to_collect, tax.has_nexus) == (10.64, True)
    assert tax.breakdown.line_items[0].state_amount == 3.74
    assert tax.jurisdictions.county == "HARRIS"
    order = PLACES | {
        "transaction_id": "123",
        "transaction_date": "2026/02/14",
        "amount": 127.73,
        "shipping": 0,
        "sales_tax": 10.64,
        "line_items": [{**line, "sales_tax": 3.54} for line in lines],
    }
    assert client.create_order(order).sales_tax == 10.64
    with pytest.raises(taxjar.exceptions.TaxJarResponseError, match="422"):
        client.create_order(order)
    span = {"from_transaction_date": "2026/02/01", "to_transaction_date": "2026/02/28"}
    assert list(client.list_orders(span).data) == ["123"]
    assert client.show_order("123").transaction_date.startswith("2026-02-14")
    changed = client.update_order(
        "123", {"transaction_id": "123", "amount": 127.73, "sales_tax": 9}
    )
    assert changed.sales_tax == 9
    refund = order | {
        "transaction_id": "321",
        "transaction_reference_id": "123",
        "amount": -127.73,
        "sales_tax": -10.64,
        "line_items": [
            {**line, "unit_price": -line["unit_price"], "sales_tax": -3.54} for line in lines
        ],
    }
    assert client.create_refund(refund).amount == -127.73
    assert client.delete_refund("321").transaction_id == "321"
    assert client.delete_order("123").transaction_id == "123"
    with pytest.raises(taxjar.exceptions.TaxJarResponseError, match="404"):
        client.show_order("123")


def test_the_official_client_knows_what_taxjar_knows(client):
    assert "20010" in {one.product_tax_code for one in client.categories().data}
    assert "TX" in {one.region_code for one in client.nexus_regions().data}
    [address] = client.validate_address({"zip": "77002", "state": "TX", "city": "Houston"}).data
    assert address.city == "Houston"
