"""People in front of a real browser: log in, click what they read on screen, take pictures.

Playwright's client with the system's Chromium. Everything is found by the words and names that
people see, so a test reads like the walk it stands for.
"""

import contextlib
import re
import shutil
import time

from playwright.sync_api import expect, sync_playwright

from scripts import odoo_cli
from scripts.browser import NAMES
from scripts.front import Front

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZE = {"width": 1366, "height": 820}
PATIENCE_MS = 30_000
QUIET_ROUNDS = 4
CHOICES = ".o-autocomplete--dropdown-item, .o_select_menu_item"


@contextlib.contextmanager
def one_port(odoo):
    """The address of a started server, WebSockets included, as behind a reverse proxy."""
    port = odoo_cli.free_port()
    with Front(port, odoo.port, odoo.gevent_port):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def chromium():
    """A headless Chromium of its own, with a fresh profile."""
    path = next(filter(None, map(shutil.which, NAMES)))
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Person:
    """One user with a window of their own.

    :param browser: from ``chromium()``
    :param str url: the server, without a path
    :param Path pictures: folder that ``picture("name")`` writes to

    ``complaints`` holds what the browser's console says is wrong, and what error dialogs say.
    """

    def __init__(self, browser, url, pictures):
        self.url, self.pictures, self.complaints = url, pictures, []
        self.window = browser.new_context(viewport=SIZE, locale="en-US")
        self.page = self.window.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page: {error}"))
        self._under_way = set()
        self.page.on("request", self._asked)
        for ending in ("requestfinished", "requestfailed"):
            self.page.on(ending, lambda request: self._under_way.discard(request))

    def _heard(self, message):
        if message.type == "error":
            self.complaints.append(f"console: {message.text} ({message.location.get('url')})")

    def _asked(self, request):
        if request.resource_type in ("fetch", "xhr"):
            self._under_way.add(request)

    # === WHERE TO === #

    def log_in(self, login, password=None):
        """Log in; demo passwords equal the login. Returns itself."""
        page = self.page
        page.goto(f"{self.url}/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", password or login)
        page.click("form button[type=submit]")
        page.locator(".o_main_navbar").wait_for()
        return self

    def open_app(self, name):
        """Open an app from the list of apps."""
        self.page.locator(".o_navbar_apps_menu button").click()
        self.page.locator(f".o_app:text-is('{name}')").click()
        expect(self.page.locator(".o_menu_brand")).to_have_text(name)

    def menu(self, *names):
        """Choose from the menus of the app: ``menu("Configuration", "Connectors")``."""
        self.page.locator(f".o_menu_sections :text-is('{names[0]}')").first.click()
        for name in names[1:]:
            self.page.locator(f".dropdown-menu :text-is('{name}')").first.click()
        self.sees_title(names[-1])

    def sees_title(self, text):
        """The breadcrumb says where we are."""
        expect(self.page.locator(".o_breadcrumb .active, .o_last_breadcrumb_item")).to_contain_text(
            text
        )

    # === CLICK AND TYPE === #

    def press(self, label):
        """Press the button with this label, in the dialog if one is open; wait for its effect."""
        place = self.page.locator(".o_dialog").last if self.has_dialog() else self.page
        # By text, for an icon is part of a button's accessible name.
        text = re.compile(rf"^\s*{re.escape(label)}\s*$")
        place.locator("button").filter(has_text=text, visible=True).first.click()
        self.settle()

    def has_dialog(self):
        """Is a dialog open?"""
        return self.page.locator(".o_dialog").count() > 0

    def tab(self, label):
        """Open a page of the notebook."""
        self.page.get_by_role("tab", name=label, exact=True).click()

    def fill(self, field, value):
        """Type into a field, which is named as in the form."""
        box = self.field(field).locator("input, textarea").first
        box.fill(value)
        box.press("Tab")
        self.settle()

    def choose(self, field, label):
        """Choose from the list that a field opens; typing narrows the list of a record field."""
        box = self.field(field).locator("input").first
        box.click()
        if "o_select_menu_input" not in (box.get_attribute("class") or ""):
            box.fill(label)
        self.settle()
        self.page.locator(CHOICES).filter(has_text=label).first.click()
        expect(box).to_have_value(label)
        self.settle()

    def tick(self, field, label):
        """Choose one of the radio buttons of a field."""
        self.field(field).get_by_label(label, exact=True).check()
        self.settle()

    def fill_cell(self, row_text, column, value):
        """Type into the cell of an editable list: the row that says ``row_text``."""
        row = self.page.locator(".o_data_row").filter(has_text=row_text).filter(visible=True)
        row.locator(f"td[name={column}]").click()
        box = self.page.locator(f".o_selected_row [name={column}] input")
        box.fill(value)
        box.press("Tab")
        self.settle()

    def open_row(self, text):
        """Open the record of the list whose row says ``text``."""
        self.rows(text).first.locator("td.o_data_cell:not(.o_handle_cell)").first.click()
        self.page.locator(".o_form_view").wait_for()
        self.settle()

    def save(self):
        """Save the form."""
        self.page.locator(".o_form_button_save").click()
        self.settle()

    def duplicate(self):
        """Duplicate the record of the form."""
        before = self.page.url
        self.page.locator(".o_cp_action_menus button").first.click()
        self.page.locator(".o-dropdown-item").filter(has_text="Duplicate").click()
        expect(self.page).not_to_have_url(before)
        self.settle()

    def back(self):
        """Go back to where we came from."""
        self.page.go_back()
        self.settle()

    def reload_until(self, look, wanted, times=30):
        """Reload the page until ``look()`` says ``wanted``; it has time, for a reload is work."""
        for _time in range(times):
            self.page.wait_for_timeout(1500)
            self.page.reload()
            self.page.locator(".o_form_view").wait_for()
            self.settle()
            found = look()
            if found == wanted:
                return
        raise AssertionError(f"{wanted} did not come; {found}")

    def settle(self):
        """Wait until the page has been without a request for a moment."""
        quiet, deadline = 0, time.monotonic() + PATIENCE_MS / 1000
        while quiet < QUIET_ROUNDS:
            assert time.monotonic() < deadline, f"still loading: {self._under_way}"
            self.page.wait_for_timeout(60)
            quiet = 0 if self._under_way else quiet + 1
        expect(self.page.locator(".o_blockUI")).to_have_count(0)

    # === LOOK === #

    def field(self, name):
        """The visible widget of a field."""
        return self.page.locator(f".o_field_widget[name={name}]").filter(visible=True).first

    def rows(self, text=""):
        """The rows of the visible list that contain ``text``."""
        return self.page.locator(".o_data_row").filter(has_text=text).filter(visible=True)

    def sees(self, text):
        """The words are on screen."""
        expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()

    def sees_notification(self, text, kind="success"):
        """A notification of this colour says ``text``; it is closed when it was read."""
        shown = self.page.locator(".o_notification").filter(has_text=text)
        expect(shown).to_be_visible()
        expect(shown.locator(f".o_notification_bar.bg-{kind}")).to_be_visible()
        return shown

    def close_notifications(self):
        """Close them, for they cover buttons."""
        closers = self.page.locator(".o_notification .o_notification_close")
        while closers.count():
            closers.first.click()
            self.page.wait_for_timeout(300)

    def refusal(self, name):
        """What Odoo says instead of doing it: pictured, closed and returned."""
        dialog = self.page.locator(".o_dialog .o_error_dialog")
        dialog.wait_for()
        words = dialog.locator(".modal-body").inner_text()
        assert "technical details" not in words, words
        self.page.screenshot(path=self.pictures / f"{name}.png")
        dialog.get_by_role("button", name="Close").last.click()
        expect(dialog).to_have_count(0)
        return words

    def picture(self, name):
        """Keep what is on screen; error dialogs are complaints."""
        self.settle()
        self.page.screenshot(path=self.pictures / f"{name}.png")
        for dialog in self.page.locator(".o_error_dialog").all():
            self.complaints.append(f"{name}: {dialog.inner_text()}")
