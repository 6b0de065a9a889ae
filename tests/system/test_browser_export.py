"""An export in a real browser: defined, previewed, run, its totals opened, and stopped by a draft."""

from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def person(people, odoo, url):
    """The administrator, in front of the exports."""
    admin = people("admin")
    admin.page.goto(f"{url}/odoo/finance-exports")
    admin.page.locator(".o_list_view").wait_for()
    admin.settle()
    return admin


def test_from_the_set_up_to_the_entries_behind_a_total(person, odoo):
    define(person)
    person.press("Preview")
    person.sees("gl_account_number")
    person.picture("01-preview")
    person.tab("SQL")
    person.sees("account_move_line")
    person.press("Close")
    person.press("Export Now")
    person.reload_until(lambda: standing(person), "Delivered")
    person.tab("Totals")
    expect(person.rows("Equal")).not_to_have_count(0)
    expect(person.rows("Differs")).to_have_count(0)
    person.picture("02-totals")
    person.tab("Files")
    expect(person.rows("journal_items-")).not_to_have_count(0)
    person.picture("03-files")
    person.tab("Totals")
    person.rows("Equal").first.locator("button[name=action_open_items]").click()
    person.sees_title("Journal Items")
    expect(person.rows()).not_to_have_count(0)

    leave_a_draft(odoo.rpc("admin"))
    person.page.goto(f"{person.url}/odoo/finance-exports")
    person.open_row("Ledger for BI")
    person.press("Export Now")
    person.reload_until(lambda: standing(person), "Stopped: incomplete")
    person.sees("Nothing was delivered")
    person.picture("04-stopped")
    person.rows("draft").first.locator("button[name=action_open]").click()
    person.settle()
    expect(person.rows()).not_to_have_count(0)
    person.picture("05-what-stops-it")


def define(person):
    """A new export of the journal items, by clicks."""
    person.press("New")
    person.fill("name", "Ledger for BI")
    person.fill("code", "bi")
    person.page.get_by_text("Add a line").filter(visible=True).first.click()
    person.settle()
    person.choose("feed_id", "Journal items")
    person.press("Save & Close")
    person.save()


def standing(person):
    """What the status bar of the run says."""
    return person.page.locator(".o_statusbar_status .o_arrow_button_current").inner_text().strip()


def leave_a_draft(rpc):
    """A draft of last month, and an export that is stopped by one."""
    [export] = rpc.call("finance.export", "search", [("code", "=", "bi")])
    rpc.call("finance.export", "write", [export], {"drafts_policy": "block"})
    company = rpc.call("res.users", "read", [rpc.uid], ["company_id"])[0]["company_id"][0]
    [journal] = rpc.call(
        "account.journal",
        "search",
        [("type", "=", "general"), ("company_id", "=", company)],
        limit=1,
    )
    last_month = date.today().replace(day=1) - timedelta(days=1)
    rpc.call(
        "account.move",
        "create",
        {"journal_id": journal, "move_type": "entry", "date": str(last_month)},
    )
