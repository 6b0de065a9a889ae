"""A contact is erased in a real browser: first held, then shown what goes, then gone."""

import pytest
from playwright.sync_api import expect

from tests.system.browser import one_port

pytestmark = pytest.mark.timeout(600)

NAME, REASON = "Zdenka Quillfeather", "Mrs Quillfeather pays the rest in May"
PREPARE = """
env = env(user=1, su=True)
partner = env["res.partner"].create({"name": NAME})
exception = env["finance.exception"]._raise("job.held", document=partner, company=env.company)
exception._close("handled", REASON)
env["finance.denied.action"].with_user(env.ref("base.user_admin"))._deny(
    "job.send_again", "group", env["finance.job"])
result = partner.id
env.cr.commit()
"""


@pytest.fixture
def contact(odoo_factory, database):
    """(the server, not yet started, the id of a contact with a closed exception)."""
    odoo = odoo_factory(database)
    return odoo, odoo.shell(f"NAME, REASON = {NAME!r}, {REASON!r}\n{PREPARE}")


@pytest.fixture
def url(contact):
    """The server behind one port."""
    odoo, _partner = contact
    odoo.start()
    with one_port(odoo) as address:
        yield address


def test_a_contact_is_erased(people, contact):
    """Names are there; a hold keeps them; it is lifted; the wizard says what goes; they are gone."""
    _odoo, partner = contact
    controller = people("admin")
    read_names(controller)
    hold(controller)
    open_wizard(controller, partner)
    controller.sees("is under a legal hold")
    controller.picture("03-held")
    controller.press("Close")
    lift(controller)
    open_wizard(controller, partner)
    expect(controller.rows("Words, reasons and notes of closed exceptions")).to_contain_text("1")
    expect(controller.rows("the proof")).to_contain_text("without names")
    controller.picture("05-what-goes")
    controller.press("Erase")
    controller.press("Ok")
    controller.sees_notification("Erased:")
    controller.close_notifications()
    find_nothing(controller)
    make_a_conflict(controller)


def evidence(person, *names):
    """Open a list of the menu Evidence."""
    person.open_app("Finance Connect")
    person.menu("Evidence", *names)
    person.settle()


def read_names(person):
    """Who may reads the words of the event, and who was refused what."""
    evidence(person, "Names and Reasons")
    expect(person.rows(REASON)).to_have_count(1)
    person.picture("01-names-and-reasons")
    evidence(person, "Refused Actions")
    expect(person.rows("Send a job again")).to_contain_text("The role for it is missing")


def hold(person):
    """Set a legal hold."""
    evidence(person, "Legal Holds")
    person.press("New")
    person.choose("partner_id", NAME)
    person.fill("reason", "Court file 7")
    person.save()
    person.picture("02-legal-hold")


def lift(person):
    """Lift it again, with a reason."""
    evidence(person, "Legal Holds")
    person.open_row("Court file 7")
    person.fill("lift_reason", "Case closed")
    person.press("Lift")
    person.press("Ok")
    person.sees("Lifted")
    person.picture("04-lifted")


def open_wizard(person, partner):
    """Erase Personal Data, from the actions of the contact."""
    person.page.goto(f"{person.url}/odoo/res.partner/{partner}")
    person.page.locator(".o_form_view").wait_for()
    person.settle()
    person.page.locator(".o_cp_action_menus button").first.click()
    person.page.locator(".o-dropdown-item").filter(has_text="Erase Personal Data").click()
    person.page.locator(".o_dialog .modal-content").wait_for()
    person.settle()


def find_nothing(person):
    """The row stays, and says why it is empty."""
    evidence(person, "Names and Reasons")
    row = person.rows("Exception handled")
    expect(row).to_contain_text("The person asked for it")
    expect(person.rows(REASON)).to_have_count(0)
    person.picture("06-erased")


def make_a_conflict(person):
    """Two roles that should not go together: told at once, and on the form."""
    person.page.goto(f"{person.url}/odoo/users")
    person.open_row("Accountant")
    for privilege, role in (("Approvals", "Approver"), ("Connectors", "Connector Administrator")):
        box = person.page.locator(".o_inner_group .o_wrap_field, .o_wrap_label").filter(
            has_text=privilege
        )
        box.locator("xpath=following-sibling::*").locator("input").first.click()
        person.page.locator(".o_select_menu_item, .o-autocomplete--dropdown-item").filter(
            has_text=role
        ).first.click()
        person.settle()
    person.sees("Roles in Finance Connect that should not go together")
    person.picture("07-conflict")
    person.save()
    person.sees_notification("could approve what goes out", "warning")
    person.close_notifications()
    evidence(person, "Conflicting Roles")
    expect(person.rows("Accountant")).to_contain_text("could approve what goes out")
    person.picture("08-conflicting-roles")
