"""An administrator links a bank in a browser: to the bank and back, to lines, and again when it ends.

The bank is the sandbox's, with a page of its own on which the consent is given or refused.
"""

import re
from datetime import date, timedelta

import pytest
import requests
from playwright.sync_api import expect

from sandbox import gocardless_bad, plaid, ponto
from sandbox.enable_banking.application import APPLICATION_ID, PRIVATE_KEY
from tests.soak import the_rest_in_soak
from tests.system.browser import CHOICES
from tests.system.odoo_process import wait_until

pytestmark = pytest.mark.timeout(300)

# What a connector of each vendor is told, and the name that its page has for the bank.
SETTINGS = {
    "enable_banking": {"application_id": APPLICATION_ID, "private_key": PRIVATE_KEY},
    "plaid": {"client_id": plaid.CLIENT_ID, "secret": plaid.SECRET},
    "ponto": {"client_id": ponto.CLIENT_ID, "client_secret": ponto.CLIENT_SECRET},
    "gocardless_bad": {
        "secret_id": gocardless_bad.SECRET_ID,
        "secret_key": gocardless_bad.SECRET_KEY,
    },
}
# Vendors that list the banks of a country, and those that send nobody to a bank.
LISTS_BANKS = ("enable_banking", "gocardless_bad")
SENDS_NOBODY = ("ponto",)
HOUSE, OPENING = "House Account", "10,000.00"
REMIND_IN = timedelta(days=10)


@pytest.mark.parametrize("vendor", the_rest_in_soak(SETTINGS, "one vendor is enough"))
def test_from_settings_to_lines_and_on(people, odoo, sandbox, databases, vendor):
    """Nothing is changed by a refusal or an outage; what ends is renewed, and goes on as it was."""
    rpc = odoo.rpc("admin")
    walk = Walk(people("admin"), rpc, sandbox, vendor)
    walk.begin_without_connector()
    connect(rpc, vendor, f"{sandbox.base_url}/{vendor}")
    rpc.call("account.journal", "create", {"name": HOUSE, "type": "bank", "code": "HOUSE"})
    walk.link_two_accounts()
    walk.read_the_lines()
    if vendor not in SENDS_NOBODY:
        walk.be_reminded(databases, odoo.database)
    walk.lose_the_consent()
    walk.renew_it()


def connect(rpc, vendor, address):
    """Make a connector that passes its test, and the euro."""
    company = rpc.call("res.users", "read", [rpc.uid], ["company_id"])[0]["company_id"][0]
    connector = rpc.call(
        "finance.connector",
        "create",
        {
            "name": "Our banks",
            "provider": vendor,
            "environment": "local",
            "local_url": address,
            "company_ids": [(6, 0, [company])],
        },
    )
    for model in ("finance.setting", "finance.credential"):
        domain = [("connector_id", "=", connector), ("name", "in", list(SETTINGS[vendor]))]
        for row in rpc.call(model, "search_read", domain, ["name"]):
            rpc.call(model, "write", [row["id"]], {"value": SETTINGS[vendor][row["name"]]})
    tested = rpc.call("finance.connector", "action_test", [connector])
    assert tested["params"]["type"] == "success", tested
    euro = rpc.call(
        "res.currency", "search", [("name", "=", "EUR"), ("active", "in", [True, False])]
    )
    rpc.call("res.currency", "write", euro, {"active": True})


