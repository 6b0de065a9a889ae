"""AvaTax: our provider's documents against the sandbox and the published contract."""

from datetime import date
from decimal import Decimal

import pytest

from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Rejected,
    Transient,
)
from odoo.addons.finance_tax_engine.canonical.tax import (
    ABSENT,
    LOCKED,
    NO_NEXUS,
    QUOTED,
    RECORDED,
    REFUND,
    VOIDED,
    Address,
    TaxLine,
    ZeroReason,
)

from tests.contract.avatax import (
    ACCOUNT,
    HOUSTON_TAX,
    KEY,
    LINES,
    document,
    kept,
    provider,
    reference,
    sdk,
)

pytestmark = pytest.mark.usefixtures("avatax_conformity")


def test_provider_pings(avatax):
    assert ACCOUNT in avatax.ping()


def test_provider_with_a_wrong_key_is_refused(sandbox_url):
    wrong = provider(sandbox_url, license_key="NO-SUCH-KEY")
    with pytest.raises(AuthFailed):
        wrong.ping()
    with pytest.raises(AuthFailed) as refused:
        wrong.quote(document())
    assert refused.value.code == "AuthenticationException"
    assert "NO-SUCH-KEY" not in str(refused.value)


def test_provider_quotes_to_the_cent_and_nothing_is_kept(avatax, sandbox):
    result = avatax.quote(document(code=""))
    assert (result.status, result.total_tax) == (QUOTED, Decimal("10.64"))
    assert result.by_key() == HOUSTON_TAX
    assert kept(sandbox) == {}


def test_provider_commits_again_and_voids_again(avatax, sandbox):
    invoice = document()
    first = avatax.commit(invoice)
    assert (first.status, first.code, first.by_key()) == (RECORDED, invoice.code, HOUSTON_TAX)
    assert avatax.commit(invoice).by_key() == HOUSTON_TAX
    (found,) = kept(sandbox).values()
    assert (found["status"], found["version"], found["committed"]) == ("Committed", 2, 2)
    assert avatax.lookup(reference(invoice)).status == RECORDED
    assert avatax.void(reference(invoice)).status == VOIDED
    assert avatax.void(reference(invoice)).status == VOIDED
    assert kept(sandbox)[invoice.code]["voided"] == 1


def test_provider_replaces_a_changed_document(avatax, sandbox):
    avatax.commit(document())
    result = avatax.commit(document(lines=LINES[:1]))
    assert result.total_taxable == Decimal("59.97")
    (found,) = kept(sandbox).values()
    assert found["totalAmount"] == 59.97
    assert [one["status"] for one in found["revisions"]] == ["Adjusted"]


def test_provider_finds_nothing_under_an_unknown_code(avatax):
    unknown = reference(document(code="INV/none"))
    assert avatax.lookup(unknown) is None
    assert avatax.void(unknown).status == ABSENT


@pytest.mark.parametrize("code", ["a/b", "a+b", "a?b=c", "a%2Fb", "a#b", "a b", "Ä-1", "(1) 'x'&y"])
def test_provider_finds_a_document_under_any_code(avatax, sandbox, code):
    invoice = document(code=code)
    avatax.commit(invoice)
    assert avatax.lookup(reference(invoice)).code == code
    assert avatax.void(reference(invoice)).status == VOIDED
    assert kept(sandbox)[code]["status"] == "Cancelled"


def test_provider_credit_note_mirrors_its_invoice(avatax, sandbox):
    avatax.commit(document())
    refund = document(
        kind=REFUND, code="RINV/1", tax_date=date(2026, 3, 1), original_code=document().code
    )
    assert avatax.commit(refund).by_key() == HOUSTON_TAX
    found = kept(sandbox)["RINV/1"]
    assert (found["type"], found["totalTax"]) == ("ReturnInvoice", -10.64)
    assert found["totalAmount"] == -127.73
    assert avatax.void(reference(refund)).status == VOIDED


@pytest.mark.parametrize("why", [{"entity_use_code": "G"}, {"exemption_number": "TX-123"}])
def test_provider_exempt_customer(avatax, why):
    result = avatax.quote(document(**why))
    assert (result.total_tax, result.total_exempt) == (0, Decimal("127.73"))
    assert {tax.exempt for tax in result.taxes if tax.line == "1"} == {Decimal("59.97")}


