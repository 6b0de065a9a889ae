"""The accountant at the bank lines: files dropped, proposals accepted, lines split, all undone."""

import re

import pytest
from playwright.sync_api import expect

from tests.soak import only_in_soak
from tests.system.bank_screen import CUSTOMERS, drop, prepare, statement
from tests.system.odoo_process import wait_until

pytestmark = pytest.mark.timeout(300)

SCREEN = {"width": 1280, "height": 800}
WIDE = {"width": 1600, "height": 900}
INVOICES = [
    (CUSTOMERS[0], 120.0),
    (CUSTOMERS[1], 75.5),
    (CUSTOMERS[2], 300.0),
    (CUSTOMERS[3], 80.0),
]
KEYED = 200


class Desk:
    """The screen, by what people see on it."""

    def __init__(self, person, journal):
        self.person, self.page, self.journal = person, person.page, journal

    def open(self):
        self.page.set_viewport_size(SCREEN)
        self.page.goto(f"{self.person.url}/odoo/bank-lines?journal_id={self.journal}")
        self.page.locator(".o_bank_list").wait_for()
        self.person.settle()
        return self

    def rows(self, text=""):
        return self.page.locator(".o_bank_row").filter(has_text=text)

    def choose(self, text):
        self.rows(text).first.click()
        expect(self.page.locator(".o_bank_row.current")).to_contain_text(text)
        self.person.settle()

    def key(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            self.person.settle()

    def filter(self, name):
        self.page.locator(f"[data-filter={name}]").click()
        self.person.settle()

    def counts(self, **expected):
        """The numbers beside the filters."""
        for name, count in expected.items():
            badge = self.page.locator(f"[data-filter={name}] .badge")
            expect(badge).to_have_text(str(count))

    def imported(self, name, seconds=30):
        """What the panel of files says of one, when it has ended."""
        item = self.page.locator(".o_bank_import").filter(has_text=name)
        ended = re.compile("done|refused|failed")
        expect(item).to_have_attribute("data-state", ended, timeout=1000 * seconds)
        return item

    def left(self):
        return self.page.locator(".o_bank_left b")


def test_from_file_to_done(people, odoo):
    """A file is dropped, its lines are matched in every way there is, and one is undone."""
    journal, numbers = prepare(odoo, INVOICES)
    lines = [
        (12000, CUSTOMERS[0], f"Invoice {numbers[0]} with thanks"),
        (37550, "Unknown payer", "two invoices at once"),
        (-1250, "Bank", "Charges of March"),
        (8000, CUSTOMERS[3], f"{numbers[3]}"),
    ]
    person = people("accountant")
    desk = Desk(person, journal).open()
    drop_files(person, desk, lines)
    # a run that matches anew under the eyes of a person has its own refusal
    wait_for_matching(odoo)
    desk.open()
    accept_and_undo(person, desk, numbers[0])
    split(person, desk, numbers)
    write_off(person, desk)
    accept_the_rest(person, desk)
    from_the_invoice(person, odoo, numbers[0])
    drop_on_the_imports(person, lines)


def wait_for_matching(odoo):
    """The jobs that enter and match the lines are done."""
    rpc = odoo.rpc("admin")
    waiting = [("operation", "like", "bank."), ("state", "not in", ("done", "cancelled"))]
    wait_until(
        lambda: not rpc.call("finance.job", "search_count", waiting), 60, "the end of the matching"
    )


def drop_files(person, desk, lines):
    """Three files at once: one good, one of no bank, one whose columns nobody knows."""
    table = b"Date,Amount,Text\n02/03/2026,1,first\n03/04/2026,2,second\n"
    drop(
        person,
        ".o_bank_desk",
        {"march.xml": statement(lines), "letter.pdf": b"%PDF-1.4", "table.csv": table},
    )
    good = desk.imported("march.xml")
    expect(good).to_contain_text("4 lines made")
    expect(desk.imported("letter.pdf")).to_contain_text("PDF")
    unknown = desk.imported("table.csv")
    person.picture("01-files")
    unknown.get_by_text("Set up its columns").click()
    person.page.locator(".o_dialog .o_field_widget[name=preview]").wait_for()
    person.picture("02-columns")
    person.page.locator(".o_dialog").get_by_role("button", name="Cancel").click()
    person.press("Close")
    drop(person, ".o_bank_desk", {"march.xml": statement(lines)})
    expect(desk.imported("march.xml")).to_contain_text("4 skipped")
    person.press("Close")
    desk.counts(todo=4, done=0, all=4)
    person.close_notifications()


def accept_and_undo(person, desk, number):
    """Enter accepts the best proposal, u takes it back."""
    desk.choose(number)
    person.sees(re.compile("Proposal|Best proposal"))
    person.picture("03-proposal")
    person.page.set_viewport_size(WIDE)
    person.picture("bank-lines")
    person.page.set_viewport_size(SCREEN)
    desk.key("Enter")
    desk.counts(done=1, todo=3)
    desk.key("u")
    desk.counts(done=0, todo=4)
    expect(person.page.locator(".o_bank_row.current")).to_contain_text(number)
    desk.key("Enter")
    desk.counts(done=1)


def split(person, desk, numbers):
    """A line is put together of two invoices; what is left is always there to see."""
    desk.choose("two invoices")
    expect(desk.left()).to_contain_text("375.50")
    desk.key("m")
    for number in numbers[1:3]:
        box = person.page.locator(".o_bank_items_words")
        box.fill(number)
        expect(person.page.locator(".o_bank_items tr")).to_have_count(1)
        person.settle()
        box.press("Enter")
    expect(desk.left()).to_contain_text("0.00")
    person.picture("04-split")
    amount = person.page.locator(".o_bank_part_amount").first
    amount.fill("70")
    expect(desk.left()).to_contain_text("5.50")
    book = person.page.get_by_role("button", name="Book")
    expect(book).to_be_disabled()
    amount.fill("75.50")
    book.click()
    desk.counts(done=2)


def write_off(person, desk):
    """Charges go to an account."""
    desk.choose("Charges of March")
    desk.key("w")
    panel = person.page.locator(".o_bank_panel")
    panel.locator("input").first.fill("Expenses")
    person.settle()
    person.page.locator(".o-autocomplete--dropdown-item").first.click()
    person.settle()
    panel.get_by_role("button", name="Add").click()
    expect(desk.left()).to_contain_text("0.00")
    person.picture("05-write-off")
    person.page.get_by_role("button", name="Book").click()
    desk.counts(done=3)


def accept_the_rest(person, desk):
    """What is clear is done with one button."""
    desk.filter("todo")
    person.page.get_by_role("button", name="Accept all clear").click()
    person.sees_notification("1 lines done")
    person.close_notifications()
    desk.counts(done=4, todo=0)
    person.sees("Everything is done")
    desk.filter("done")
    desk.key("?")
    person.picture("06-done-and-keys")


def from_the_invoice(person, odoo, number):
    """The invoice leads to its bank line."""
    rpc = odoo.rpc("accountant")
    move = rpc.call("account.move", "search", [("name", "=", number)])[0]
    person.page.goto(f"{person.url}/odoo/account.move/{move}")
    person.page.locator(".o_form_view").wait_for()
    person.settle()
    person.page.locator("button[name=action_finance_bank_lines]").click()
    expect(person.page.locator(".o_bank_row")).to_have_count(1)
    person.sees("Only the lines of a document")
    person.picture("07-from-the-invoice")


def drop_on_the_imports(person, lines):
    """The list of imports takes files too, and shows what became of them."""
    person.page.goto(f"{person.url}/odoo/finance-bank-imports")
    person.page.locator(".o_list_view").wait_for()
    person.settle()
    before = person.rows().count()
    drop(person, ".o_list_view", {"again.xml": statement(lines)})
    item = person.page.locator(".o_bank_import").filter(has_text="again.xml")
    expect(item).to_contain_text("4 skipped")
    expect(person.rows()).to_have_count(before + 1)
    person.picture("08-imports")
    person.page.goto(f"{person.url}/odoo/accounting")
    person.page.locator(".o_kanban_view").wait_for()
    person.picture("09-dashboard")


@only_in_soak("one walk through the screen is enough")
def test_an_auditor_looks(people, odoo):
    """Everything is there to read, nothing to press."""
    journal, numbers = prepare(odoo, INVOICES[:1])
    odoo.rpc("accountant").call(
        "account.bank.statement.line",
        "create",
        {"journal_id": journal, "date": "2026-03-02", "amount": 120, "payment_ref": numbers[0]},
    )
    groups = [
        odoo.rpc("admin").call("ir.model.data", "check_object_reference", addon, name)[1]
        for addon, name in (
            ("finance_connector_base", "group_auditor"),
            ("account", "group_account_readonly"),
        )
    ]
    values = {"name": "Auditor", "login": "auditor", "password": "auditor", "group_ids": groups}
    odoo.rpc("admin").call("res.users", "create", values)
    person = people("auditor")
    desk = Desk(person, journal).open()
    expect(desk.rows()).to_have_count(1)
    person.sees("You may read these lines and not change them.")
    person.sees("The line was not matched yet")
    desk.key("Enter", "u", "w", "x")
    expect(person.page.locator(".o_notification")).to_have_count(0)
    desk.counts(todo=1)
    for name in ("Accept", "Import file", "Book", "Write off"):
        expect(person.page.get_by_role("button", name=name)).to_have_count(0)
    person.picture("10-auditor")


@pytest.mark.timeout(1800)
@only_in_soak("one walk through the screen is enough")
def test_with_the_keyboard_alone(people, odoo):
    """Line after line, without leaving the screen and without the mouse."""
    invoices = [(CUSTOMERS[index % 4], 100.0 + index) for index in range(KEYED)]
    journal, numbers = prepare(odoo, invoices)
    lines = [
        (round(amount * 100), name, f"Invoice {number}")
        for (name, amount), number in zip(invoices, numbers, strict=True)
    ]
    person = people("accountant")
    desk = Desk(person, journal).open()
    drop(person, ".o_bank_desk", {"march.xml": statement(lines)})
    expect(desk.imported("march.xml", seconds=180)).to_contain_text(f"{KEYED} lines made")
    wait_for_matching(odoo)
    desk.open()
    here = person.page.url
    desk.key("j", "k", "?", "?")
    for done in range(1, KEYED + 1):
        desk.key("Enter")
        desk.counts(done=done)
    desk.counts(todo=0)
    person.picture("11-all-done")
    desk.key("u")
    desk.counts(todo=1)
    assert person.page.url == here
