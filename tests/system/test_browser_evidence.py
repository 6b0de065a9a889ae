"""What an auditor asks, in a real browser: the story of an invoice, and the month-end.

A real prefork Odoo with lanes, a real sandbox that fails once, an accountant and an auditor.
Pictures of every stage are kept.
"""

import pytest
from playwright.sync_api import expect

from tests.system.browser import one_port
from tests.system.test_browser import open_invoice

pytestmark = pytest.mark.timeout(600)

ASK = "Ask a tax engine what the tax of a document is"
RECORD = "Record a posted document at the tax engine"
# A refusal of the engine to work, which is repeated after half a second.
FAILS = {"vendor": "avatax", "match": "POST /transactions/create", "kind": "503"}
GROUPS = ("finance_connector_base.group_auditor", "account.group_account_readonly")


@pytest.fixture
def url(odoo_factory, database, databases, sandbox):
    """A started server whose demo connector calls the sandbox, with an auditor in the house."""
    databases.sql(
        database,
        f"UPDATE finance_connector SET local_url = '{sandbox.base_url}/avatax';"
        " UPDATE finance_workflow SET backoff_base_seconds = 0.5, backoff_cap_seconds = 0.5",
    )
    odoo = odoo_factory(database).start()
    hire_auditor(odoo.rpc("admin"))
    with one_port(odoo) as address:
        yield address


def hire_auditor(rpc):
    """A user "auditor", with that password."""
    values = {"name": "Auditor", "login": "auditor", "password": "auditor"}
    user = rpc.call("res.users", "create", values, context={"no_reset_password": True})
    groups = [group.split(".")[1] for group in GROUPS]
    known = rpc.call(
        "ir.model.data", "search_read", [("name", "in", groups), ("model", "=", "res.groups")]
    )
    rpc.call("res.users", "write", [user], {"group_ids": [(4, row["res_id"]) for row in known]})


def test_story_of_an_invoice_and_the_month_end(people, sandbox):
    """An invoice whose recording fails and is repeated, and one that waits: both are told."""
    accountant = people("accountant")
    record_at_the_second_attempt(accountant, sandbox)
    read_the_story(accountant)
    expect(accountant.page.get_by_text("Stored request")).to_have_count(0)
    leave_one_waiting(accountant, sandbox)
    see_what_blocks(accountant)

    auditor = people("auditor")
    find_the_stored_request(auditor)
    print_the_evidence(auditor)
    ask_about_the_month(auditor)


# === ACCOUNTANT === #


def record_at_the_second_attempt(person, sandbox):
    """The engine is asked, fails once when the invoice is to be recorded, then works again."""
    open_invoice(person)
    person.press("Compute Tax")
    sandbox.set_faults(FAILS | {"times": 1})
    person.press("Confirm")
    expect(person.page.locator(".o_arrow_button_current")).to_have_text("Posted")
    person.reload_until(lambda: standing(person), "Done")
    person.picture("01-invoice")


def button(person):
    """The smart button of the form."""
    return person.page.locator(".oe_stat_button[name=action_finance_timeline]").first


def standing(person):
    """How the invoice stands, as the smart button says."""
    return button(person).locator("[name=finance_timeline_state]").inner_text()


def read_the_story(person):
    """The questions are answered; every step stands below, the failed one too."""
    button(person).click()
    person.sees_title("Timeline of INV/")
    person.settle()
    person.picture("02-timeline")
    expect(answer(person, "Who started it?")).to_contain_text("Accountant, ")
    expect(answer(person, "What was sent?")).to_contain_text("Amount: $ 138.37")
    expect(answer(person, "Was it approved")).to_contain_text("No approval is needed")
    expect(answer(person, "When was it delivered?")).to_contain_text("Attempts: 2.")
    expect(answer(person, "What came back?")).to_contain_text("Tax: $ 10.64")
    expect(answer(person, "How did each exception end?")).to_have_text("There was none.")
    steps = person.page.locator(".o_data_row td[name=what]").all_inner_texts()
    wanted = [
        f"Call: {ASK}",
        f"Job queued: {RECORD}",
        f"Call: {RECORD}",
        f"Call, attempt 2: {RECORD}",
        f"Job done: {RECORD}",
    ]
    assert [step for step in steps if RECORD in step or ASK in step] == wanted
    expect(person.rows(f"Call: {RECORD}")).to_contain_text("Failed, may work later")


def answer(person, question):
    """What stands beside a question."""
    return person.page.locator(".o_finance_questions tr").filter(has_text=question).locator("td")


def leave_one_waiting(person, sandbox):
    """The engine stays away, so that the recording of a second invoice waits for it."""
    open_invoice(person)
    person.duplicate()
    person.press("Compute Tax")
    sandbox.set_faults(FAILS)
    person.press("Confirm")
    person.reload_until(lambda: standing(person), "Waiting for retry")
    button(person).click()
    expect(answer(person, "When was it delivered?")).to_contain_text("Not yet. Next attempt")
    person.picture("03-timeline-waiting")


def see_what_blocks(person):
    """The invoice and its work block this month; the list shows just what was counted."""
    open_month_end(person)
    person.page.locator("button[name=action_next_month]").click()
    person.settle()
    # the third is that of an account of the demo data, whose bank is late
    person.sees("Not ready to close: 3 blocking")
    person.picture("04-month-end")
    expect(person.rows("Work that is not done at the vendor yet")).to_contain_text("1")
    row = person.rows("Invoices whose tax is not confirmed by the engine")
    expect(row).to_contain_text("$ 138.37")
    row.get_by_role("button", name="Show").click()
    person.sees_title("Invoices whose tax is not confirmed by the engine")
    person.settle()
    expect(person.rows()).to_have_count(1)
    person.picture("05-invoices-not-confirmed")


def open_month_end(person):
    """Finance Connect, Month-end: it asks about the month before."""
    person.open_app("Finance Connect")
    person.menu("Month-end")
    person.settle()


# === AUDITOR === #


def find_the_stored_request(person):
    """The story of the recorded invoice leads to the request as it was sent."""
    person.open_app("Invoicing")
    person.menu("Customers", "Invoices")
    person.page.locator(".o_data_row").filter(has_text="Bayou").nth(1).locator("td").nth(1).click()
    person.page.locator(".o_form_view").wait_for()
    button(person).click()
    person.sees_title("Timeline of INV/")
    person.settle()
    person.picture("06-timeline-of-the-auditor")
    with person.page.expect_popup() as opened:
        answer(person, "What was sent?").get_by_text("Stored request").click()
    request = opened.value
    request.get_by_role("tab", name="Sent").click()
    expect(request.get_by_text("Download the original").first).to_be_visible()
    expect(request.locator(".o_last_breadcrumb_item")).to_contain_text(RECORD)
    request.screenshot(path=person.pictures / "07-stored-request.png")
    request.close()


def print_the_evidence(person):
    """The same on paper, with whole digests and seals; here there is no wkhtmltopdf."""
    person.press("Print")
    page = person.page.frame_locator("iframe")
    expect(page.locator("h2")).to_contain_text("Evidence of INV/")
    expect(page.locator("body")).to_contain_text("Printed by Auditor")
    expect(page.locator("body")).to_contain_text("events are sealed")
    person.picture("08-evidence")


def ask_about_the_month(person):
    """An auditor sees the same month-end, and can't record it as closed."""
    person.page.goto(f"{person.url}/odoo")
    open_month_end(person)
    person.sees("Nothing blocks closing")
    expect(person.page.get_by_role("button", name="Record as Closed")).to_have_count(0)
    person.picture("09-month-end-of-the-auditor")
