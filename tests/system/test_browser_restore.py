"""Somebody restores a backup: what an administrator and a controller see and do about it."""

import pytest
from playwright.sync_api import expect

from tests.system.browser import one_port
from tests.system.odoo_process import wait_until

pytestmark = pytest.mark.timeout(300)

# What a restore does to the database; the file beside it stays as it is.
GO_BACK = """
    UPDATE finance_job SET state = 'pending', attempts = 0, called_at = NULL, done_at = NULL,
           answer_sealed = NULL WHERE calls;
    UPDATE finance_mark SET number = 0;
"""


@pytest.fixture
def url(odoo_factory, work, sandbox):
    """A server that has sent three jobs and was then taken back to before."""
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.call_vendor_at(sandbox.base_url)
    work.jobs(2, "once", "invoice")
    work.jobs(1, "blind", "payment")
    work.wait(60)
    work.rows(GO_BACK)
    work.jobs(1, "trivial")
    wait_until(lambda: work.rows("SELECT id FROM finance_restore"), 90, "the restore")
    with one_port(server) as address:
        yield address


def test_held_after_a_restore(people, work, sandbox):
    """Read, acknowledge, ask about what can be asked, record the rest as done outside."""
    admin = people("admin")
    admin.open_app("Finance Connect")
    admin.menu("Evidence", "After a Restore")
    admin.open_row("Older than what it has sent")
    admin.sees("Since then 3 jobs were taken to be sent")
    expect(admin.rows("Test Note")).to_have_count(0)
    expect(admin.rows("invoice")).to_have_count(2)
    admin.picture("01-found")
    admin.press("Acknowledge")
    admin.picture("02-acknowledge")
    admin.press("Ok")
    assert sandbox_times(sandbox) == [1, 1, 1]
    admin.press("Ask about All")
    admin.press("Ok")
    held = "SELECT count(*) FROM finance_job WHERE held_reason IS NOT NULL"
    wait_until(lambda: work.value(held) == 1, 60, "answers about two of three")
    work.wait(60)
    admin.page.reload()
    expect(admin.rows()).to_have_count(1)
    admin.picture("03-asked")
    admin.rows("payment").locator("button", has_text="Done Outside").click()
    admin.fill("reference", "seen in the vendor's list")
    admin.picture("04-done-outside")
    admin.press("Record")
    admin.sees("Nothing is held any more")
    admin.picture("05-over")
    assert work.unfinished() == []
    assert work.column(
        "SELECT DISTINCT state FROM finance_job WHERE calls AND effect = 'once'"
    ) == ["done"]
    assert sandbox_times(sandbox) == [1, 1, 1]
    admin.menu("Exceptions")
    assert work.exceptions("restore.detected") == []


def sandbox_times(sandbox):
    """How often the vendor did each job."""
    return sorted(found["times"] for found in sandbox.state("echo")["done"].values())
