"""AvaTax: what happens to a recorded document, and the list of them, by our provider."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from odoo.addons.finance_connector_base.providers.errors import ContractBroken, Rejected, Transient
from odoo.addons.finance_tax_engine.canonical.tax import (
    ABSENT,
    ADJUSTMENT_REASONS,
    INVOICE,
    LOCKED,
    RECORDED,
    REFUND,
    SAVED,
    VOIDED,
    TaxReference,
)
from odoo.addons.finance_tax_engine.providers import avatax as provider_module

from tests.contract.avatax import HOUSTON_TAX, LINES, document, kept, model, reference, sdk

pytestmark = pytest.mark.usefixtures("avatax_conformity")

DAY = date(2026, 4, 1)
CREDIT = TaxReference(REFUND, "DEFAULT", "RINV/2026/1")


def lock(sandbox_url, of, locked=True):
    """Do what a tax return does to a document."""
    code = of.code.replace("/", "_-ava2f-_")
    answer = sdk(sandbox_url).lock_transaction("DEFAULT", code, {"isLocked": locked})
    assert answer.status_code == 200, answer.text


# === ADJUST === #


@pytest.mark.parametrize("reason", ADJUSTMENT_REASONS)
def test_adjust_puts_a_new_version_over_the_old(avatax, sandbox, reason):
    avatax.commit(document())
    result = avatax.adjust(document(lines=LINES[:1]), reason, "two lines less")
    assert (result.status, result.total_taxable) == (RECORDED, Decimal("59.97"))
    (found,) = kept(sandbox).values()
    assert (found["version"], found["adjusted"], found["status"]) == (2, 1, "Committed")
    assert [old["totalAmount"] for old in found["revisions"]] == [127.73]
    again = avatax.adjust(document(lines=LINES[:1]), reason, "two lines less")
    assert again.by_key() == result.by_key()


def test_adjust_of_nothing_of_void_and_of_filed_is_refused(avatax, sandbox_url):
    invoice = document()
    with pytest.raises(Rejected) as refused:
        avatax.adjust(invoice, "price")
    assert refused.value.status == 404
    avatax.commit(invoice)
    lock(sandbox_url, invoice)
    with pytest.raises(Rejected) as refused:
        avatax.adjust(invoice, "price")
    assert refused.value.code == LOCKED
    lock(sandbox_url, invoice, locked=False)
    avatax.void(reference(invoice))
    with pytest.raises(Rejected):
        avatax.adjust(invoice, "price")


# === REFUND === #


def test_refund_takes_back_the_very_tax_and_may_be_repeated(avatax, sandbox):
    invoice = document()
    avatax.commit(invoice)
    first = avatax.refund(CREDIT, reference(invoice), DAY)
    assert (first.status, first.code, first.by_key()) == (RECORDED, CREDIT.code, HOUSTON_TAX)
    assert avatax.refund(CREDIT, reference(invoice), DAY) == replace(first, locked=False)
    found = kept(sandbox)[CREDIT.code]
    assert (found["type"], found["totalTax"], found["created"]) == ("ReturnInvoice", -10.64, 1)
    assert (found["date"], found["request"]["referenceCode"]) == ("2026-04-01", invoice.code)


def test_refund_of_a_filed_document_is_how_it_is_corrected(avatax, sandbox_url):
    invoice = document()
    avatax.commit(invoice)
    lock(sandbox_url, invoice)
    assert avatax.lookup(reference(invoice)).locked is True
    assert avatax.refund(CREDIT, reference(invoice), DAY).status == RECORDED


def test_refund_of_what_was_never_recorded_is_refused(avatax):
    with pytest.raises(Rejected):
        avatax.refund(CREDIT, reference(document()), DAY)


def test_refund_that_was_made_but_not_answered_is_found(avatax, sandbox):
    invoice = document()
    avatax.commit(invoice)
    sandbox.set_faults({"kind": "act_then_500", "match": "POST /refund$", "times": 1})
    with pytest.raises(Transient):
        avatax.refund(CREDIT, reference(invoice), DAY)
    assert avatax.refund(CREDIT, reference(invoice), DAY).by_key() == HOUSTON_TAX
    assert kept(sandbox)[CREDIT.code]["created"] == 1


# === UNCOMMIT, UNVOID, LOCKED === #


def test_uncommit_and_commit_again(avatax, sandbox):
    invoice = document()
    avatax.commit(invoice)
    assert avatax.uncommit(reference(invoice)).status == SAVED
    assert avatax.uncommit(reference(invoice)).status == SAVED
    assert kept(sandbox)[invoice.code]["status"] == "Saved"
    assert avatax.commit(invoice).status == RECORDED


def test_unvoid_gives_the_status_from_before(avatax):
    invoice = document()
    avatax.commit(invoice)
    avatax.void(reference(invoice))
    assert avatax.unvoid(reference(invoice)).status == RECORDED
    assert avatax.unvoid(reference(invoice)).status == RECORDED
    avatax.uncommit(reference(invoice))
    avatax.void(reference(invoice))
    assert avatax.unvoid(reference(invoice)).status == SAVED


def test_a_credit_note_of_the_same_code_is_another_document(avatax):
    invoice, credit = document(code="A/1"), document(code="A/1", kind=REFUND)
    avatax.commit(invoice)
    avatax.commit(credit)
    assert avatax.void(reference(credit)).status == VOIDED
    assert avatax.lookup(reference(invoice)).status == RECORDED
    assert avatax.unvoid(reference(credit)).status == RECORDED


@pytest.mark.parametrize("change", ["void", "uncommit"])
def test_a_filed_document_takes_no_change(avatax, sandbox, sandbox_url, change):
    invoice = document()
    avatax.commit(invoice)
    lock(sandbox_url, invoice)
    before = len(sandbox.requests("avatax"))
    with pytest.raises(Rejected, match="locked") as refused:
        getattr(avatax, change)(reference(invoice))
    assert refused.value.code == LOCKED
    assert len(sandbox.requests("avatax")) == before + 1


@pytest.mark.parametrize("change", ["uncommit", "unvoid"])
def test_what_is_not_there_can_not_be_changed(avatax, change):
    with pytest.raises(Rejected) as refused:
        getattr(avatax, change)(reference(document()))
    assert refused.value.status == 404


def test_a_wrong_company_is_not_taken_for_a_missing_document(avatax):
    with pytest.raises(Rejected, match="no company with the code NOBODY"):
        avatax.void(TaxReference(INVOICE, "NOBODY", "A"))
    with pytest.raises(Rejected, match="no company with the code NOBODY"):
        avatax.lookup(TaxReference(INVOICE, "NOBODY", "A"))
    assert avatax.void(TaxReference(INVOICE, "DEFAULT", "A")).status == ABSENT


# === LIST === #


def listed(avatax, start, end):
    return {one.code: one for one in avatax.recorded("DEFAULT", start, end)}


def test_the_list_has_all_documents_with_their_tax(avatax, sandbox_url):
    avatax.commit(document(code="A/1"))
    avatax.commit(document(code="A/2"))
    avatax.adjust(document(code="A/2", lines=LINES[:1]), "price")
    avatax.commit(document(code="A/3"))
    avatax.void(TaxReference(INVOICE, "DEFAULT", "A/3"))
    avatax.commit(document(code="A/4"))
    avatax.uncommit(TaxReference(INVOICE, "DEFAULT", "A/4"))
    avatax.refund(CREDIT, TaxReference(INVOICE, "DEFAULT", "A/1"), date(2026, 3, 2))
    lock(sandbox_url, document(code="A/1"))
    avatax.quote(document(code="A/5"))
    purchase = model(type="PurchaseInvoice", code="BILL", date="2026-03-01", commit=True)
    sdk(sandbox_url).create_transaction(purchase)

    found = listed(avatax, date(2026, 3, 1), date(2026, 3, 31))
    assert {code: one.status for code, one in found.items()} == {
        "A/1": RECORDED,
        "A/2": RECORDED,
        "A/3": VOIDED,
        "A/4": SAVED,
        CREDIT.code: RECORDED,
    }
    credit = found[CREDIT.code]
    assert (credit.kind, credit.total_amount, credit.total_tax) == (
        REFUND,
        Decimal("127.73"),
        Decimal("10.64"),
    )
    assert credit.by_key == found["A/1"].by_key == HOUSTON_TAX
    assert (found["A/1"].locked, credit.locked) == (True, False)
    assert found["A/2"].total_amount == Decimal("59.97")
    assert (credit.date, credit.currency) == (date(2026, 3, 2), "USD")
    assert credit.engine_id.isdigit()


def test_the_list_has_both_its_days_and_old_ones_too(avatax):
    first = date(2024, 2, 28)
    for days in range(4):
        avatax.commit(document(code=f"D/{days}", date=first + timedelta(days)))
    found = listed(avatax, first + timedelta(1), first + timedelta(2))
    assert list(found) == ["D/1", "D/2"]
    assert listed(avatax, date(2025, 1, 1), date(2025, 12, 31)) == {}


def test_the_list_is_read_page_by_page_while_documents_change(avatax, sandbox, monkeypatch):
    monkeypatch.setattr(provider_module, "PAGE", 3)
    for number in range(8):
        avatax.commit(document(code=f"P/{number}"))
    before = len(sandbox.requests("avatax"))
    rows = avatax.recorded("DEFAULT", date(2026, 3, 1), date(2026, 3, 1))
    seen = [next(rows).code for _number in range(3)]
    avatax.adjust(document(code="P/0"), "price")  # gets a new id, so the others move up
    seen += [one.code for one in rows]
    assert sorted(seen) == sorted([*(f"P/{number}" for number in range(8)), "P/0"])
    pages = [one for one in sandbox.requests("avatax")[before:] if one["method"] == "GET"]
    assert len(pages) == 3


# === FAULTS === #

CHANGES = {
    "adjust": lambda engine, invoice: engine.adjust(invoice, "price"),
    "refund": lambda engine, invoice: engine.refund(CREDIT, reference(invoice), DAY),
    "uncommit": lambda engine, invoice: engine.uncommit(reference(invoice)),
    "void": lambda engine, invoice: engine.void(reference(invoice)),
    "unvoid": lambda engine, invoice: engine.unvoid(reference(invoice)),
}


@pytest.mark.parametrize("kind", ["429", "503", "drop", "act_then_500", "malformed"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_under_a_fault_is_made_once_when_it_is_repeated(avatax, sandbox, change, kind):
    invoice = document()
    avatax.commit(invoice)
    if change == "unvoid":
        avatax.void(reference(invoice))
    sandbox.set_faults({"kind": kind, "match": f"POST /{change}$", "times": 1})
    with pytest.raises((Transient, ContractBroken)) as failure:
        CHANGES[change](avatax, invoice)
    assert isinstance(failure.value, ContractBroken) == (kind == "malformed")
    CHANGES[change](avatax, invoice)
    found = kept(sandbox)
    assert {code: one["status"] for code, one in found.items()} == {
        "adjust": {invoice.code: "Committed"},
        "refund": {invoice.code: "Committed", CREDIT.code: "Committed"},
        "uncommit": {invoice.code: "Saved"},
        "void": {invoice.code: "Cancelled"},
        "unvoid": {invoice.code: "Committed"},
    }[change]
    assert {one["totalTax"] for one in found.values()} <= {10.64, -10.64}
