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
    look_at_statement(person, url, odoo.rpc("admin"))


def look_at_statement(person, url, rpc):
    """A reconciliation statement of today: the figures, and what is open in it."""
    journal = rpc.call("account.journal", "search", [("name", "=", "Operating Account")])[0]
    values = {"journal_id": journal, "day": str(date.today())}
    statement = rpc.call("finance.bank.reconciliation", "create", values)
    person.page.goto(f"{url}/odoo/finance-bank-reconciliations/{statement}")
    person.page.locator(".o_form_view").wait_for()
    person.settle()
    table = person.field("table")
    expect(table).to_contain_text("Balance per bank")
    expect(table).to_contain_text("13,180.00")
    person.tab("Unmatched Bank Lines")
    expect(person.rows("Office rent")).to_have_count(1)
    person.picture("04-statement")


def show(person, url):
    """Open the cash position."""
    person.page.goto(f"{url}/odoo/finance-cash-position")
    person.page.locator(".o_form_view").wait_for()
    person.settle()
