"""An order, its invoice and its credit note in a real browser, with the tax of each authority."""

import pytest
from playwright.sync_api import expect

from tests.system.test_browser import TAXES, see_state, sees_taxes

pytestmark = pytest.mark.timeout(300)

# What the engine taxes in the demo data: product, quantity, discount.
LINES = (("shelf", 3, 0), ("lamp", 2, 10), ("cable", 1, 0))


@pytest.fixture
def order(odoo, sandbox):
    """A quotation to Houston that nobody has computed; its id."""
    rpc = odoo.rpc("admin")
    connector = _demo(rpc, "connector")
    rpc.call("finance.connector", "write", [connector], {"local_url": f"{sandbox.base_url}/avatax"})
    rpc.call("finance.connector", "action_test", [connector])
    lines = [
        {"product_id": _demo(rpc, f"product_{name}"), "product_uom_qty": count, "discount": percent}
        for name, count, percent in LINES
    ]
    values = {"partner_id": _demo(rpc, "customer"), "order_line": [(0, 0, line) for line in lines]}
    return rpc.call("sale.order", "create", values)


def _demo(rpc, name):
    names = [("module", "=", "finance_tax_engine"), ("name", "=", f"demo_{name}")]
    (row,) = rpc.call("ir.model.data", "search_read", names, ["res_id"])
    return row["res_id"]


def test_order_invoice_credit_note(people, url, order, sandbox, odoo):
    """One question for all three; the engine ends with an invoice and what takes it back.

    Then some invoices are posted together from their list.
    """
    person = people("admin")
    sandbox.forget_requests()
    compute_order(person, url, order)
    invoice_order(person)
    assert calls(sandbox) == ["create", "createoradjust"]
    take_back(person)
    assert calls(sandbox) == ["create", "createoradjust", "createoradjust"]
    documents = sandbox.state("avatax")["documents"]
    assert {row["status"] for row in documents} == {"Committed"}
    assert sorted(float(row["totalTax"]) for row in documents) == [-10.64, 10.64]
    post_together(person, url, odoo.rpc("admin"))


def compute_order(person, url, order):
    """The quotation shows what the engine says before anybody has to pay it."""
    person.page.goto(f"{url}/odoo/sale.order/{order}")
    person.page.locator(".o_form_view").wait_for()
    person.settle()
    person.press("Compute Tax")
    person.tab("Tax Engine")
    sees_taxes(person)
    expect(person.field("finance_tax_state")).to_have_text("Estimated")
    person.picture("01-quotation")
    person.press("Confirm")
    expect(person.page.locator(".o_arrow_button_current")).to_have_text("Sales Order")


def invoice_order(person):
    """The invoice has the order's amounts and is posted with them."""
    person.press("Create Invoice")
    person.press("Create Draft")
    person.press("Confirm")
    expect(person.page.locator(".o_arrow_button_current")).to_have_text("Posted")
    sees_totals(person)
    person.picture("02-invoice")
    person.reload_until(lambda: see_state(person), "Recorded")
    sees_taxes(person)


def take_back(person):
    """The credit note of the whole invoice has its very tax."""
    person.press("Credit Note")
    person.press("Reverse")
    person.press("Confirm")
    expect(person.page.locator(".o_arrow_button_current")).to_have_text("Posted")
    sees_totals(person)
    person.picture("03-credit-note")
    person.reload_until(lambda: see_state(person), "Recorded")
    sees_taxes(person)
    person.picture("04-credit-note-recorded")


def post_together(person, url, rpc):
    """What can be posted is, and the list says why the rest can't; then that is mended."""
    values = {"move_type": "out_invoice", "invoice_date": "2026-03-02"}
    line = {"product_id": _demo(rpc, "product_shelf"), "quantity": 3}
    customer = _demo(rpc, "customer")
    buyers = [
        rpc.call("res.partner", "copy", [customer], {"name": f"Together {place}", **address})[0]
        for place, address in (("Here", {}), ("There", {}), ("Nowhere", {"zip": False}))
    ]
    for buyer in buyers:
        draft = {"partner_id": buyer, "invoice_line_ids": [(0, 0, line)]}
        rpc.call("account.move", "create", {**values, **draft})
    person.page.goto(f"{url}/odoo/action-account.action_move_out_invoice")
    person.page.locator(".o_list_view").wait_for()
    person.settle()
    expect(person.rows("Together")).to_have_count(3)
    for row in person.rows("Together").all():
        row.locator(".o_list_record_selector input").check()
    person.page.locator(".o_cp_action_menus button").filter(has_text="Actions").click()
    person.page.locator(".o-dropdown-item").filter(has_text="Post with Tax").click()
    person.page.locator(".o_form_view").wait_for()
    expect(person.field("posted_count")).to_have_text("2")
    expect(person.rows("Together Nowhere")).to_contain_text("ZIP code")
    person.picture("05-posted-together")
    rpc.call("res.partner", "write", [buyers[-1]], {"zip": "77002"})
    person.press("Post the Rest")
    expect(person.field("posted_count")).to_have_text("3")
    person.picture("06-the-rest")


def sees_totals(person):
    """The customer reads what each authority gets."""
    for amount in TAXES.values():
        expect(person.field("tax_totals")).to_contain_text(amount)


def calls(sandbox):
    """What the engine was asked to do, in this order."""
    return [
        line["path"].rpartition("/")[2]
        for line in sandbox.requests("avatax")
        if line["method"] == "POST"
    ]
