"""A VAT number in a real browser: not checked, checked, and what an outage looks like."""

import pytest
from playwright.sync_api import expect

from tests.system.browser import one_port

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def server(odoo):
    """A started server with a connector to VIES, and two customers; (url, ids)."""
    rpc = odoo.rpc("admin")
    address = f"{odoo.sandbox_url}/vies"
    ids = prepare(rpc, address)
    with one_port(odoo) as address:
        yield address, ids


@pytest.fixture
def odoo(odoo_factory, database, sandbox):
    """The server of this test, which knows the sandbox."""
    server = odoo_factory(database).start()
    server.sandbox_url = sandbox.base_url
    return server


@pytest.fixture
def url(server):
    """Where people go."""
    return server[0]


def prepare(rpc, address):
    """The connector, its workflow, and customers whose numbers nobody has checked."""
    company = rpc.call("res.users", "read", [rpc.uid], ["company_id"])[0]["company_id"][0]
    rpc.call("res.company", "write", [company], {"vat": "BE0477472701"})
    france = rpc.call("res.country", "search", [("code", "=", "FR")])[0]
    customers = [
        rpc.call(
            "res.partner",
            "create",
            {"name": name, "is_company": True, "country_id": france, "vat": vat},
        )
        for name, vat in (
            ("Loire Distribution SAS", "FR23334175221"),
            ("Rhone Fabrique SAS", "FR44732829320"),
        )
    ]
    connector = rpc.call(
        "finance.connector",
        "create",
        {"name": "VIES", "provider": "vies", "environment": "local", "local_url": address},
    )
    rpc.call("finance.connector", "action_test", [connector])
    rpc.call(
        "finance.workflow",
        "create",
        {"connector_id": connector, "company_id": company, "flow": "vat"},
    )
    return customers


def test_badge_and_check(people, server):
    """The badge says what is known, the button asks, and the evidence is one click away."""
    url, (valid, invalid) = server
    person = people("accountant")
    open_customer(person, url, valid)
    expect(person.field("finance_vat_status")).to_have_text("Not checked")
    person.press("Check Now")
    person.sees_notification("Valid since")
    person.close_notifications()
    open_customer(person, url, valid)
    expect(person.field("finance_vat_status")).to_have_text("Valid")
    person.picture("01-valid")
    person.press("Evidence")
    expect(person.rows("WAPI")).to_have_count(1)
    person.picture("02-evidence")
    open_customer(person, url, invalid)
    person.press("Check Now")
    person.sees_notification("Invalid", "danger")
    person.picture("03-invalid")


def open_customer(person, url, customer):
    """Open the contact at what accountants see."""
    person.page.goto(f"{url}/odoo/res.partner/{customer}")
    person.page.locator(".o_form_view").wait_for()
    person.settle()
    person.tab("Invoicing")
