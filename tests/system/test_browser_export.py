"""Exports in a real browser: defined, run, totals opened, stopped and run again; a statutory file."""

from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.timeout(300)
ALL = {"active_test": False}


@pytest.fixture
def person(people, odoo, url):
    """The administrator, in front of the exports."""
    admin = people("admin")
    admin.page.goto(f"{url}/odoo/finance-exports")
    admin.page.locator(".o_list_view").wait_for()
    admin.settle()
    return admin


def test_from_the_set_up_to_what_an_authority_gets(person, odoo):
    """One walk after the other on one server, for it takes longer to start than to walk."""
    rpc = odoo.rpc("admin")
    from_the_set_up_to_the_entries_behind_a_total(person)
    a_draft_stops_it_and_it_is_run_again(person, rpc)
    a_statutory_file(person, Company(rpc), odoo)


def from_the_set_up_to_the_entries_behind_a_total(person):
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


def a_draft_stops_it_and_it_is_run_again(person, rpc):
    draft = leave_a_draft(rpc)
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
    rpc.call("account.move", "unlink", [draft])
    person.page.goto(f"{person.url}/odoo/finance-exceptions")
    person.open_row("An export was stopped: it is incomplete")
    person.picture("06-exception")
    person.press("Run Again")
    person.reload_until(lambda: standing(person), "Delivered")


def a_statutory_file(person, company, odoo):
    """A FEC: what is missing is mapped and approved, written, taken, final under the lock alone."""
    cookie = {"name": "cids", "value": str(company.id), "url": person.url}
    person.window.add_cookies([cookie])
    person.page.goto(f"{person.url}/odoo/finance-statutory")
    person.press("New")
    person.choose("kind", "FEC (France)")
    person.press("Check")
    person.sees("don't begin with three figures")
    person.picture("07-findings")
    person.rows("three figures").locator("button[name=action_map]").click()
    person.settle()
    person.fill_cell("Ventes", "code", "707000")
    person.picture("08-map")
    person.press("Save")
    company.approve(odoo)
    person.page.goto(f"{person.url}/odoo/finance-statutory")
    person.open_row("FEC (France)")
    person.press("Check")
    person.press("Write")
    person.reload_until(lambda: standing(person), "Written")
    person.picture("09-written")
    with person.page.expect_download() as download:
        person.page.locator("button[name=action_download]").click()
    assert download.value.suggested_filename.startswith("732829320FEC")
    lines = download.value.path().read_text().splitlines()
    assert [line.split("\t")[4] for line in lines] == ["CompteNum", "512000", "707000"]
    person.press("Make Final")
    assert "not locked for everybody" in person.refusal("10-not-locked")
    company.lock()
    person.press("Make Final")
    person.reload_until(lambda: standing(person), "Final")
    person.picture("11-final")


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
    return rpc.call(
        "account.move",
        "create",
        {"journal_id": journal, "move_type": "entry", "date": str(last_month)},
    )


class Company:
    """A company whose books are in euro, with one sale of last year and a number of its own."""

    def __init__(self, rpc):
        self.rpc = rpc
        [euro] = rpc.call("res.currency", "search", [("name", "=", "EUR")], context=ALL)
        # without a country, for which Odoo would install a chart of accounts
        values = {"name": "Atelier", "currency_id": euro, "company_registry": "732829320"}
        self.id = rpc.call("res.company", "create", values)
        bank, sales = (
            self.create("account.account", name=name, code=code, account_type=kind)
            for name, code, kind in (
                ("Banque", "512000", "asset_cash"), ("Ventes", "K707", "income"),
            )
        )  # fmt: skip
        journal = self.create("account.journal", name="Divers", code="OD", type="general")
        lines = [(bank, 120), (sales, -120)]
        move = self.create(
            "account.move",
            journal_id=journal,
            date=f"{date.today().year - 1}-05-04",
            line_ids=[(0, 0, {"account_id": one, "balance": amount}) for one, amount in lines],
        )
        self.call("account.move", "action_post", [move])

    def call(self, model, method, *arguments):
        return self.rpc.call(model, method, *arguments, context={"allowed_company_ids": [self.id]})

    def create(self, model, **values):
        return self.call(model, "create", values)

    def approve(self, odoo):
        """Another person approves what waits."""
        role = ("finance_connector_base", "group_approver")
        user = {
            "name": "Approver",
            "login": "approver",
            "password": "approver",
            "company_id": self.id,
            "company_ids": [(6, 0, [self.id])],
            "group_ids": [
                (4, self.rpc.call("ir.model.data", "check_object_reference", *one)[1])
                for one in (role, ("account", "group_account_readonly"))
            ],
        }
        self.rpc.call("res.users", "create", user)
        domain = [("state", "=", "submitted")]
        approver = odoo.rpc("approver")
        [version] = approver.call("finance.mapping.version", "search", domain)
        approver.call("finance.mapping.version", "action_approve", [version])

    def lock(self):
        last_year = f"{date.today().year - 1}-12-31"
        self.call("res.company", "write", [self.id], {"fiscalyear_lock_date": last_year})