class Walk:
    """The stages, on one person's screen."""

    def __init__(self, person, rpc, sandbox, vendor):
        self.person, self.page, self.rpc = person, person.page, rpc
        self.sandbox, self.vendor = sandbox, vendor

    # === LINKING === #

    def begin_without_connector(self):
        """Who has no connector is told what to do first."""
        self._open_wizard()
        self.person.sees("No connector to banks is ready")
        self.person.picture("01-no-connector")
        self.person.press("Connectors")
        self.person.sees_title("Connectors")

    def link_two_accounts(self):
        """A refusal, an outage, and then an account for a new journal and one for an old one."""
        self._open_wizard()
        if self.vendor in LISTS_BANKS:
            self._find_the_bank()
        if self.vendor in SENDS_NOBODY:
            self.person.press("Show Accounts")
        else:
            self._refuse()
            self._continue("Allow")
        self.page.locator(".o_form_view .o_data_row").first.wait_for()
        self.person.settle()
        self._say("Operating", "import_from", (date.today() - timedelta(days=60)))
        self._choose("Dollar", "choice", "Existing journal")
        self._choose("Dollar", "journal_id", HOUSE)
        self._choose("Company card", "choice", "Not now")
        self._check()
        self._choose("Operating", "decision", "Book a first bank line")
        self._choose("Dollar", "decision", "Begin with the difference")
        self.person.picture("06-decided")
        self.person.press("Link")
        self.person.sees_title("Bank Links")
        expect(self.person.rows("Active")).to_have_count(2)
        self.person.picture("07-linked")

    def _open_wizard(self):
        self.person.open_app("Settings")
        tab = self.page.locator(".settings_tab .tab")
        tab.filter(has_text="Finance Connect").click()
        self.person.settle()
        self.person.press("Link Bank Accounts")
        self.person.sees_title("Link Bank Accounts")

    def _find_the_bank(self):
        self.person.choose("country_id", "Germany")
        self.sandbox.set_faults({"kind": "500", "vendor": self.vendor, "times": 1})
        self.person.press("Show Banks")
        words = self.person.refusal("02-vendor-out-of-order")
        assert "Nothing was changed: try again" in words, words
        self.person.complaints.clear()
        self.person.press("Show Banks")
        if not self.person.field("institution_id").locator("input").input_value():
            self.person.choose("institution_id", "Sandbox Bank")

    def _refuse(self):
        self._continue("Refuse")
        self.person.sees("the access to the accounts was not allowed")
        self.page.screenshot(path=self.person.pictures / "03-refused.png")
        assert self.rpc.call("finance.bank.consent", "search_count", []) == 0
        self.page.get_by_role("link", name="Begin Again").click()
        self.page.locator(".o_form_view").wait_for()
        self.person.settle()
        if self.vendor in LISTS_BANKS:
            self.person.choose("country_id", "Germany")
            self.person.press("Show Banks")

    def _continue(self, decision, button="Continue at the Bank"):
        """Go to the bank, decide there, and come back."""
        self.page.get_by_role("button", name=button).first.click()
        self.page.get_by_role("button", name=decision, exact=True).click()
        self.page.wait_for_url(f"{self.person.url}/**")

    def _check(self):
        """The bank is asked; each account is proved, or says how much it differs."""
        self.person.press("Check Opening Balances")
        expect(self.person.rows("Operating")).to_contain_text(f"the bank had {OPENING}")
        self.person.sees("Not all opening balances are proved")
        self.person.picture("05-checked")
        self.person.press("Link")
        words = self.person.refusal("05-undecided")
        assert "If They Differ" in words, words
        self.person.complaints.clear()

    def _cell(self, row, column):
        self.person.rows(row).locator(f"td[name={column}]").click()
        self.person.settle()
        return self.page.locator(f".o_selected_row [name={column}] input").first

    def _choose(self, row, column, label):
        self._cell(row, column).click()
        self.person.settle()
        self.page.locator(CHOICES).filter(has_text=label).first.click()
        self.person.settle()

    def _say(self, row, column, day):
        box = self._cell(row, column)
        box.fill(day.strftime("%m/%d/%Y"))
        box.press("Tab")
        self.person.settle()

    # === WHAT CAME === #

    def read_the_lines(self):
        """All lines of the account, the opening balance before them; nothing twice."""
        wait_until(lambda: self._count() == 10, 30, "the lines")
        self.person.open_row("Operating")
        self.person.press("Bank Lines")
        expect(self.page.locator(".o_bank_row")).to_have_count(10)
        self.person.sees("Opening balance per bank")
        self.person.picture("08-lines")
        self._open_link()
        self.person.press("Fetch Now")
        self.person.sees_notification("The bank is asked", "info")
        self.person.close_notifications()
        jobs = [("res_model", "=", "finance.bank.link"), ("state", "!=", "done")]
        wait_until(lambda: not self.rpc.call("finance.job", "search_count", jobs), 30, "the pull")
        assert self._count() == 10

    def _count(self):
        domain = [("journal_id", "=", self._link()["journal_id"][0])]
        return self.rpc.call("account.bank.statement.line", "search_count", domain)

    def _link(self, account="Operating"):
        domain = [("name", "ilike", account)]
        names = ["journal_id", "state", "consent_id"]
        [link] = self.rpc.call("finance.bank.link", "search_read", domain, names)
        return link

    def _open_link(self, account="Operating"):
        link = self._link(account)["id"]
        self.page.goto(f"{self.person.url}/odoo/finance-bank-links/{link}")
        self.page.locator(".o_form_view").wait_for()
        self.person.settle()

    # === THE END OF A CONSENT === #

    def be_reminded(self, databases, database):
        """Before the end there is an activity; renewing takes it away."""
        consent = self._link()["consent_id"][0]
        databases.sql(
            database,
            "UPDATE finance_bank_consent SET until = now() AT TIME ZONE 'UTC'"
            f" + interval '{REMIND_IN.days} days' WHERE id = {consent}",
        )
        cron = self.rpc.call(
            "ir.model.data", "check_object_reference", "finance_bank_sync", "cron_bank_consent"
        )[1]
        self.rpc.run_action(cron)
        # one reminder a consent, on the first of its accounts
        self._open_link("Dollar")
        reminder = re.compile("Renew the consent of")
        self.person.sees(reminder)
        self.person.picture("09-reminder")
        self._renew("Renew Consent")
        expect(self.page.get_by_text(reminder)).to_have_count(0)

    def lose_the_consent(self):
        """The next pull says that the consent has ended; the card of the account shows it."""
        self._tell_the_bank("expire")
        self._open_link()
        self.person.press("Fetch Now")
        state = self.person.field("state").locator(".o_arrow_button_current")
        self.person.reload_until(lambda: state.inner_text().strip(), "Consent ended")
        self.person.sees("The consent has ended, and nothing is fetched")
        self.person.picture("10-ended")
        self.page.goto(f"{self.person.url}/odoo/accounting")
        # in the demo data there is an Operating Account too
        named = re.compile("Operating account")
        card = self.page.locator(".o_kanban_record").filter(has_text=named)
        expect(card).to_contain_text("Bank link: Consent ended")
        self.person.picture("11-card")

    def _tell_the_bank(self, what):
        url = f"{self.sandbox.base_url}/{self.vendor}/_bank/{what}"
        answer = requests.post(url, timeout=10)
        assert answer.ok, answer.text

    def renew_it(self):
        """From the exception to the bank and back: the same link goes on, and nothing is open."""
        domain = [("code", "=", "bank.consent"), ("document_id", "=", self._link()["id"])]
        [exception] = self.rpc.call("finance.exception", "search", domain)
        self.page.goto(f"{self.person.url}/odoo/finance.exception/{exception}")
        self.page.locator(".o_form_view").wait_for()
        self.person.settle()
        self.person.picture("12-exception")
        if self.vendor in SENDS_NOBODY:
            self.person.press("Renew Consent")
            words = self.person.refusal("13-renew-at-the-vendor")
            assert "allow the access again at" in words, words
            self.person.complaints.clear()
            self._tell_the_bank("renew")
            self.person.press("Renew Consent")
            self._open_link()
        else:
            self._renew("Renew Consent")
            self.person.sees_title("Operating account")
        self.person.picture("13-renewed")
        assert self._link()["state"] == "active"
        [left] = self.rpc.call("finance.exception", "read", [exception], ["state"])
        assert left["state"] != "open"

    def _renew(self, button):
        self._continue("Allow", button)
        self.page.locator(".o_form_view").wait_for()
        self.person.settle()