def test_provider_partly_taxable_and_non_taxable_lines(avatax):
    lines = (
        TaxLine("1", Decimal("100.00"), Decimal(1), "DATA", "SD020800", "Data processing"),
        TaxLine("2", Decimal("50.00"), Decimal(1), "FREE", "NT", "Not taxable"),
        TaxLine("3", Decimal("-10.00"), Decimal(1), "LESS", "P0000000", "Discount"),
    )
    result = avatax.quote(document(lines=lines))
    state = {tax.line: tax for tax in result.taxes if tax.kind == "state"}
    assert (state["1"].taxable, state["1"].exempt) == (Decimal(80), Decimal(20))
    assert (state["2"].taxable, state["2"].exempt) == (Decimal(0), Decimal(50))
    assert state["3"].amount == Decimal("-0.62")


def test_provider_keeps_the_currency_of_the_document(avatax, sandbox):
    invoice = document(currency="EUR", exchange_rate=Decimal("1.1453"))
    assert avatax.commit(invoice).currency == "EUR"
    assert kept(sandbox)[invoice.code]["request"]["exchangeRate"] == 1.1453


def test_provider_no_nexus_is_no_tax_with_a_reason(avatax):
    miami = Address("1 Ocean Dr", "", "Miami", "FL", "33139", "US")
    result = avatax.quote(document(ship_to=miami))
    assert (result.total_tax, result.by_key()) == (0, {})
    assert result.reasons == tuple(
        ZeroReason(number, NO_NEXUS, "FLORIDA") for number in ("1", "2", "3")
    )
    assert "no nexus in FLORIDA" in result.messages[0]


def test_provider_long_texts_are_cut_to_the_contract(avatax):
    long = "x" * 3000
    line = TaxLine("1", Decimal(10), Decimal(1), long, "P0000000", long)
    avatax.quote(document(lines=(line,), reference=long, customer=long))


def test_provider_locked_document_is_rejected(avatax, sandbox, sandbox_url):
    invoice = document()
    avatax.commit(invoice)
    sdk(sandbox_url).lock_transaction(
        "DEFAULT", "INV_-ava2f-_2026_-ava2f-_00001-3f2a90bc", {"isLocked": True}
    )
    with pytest.raises(Rejected) as refused:
        avatax.commit(invoice)
    assert refused.value.code == LOCKED
    with pytest.raises(Rejected):
        avatax.void(reference(invoice))
    assert kept(sandbox)[invoice.code]["version"] == 1


def test_provider_recommit_of_a_voided_code_is_refused(avatax):
    """What the vendor does; the caller has to take a new code, or unvoid first."""
    invoice = document()
    avatax.commit(invoice)
    avatax.void(reference(invoice))
    with pytest.raises(Rejected) as refused:
        avatax.commit(invoice)
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
def test_provider_under_a_fault_and_after_it(avatax, sandbox, fault, error, recorded):
    invoice = document()
    sandbox.set_faults({"vendor": "avatax", "match": "POST /createoradjust", "times": 1, **fault})
    with pytest.raises(error) as failed:
        avatax.commit(invoice)
    assert failed.value.retry_after == fault.get("retry_after")
    assert bool(kept(sandbox)) is recorded
    assert avatax.commit(invoice).status == RECORDED
    (found,) = kept(sandbox).values()
    assert (found["status"], found["committed"]) == ("Committed", 2 if recorded else 1)


def test_every_call_is_logged_whole_with_its_time(avatax, monkeypatch):
    logged = []
    monkeypatch.setattr(avatax.session.recorder, "received", logged.append)
    avatax.commit(document())
    (exchange,) = logged
    assert (exchange.method, exchange.status, exchange.outcome) == ("POST", 200, "ok")
    assert exchange.duration_ms > 0
    assert b"INV/2026/00001-3f2a90bc" in exchange.request_body
    assert b'"totalTax":10.64' in exchange.response_body
    assert exchange.request_id.startswith("sandbox-")
    assert KEY in exchange.secrets
    assert KEY.encode() not in exchange.request_body + exchange.response_body
