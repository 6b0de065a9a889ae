"""Stripe Tax: our requests and the sandbox's answers against the published contract.

Every request in the sandbox's log and every answer to it is checked, with unknown fields refused,
after each test of this module: those of our provider and those of Stripe's own client.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import stripe

from odoo.addons.finance_connector_base.providers.errors import AuthFailed, Rejected, Transient
from odoo.addons.finance_connector_base.providers.session import ConnectorConfig, Session
from odoo.addons.finance_tax_engine.canonical.tax import (
    ABSENT,
    EXEMPT,
    INVOICE,
    NOT_REGISTERED,
    NOT_TAXABLE,
    QUOTED,
    RECORDED,
    REFUND,
    REVERSE_CHARGE,
    VOIDED,
    Address,
    TaxDocument,
    TaxLine,
    TaxReference,
)
from odoo.addons.finance_tax_engine.providers.stripe_tax import API_VERSION, StripeTax

from tests.contract import openapi

KEY = "sk_test_SandboxStripe0001"
SPEC = openapi.SPECS / "stripe" / "spec3_2023-09-12.yaml"
GOODS, SHIPPING, FOOD = "txcd_99999999", "txcd_92010001", "txcd_40060003"

HOUSTON = Address("1200 McKinney St", "", "Houston", "TX", "77002", "US")
IRVINE = Address("2000 Main Street", "", "Irvine", "CA", "92614", "US")
PARIS = Address("55 Rue du Faubourg", "", "Paris", "", "75008", "FR")
LINES = (
    TaxLine("1", Decimal("59.97"), Decimal(3), "DESK", GOODS, "Desk"),
    TaxLine("2", Decimal("59.99"), Decimal(2), "CHAIR", GOODS, "Chair, 10 % off"),
    TaxLine("3", Decimal("7.77"), Decimal(1), "LAMP", GOODS, "Lamp"),
)
HOUSTON_TAX = {
    "US/TX/state/Texas/0.0625": Decimal("7.96"),
    "US/TX/county/Harris County/0.00975": Decimal("1.26"),
    "US/TX/city/Houston/0.011185": Decimal("1.42"),
}
TODAY = datetime.now(UTC).date()


@pytest.fixture(scope="module")
def contract():
    """The published contract; its folder is kept outside the repository."""
    if not SPEC.exists():
        pytest.skip(f"optional: no contract at {SPEC}; FINANCE_SPECS names its folder")
    return openapi.load(SPEC)


@pytest.fixture(autouse=True)
def conformity(sandbox, contract):
    """After each test, check all that went over the line."""
    yield
    sandbox.clear_faults()
    exchanges = sandbox.requests("stripe", answers=True)
    assert exchanges, "the test sent nothing"
    assert [problem for one in exchanges for problem in _problems(contract, one)] == []
    assert sandbox.state("stripe")["warnings"] == []


def _problems(contract, exchange):
    method, path, status = (exchange[name] for name in ("method", "path", "status"))
    found = contract.check_request(method, path, exchange["query_string"], exchange["body"])
    if exchange["fault"] is None and status:
        found += contract.check_answer(method, path, status, exchange["answer"])
    return [f"{method} {path} {status}: {problem}" for problem in found]


def provider(url, key="job-1", effect="idempotent", **settings):
    """Return our provider at work on the sandbox, for a job with this idempotency key."""
    settings = {"secret_key": KEY, "other_days": "today"} | settings
    config = ConnectorConfig(
        1,
        "Stripe",
        "stripe_tax",
        "local",
        f"{url}/stripe",
        settings=settings,
        timeouts=(2.0, 2.0),
        secrets=(settings["secret_key"],),
    )
    return StripeTax(Session(config, effect=effect, key=key))


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
    """Return a document as it is recorded, with the quote that it was booked by."""
    asked = document(**changes)
    quote = engine.quote(asked)
    return replace(asked, quote_id=quote.engine_id, booked=quote.taxes)


def recorded(sandbox):
    return sandbox.state("stripe")["transactions"]


# === OUR PROVIDER === #


def test_provider_pings(engine):
    assert engine.ping() == "Stripe Tax, test mode"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("sk_test_NoSuchKey0000", "Invalid API Key"),
        ("rk_test_SandboxReadOnly0001", "required permissions"),
    ],
)
def test_wrong_and_weak_keys_are_refused(sandbox_url, key, words):
    with pytest.raises(AuthFailed, match=words) as refused:
        provider(sandbox_url, secret_key=key).quote(document())
    assert key not in str(refused.value)


def test_quotes_to_the_cent_by_jurisdiction_and_keeps_nothing(engine, sandbox):
    result = engine.quote(document(code=""))
    assert (result.status, result.total_tax) == (QUOTED, Decimal("10.64"))
    assert result.by_key() == HOUSTON_TAX
    assert (result.total_taxable, result.total_exempt) == (Decimal("127.73"), 0)
    assert result.engine_id.startswith("taxcalc_")
    assert recorded(sandbox) == []


def test_calculation_transaction_reversal(sandbox_url, sandbox):
    invoice = booked(provider(sandbox_url))
    made = provider(sandbox_url).commit(invoice)
    assert (made.status, made.code, made.by_key()) == (RECORDED, invoice.code, HOUSTON_TAX)
    again = provider(sandbox_url).commit(invoice)
    assert again.engine_id == made.engine_id
    reference = TaxReference(INVOICE, "", invoice.code, made.engine_id)
    found = provider(sandbox_url).lookup(reference)
    assert (found.status, found.total_tax, found.taxes) == (RECORDED, Decimal("10.64"), ())
    for key in ("void-1", "void-1", "void-2"):
        assert provider(sandbox_url, key).void(reference).status == VOIDED
    sale, void = recorded(sandbox)
    assert (sale["reference"], void["reference"]) == (invoice.code, f"{invoice.code}-void")
    assert void["reversal"] == {"original_transaction": sale["id"]}
    assert sum(row["amount_tax"] for row in void["items"]) == -1064


def test_a_calculation_is_recorded_with_one_call(engine, sandbox):
    invoice = booked(engine)
    before = sandbox.count("stripe")
    engine.commit(invoice)
    assert sandbox.count("stripe") == before + 1
    [line] = sandbox.requests("stripe")[-1:]
    assert line["headers"]["idempotency-key"] == f"job-1:{invoice.quote_id}"
    assert line["headers"]["stripe-version"] == API_VERSION


def test_a_used_calculation_is_made_again_when_the_amounts_are_the_same(
    engine, sandbox, sandbox_url
):
    first = booked(engine)
    engine.commit(first)
    second = provider(sandbox_url, "job-2").commit(replace(first, code="INV/2026/00002-3f2a90bd"))
    assert second.total_tax == Decimal("10.64")
    assert [one["reference"] for one in recorded(sandbox)] == [first.code, second.code]


def test_other_amounts_than_booked_are_never_recorded(engine, sandbox):
    invoice = booked(engine)
    cheaper = tuple(replace(tax, amount=tax.amount - Decimal("0.01")) for tax in invoice.booked)
    with pytest.raises(Rejected, match=r"10\.64 USD now; booked is 10\.55") as refused:
        engine.commit(replace(invoice, quote_id="taxcalc_1gone", booked=cheaper))
    assert refused.value.code == "amounts_changed"
    assert recorded(sandbox) == []


def test_a_reference_that_is_taken_is_not_recorded_twice(sandbox_url, sandbox):
    invoice = booked(provider(sandbox_url))
    provider(sandbox_url).commit(invoice)
    with pytest.raises(Rejected, match="does not tell its id") as refused:
        provider(sandbox_url, "job-2").commit(replace(invoice, quote_id=None))
    assert refused.value.code == "already_recorded"
    assert len(recorded(sandbox)) == 1


def test_credit_notes_by_line_item(sandbox_url, sandbox):
    lines = (*LINES, TaxLine("4", Decimal("10.00"), Decimal(1), "", SHIPPING, "Freight"))
    invoice = booked(provider(sandbox_url), lines=lines)
    made = provider(sandbox_url).commit(invoice)
    # numbers of its own: the second and the third line, half of the chairs, and the freight
    parts = (
        replace(lines[1], number="1", amount=Decimal("30.00")),
        replace(lines[2], number="2"),
        replace(lines[3], number="3", amount=Decimal("4.00")),
    )
    taxes = [
        replace(tax, line=number, amount=amount)
        for tax in invoice.booked
        for line, number, amount in (
            ("2", "1", Decimal("1.00")),
            ("3", "2", Decimal("0.10")),
            ("4", "3", Decimal("0.08")),
        )
        if tax.line == line and tax.kind == "state"
    ]
    credit = replace(
        invoice,
        kind=REFUND,
        code="RINV/1",
        lines=parts,
        booked=tuple(taxes),
        original_code=invoice.code,
        original_id=made.engine_id,
    )
    result = provider(sandbox_url, "job-2").commit(credit)
    assert (result.status, result.total_tax) == (RECORDED, Decimal("1.18"))
    sale, reversal = recorded(sandbox)
    by_id = {row["id"]: row["reference"] for row in sale["items"]}
    assert [
        (by_id[row["reversal"]["original_line_item"]], row["amount"], row["amount_tax"])
        for row in reversal["items"]
    ] == [("2:CHAIR", -3000, -100), ("3:LAMP", -777, -10)]
    assert (reversal["shipping_cost"]["amount"], reversal["shipping_cost"]["amount_tax"]) == (
        -400,
        -8,
    )
    # the reversal of a reversal: the credit note is void
    reference = TaxReference(REFUND, "", "RINV/1", result.engine_id)
    assert provider(sandbox_url, "job-3").void(reference).total_tax == Decimal("1.18")
    too_much = replace(credit, code="RINV/2", lines=(replace(parts[0], amount=Decimal("900")),))
    with pytest.raises(Rejected) as refused:
        provider(sandbox_url, "job-4").commit(too_much)
    assert refused.value.code == "exceeds_original"


def test_a_whole_invoice_is_refunded_by_the_vendor(sandbox_url, sandbox):
    invoice = booked(provider(sandbox_url))
    made = provider(sandbox_url).commit(invoice)
    original = TaxReference(INVOICE, "", invoice.code, made.engine_id)
    credit = TaxReference(REFUND, "", "RINV/1")
    result = provider(sandbox_url, "job-2").refund(credit, original, TODAY)
    assert (result.code, result.total_tax) == ("RINV/1", Decimal("10.64"))
    assert provider(sandbox_url, "job-2").refund(credit, original, TODAY) == result
    assert len(recorded(sandbox)) == 2


def test_a_credit_note_needs_its_invoice(engine, sandbox):
    credit = booked(engine, kind=REFUND, code="RINV/1")
    with pytest.raises(Rejected) as refused:
        engine.commit(credit)
    assert refused.value.code == "no_original"
    with pytest.raises(Transient) as waiting:
        engine.commit(replace(credit, original_code="INV/1"))
    assert waiting.value.code == "original_unknown"
    assert recorded(sandbox) == []


def test_many_lines_are_followed_over_pages(engine, sandbox):
    lines = tuple(
        TaxLine(str(n), Decimal(n), Decimal(1), f"ITEM {n}", GOODS) for n in range(1, 124)
    )
    invoice = booked(engine, lines=lines)
    assert {tax.line for tax in invoice.booked} == {line.number for line in lines}
    made = engine.commit(invoice)
    credit = replace(
        invoice, kind=REFUND, code="R", original_code=invoice.code, original_id=made.engine_id
    )
    assert engine.commit(credit).total_tax == made.total_tax
    assert len(recorded(sandbox)[1]["items"]) == 123


def test_shipping_discounts_and_untaxed_lines(engine):
    lines = (
        TaxLine("1", Decimal("100.00"), Decimal("1.5"), "A", GOODS),
        TaxLine("2", Decimal("50.00"), Decimal(1), "B", FOOD),
        TaxLine("3", Decimal("-20.00"), Decimal(1), "", GOODS),
        TaxLine("4", Decimal("10.00"), Decimal(1), "", SHIPPING),
    )
    result = engine.quote(document(lines=lines))
    state = {tax.line: tax.taxable for tax in result.taxes if tax.kind == "state"}
    assert state == {"1": Decimal("80.00"), "2": 0, "4": Decimal("10.00")}
    assert [(why.line, why.code) for why in result.reasons] == [("2", NOT_TAXABLE)]
    assert result.total_taxable == Decimal("90.00")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ship_to": PARIS, "currency": "EUR", "vat_number": "FR40303265045"}, REVERSE_CHARGE),
        ({"entity_use_code": "reverse_charge"}, REVERSE_CHARGE),
        ({"entity_use_code": "customer_exempt"}, EXEMPT),
        ({"exemption_number": "TX-1"}, EXEMPT),
        ({"ship_to": replace(PARIS, country="CH")}, NOT_REGISTERED),
        ({"ship_to": replace(HOUSTON, region="OR", postal_code="97301", city="")}, NOT_TAXABLE),
    ],
)
def test_why_there_is_no_tax(engine, changes, reason):
    result = engine.quote(document(**changes))
    assert result.total_tax == 0
    assert {why.code for why in result.reasons} == {reason}
    assert result.total_exempt == Decimal("127.73")


@pytest.mark.parametrize(
    ("currency", "amount", "tax"),
    [
        ("EUR", "100.01", "20.00"),
        ("JPY", "1999", "400"),
        ("KWD", "10.010", "2.000"),
        ("ISK", "1999", "400.00"),
    ],
)
def test_minor_units_of_currencies(engine, currency, amount, tax):
    line = TaxLine("1", Decimal(amount), Decimal(1), "A", GOODS)
    result = engine.quote(document(ship_to=PARIS, currency=currency, lines=(line,)))
    assert (result.currency, str(result.total_tax)) == (currency, tax)


def test_other_days_are_said_or_refused(sandbox_url):
    old = document(date=TODAY - timedelta(days=30), tax_date=TODAY - timedelta(days=60))
    [remark] = provider(sandbox_url).quote(old).messages
    assert str(old.tax_date) in remark
    assert provider(sandbox_url).quote(replace(old, tax_date=TODAY)).messages == ()
    with pytest.raises(Rejected) as refused:
        provider(sandbox_url, other_days="refuse").quote(old)
    assert refused.value.code == "other_day"


def test_what_stripe_refuses_has_its_words(engine):
    for changes, words in (
        ({"ship_to": replace(HOUSTON, postal_code="")}, "tax location"),
        ({"lines": (replace(LINES[0], tax_code="P0000000"),)}, "No such tax code"),
        ({"currency": "XYZ"}, "Invalid currency"),
        ({"ship_to": PARIS, "vat_number": "FR-1"}, "Invalid value for eu_vat"),
    ):
        with pytest.raises(Rejected, match=words):
            engine.quote(document(**changes))


def test_faults_of_the_vendor(engine, sandbox):
    invoice = booked(engine)
    sandbox.set_faults({"kind": "429", "retry_after": 7, "times": 1})
    with pytest.raises(Transient) as limited:
        engine.commit(invoice)
    assert (limited.value.retry_after, limited.value.status) == (7, 429)
    sandbox.set_faults({"kind": "act_then_timeout", "delay_ms": 10, "times": 1})
    with pytest.raises(Transient):
        engine.commit(invoice)
    sandbox.clear_faults()
    assert engine.commit(invoice).status == RECORDED
    assert len(recorded(sandbox)) == 1


def test_tax_codes_are_searched_over_pages(engine):
    assert [one.code for one in engine.tax_codes("GROCERIES")] == [FOOD]
    assert len(engine.tax_codes("")) > 5


def test_what_is_not_there(engine):
    missing = TaxReference(INVOICE, "", "INV/1", "tax_1NoSuchTransaction")
    assert engine.lookup(missing) is None
    assert engine.void(missing).status == ABSENT


# === STRIPE'S OWN CLIENT === #


@pytest.fixture
def client(sandbox_url):
    return stripe.StripeClient(
        KEY,
        stripe_version=API_VERSION,
        base_addresses={"api": f"{sandbox_url}/stripe"},
        max_network_retries=0,
    )


def test_the_official_client_goes_from_calculation_to_reversal(client, sandbox):
    tax = client.v1.tax if hasattr(client, "v1") else client.tax
    assert tax.settings.retrieve().status == "active"
    made = tax.calculations.create(
        params={
            "currency": "usd",
            "customer_details": {
                "address": {"country": "US", "postal_code": "77002", "state": "TX"},
                "address_source": "shipping",
            },
            "line_items": [
                {"amount": 5997, "reference": "L1", "tax_code": GOODS},
                {"amount": 5999, "reference": "L2", "tax_code": GOODS},
                {"amount": 777, "reference": "L3", "tax_code": GOODS},
            ],
            "shipping_cost": {"amount": 500},
            "expand": ["line_items.data.tax_breakdown"],
        }
    )
    assert made.tax_amount_exclusive == 1064 + 40
    assert made.line_items.data[0].tax_breakdown[0].jurisdiction.display_name == "Texas"
    options = {"idempotency_key": "k1"}
    params = {"calculation": made.id, "reference": "order_1", "expand": ["line_items"]}
    sale = tax.transactions.create_from_calculation(params=params, options=options)
    assert tax.transactions.create_from_calculation(params=params, options=options).id == sale.id
    with pytest.raises(stripe.IdempotencyError):
        tax.transactions.create_from_calculation(
            params=params | {"reference": "order_2"}, options=options
        )
    with pytest.raises(stripe.InvalidRequestError) as taken:
        tax.transactions.create_from_calculation(params=params)
    assert taken.value.param in ("reference", "calculation")
    line = sale.line_items.data[0]
    part = tax.transactions.create_reversal(
        params={
            "mode": "partial",
            "original_transaction": sale.id,
            "reference": "order_1-refund",
            "line_items": [
                {
                    "original_line_item": line.id,
                    "reference": "L1-refund",
                    "amount": -line.amount,
                    "amount_tax": -line.amount_tax,
                }
            ],
            "metadata": {"why": "broken"},
        }
    )
    assert part.reversal.original_transaction == sale.id
    rest = tax.transactions.create_reversal(
        params={
            "mode": "partial",
            "original_transaction": sale.id,
            "reference": "order_1-refund-2",
            "flat_amount": -1000,
            "expand": ["line_items"],
        }
    )
    taken_back = [*rest.line_items.data, rest.shipping_cost]
    assert sum(row.amount + row.amount_tax for row in taken_back) == -1000
    assert rest.line_items.data[0].amount == 0
    with pytest.raises(stripe.InvalidRequestError):
        tax.transactions.create_reversal(
            params={
                "mode": "partial",
                "original_transaction": sale.id,
                "reference": "order_1-refund-3",
                "flat_amount": -100000,
            }
        )
    undone = tax.transactions.create_reversal(
        params={"mode": "full", "original_transaction": part.id, "reference": "undo"}
    )
    assert undone.type == "reversal"
    assert len(tax.transactions.line_items.list(undone.id).data) == 1


def test_the_official_client_meets_the_vendors_errors(client, sandbox, sandbox_url):
    tax = client.v1.tax if hasattr(client, "v1") else client.tax
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient(
            "sk_test_wrong",
            stripe_version=API_VERSION,
            base_addresses={"api": f"{sandbox_url}/stripe"},
        ).v1.tax.settings.retrieve()
    address = {"country": "US", "postal_code": "77002"}
    for params, code in (
        ({"currency": "usd"}, "parameter_missing"),
        ({"currency": "usd", "line_items": [{"amount": -5}]}, "parameter_invalid_integer"),
        ({"currency": "usd", "line_items": [{"amount": 5}], "customer_details": {}},
         "customer_tax_location_invalid"),
    ):  # fmt: skip
        with pytest.raises(stripe.InvalidRequestError) as refused:
            tax.calculations.create(params={"customer_details": {"address": address}, **params})
        assert refused.value.code == code
    # what was wrong on purpose is no matter of conformity
    sandbox.forget_requests()
    assert not tax.settings.retrieve().livemode
