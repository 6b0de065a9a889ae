"""The cash position with one late account, and a reconciliation statement, in a real browser."""

from datetime import date

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.timeout(300)


def test_cash_position_with_a_late_account(people, url, odoo):
    """It says that it is incomplete and why; the balance written down makes it complete."""
    person = people("admin")
    show(person, url)
    standing = person.page.locator(".o_finance_cash_standing:visible")
    expect(standing).to_contain_text("Incomplete")
    expect(standing).to_contain_text("late: Reserve Account")
    expect(person.rows("Operating Account").first).to_contain_text("13,180.00")
    expect(person.rows("Transfer on the way")).to_contain_text("1,000.00")
    person.picture("01-late")
    person.page.goto(f"{url}/odoo/finance-bank-balances")
    person.press("Write Down a Balance")
    person.choose("journal_id", "Reserve Account")
    person.fill("amount", "40000")
    person.press("Keep")
    show(person, url)
    expect(standing).not_to_contain_text("Reserve Account")
    person.picture("02-written-down")
    person.press("Analyse")
    person.page.locator(".o_pivot table").wait_for()
    person.picture("03-pivot")
    state_and_review(people("accountant"), person, url, odoo.rpc("admin"))


def state_and_review(accountant, reviewer, url, rpc):
    """One prepares a reconciliation statement of today, another reviews it; then it is frozen."""
    accountant.page.goto(f"{url}/odoo/finance-bank-reconciliations")
    accountant.press("New")
    accountant.choose("journal_id", "Operating Account")
    accountant.field("day").locator("button, input").first.click()
    accountant.fill("day", date.today().strftime("%m/%d/%Y"))
    accountant.save()
    table = accountant.field("table")
    expect(table).to_contain_text("Balance per bank")
    expect(table).to_contain_text("13,180.00")
    accountant.tab("Unmatched Bank Lines")
    expect(accountant.rows("Office rent")).to_have_count(1)
    accountant.picture("04-statement")
    if accountant.page.locator(".o_field_widget[name=reason]:visible").count():
        accountant.fill("reason", "Entries from before the account was connected")
    accountant.press("Prepare")
    _state(accountant, "Prepared")
    accountant.picture("05-prepared")
    # who prepared it is offered no review
    expect(accountant.page.get_by_role("button", name="Review", exact=True)).to_have_count(0)
    approver = rpc.call(
        "ir.model.data", "check_object_reference", "finance_connector_base", "group_approver"
    )[1]
    rpc.call("res.users", "write", [rpc.uid], {"group_ids": [(4, approver)]})
    reviewer.page.goto(accountant.page.url)
    reviewer.page.locator(".o_form_view").wait_for()
    reviewer.settle()
    reviewer.press("Review")
    reviewer.press("Ok")
    _state(reviewer, "Reviewed")
    expect(reviewer.field("day").locator("input")).to_have_count(0)
    reviewer.press("Verify")
    reviewer.sees_notification("Figures and items are those of the audit trail")
    reviewer.picture("06-reviewed")


def _state(person, words):
    expect(person.field("state").locator(".o_arrow_button_current")).to_have_text(words)


def show(person, url):
    """Open the cash position."""
    person.page.goto(f"{url}/odoo/finance-cash-position")
    person.page.locator(".o_form_view").wait_for()
    person.settle()
