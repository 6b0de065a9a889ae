"""Bank files with real workers: two at once, killed at any point, many lines."""

import resource

import pytest

from tests.soak import only_in_soak, the_rest_in_soak
from tests.system.odoo_process import wait_until
from tests.system.work import complaints

IBAN = "DE75512108001245126199"
KILLS = {"bank_staged": 0.5, "bank_created": 0.3, "before_done": 0.3}
EXPECTED = (" timed out ",)

# A journal, and files of ``count`` entries each; ``formats`` names how each file tells them.
RECEIVE = """
env["ir.config_parameter"].set_param("finance_bank_sync.lines_per_job", {chunk})
company = env.ref("base.main_company")
journal = env["account.journal"].search([("code", "=", "BSYS")]) or env["account.journal"].create(
    {{"name": "Bank", "code": "BSYS", "type": "bank", "company_id": company.id}})
if not journal.bank_account_id:
    journal.bank_account_id = env["res.partner.bank"].create(
        {{"acc_number": "DE75512108001245126199", "partner_id": company.partner_id.id}})
from odoo.addons.finance_bank_sync.tests import files
from datetime import timedelta
from tests.soak import only_in_soak, the_rest_in_soak
bookings = [
    files.Booking(f"{{number % 700 + 1}}.00", text=f"Invoice {{number}}",
                  end_to_end=f"E{{number}}", day=files.DAY + timedelta(days=number % 20))
    for number in range({first}, {first} + {count})
]
imports = env["finance.bank.import"]
for name in {formats}:
    currency = company.currency_id.name
    imports |= imports._receive(name, getattr(files, name)(bookings, currency=currency))
assert not imports.filtered("refusal"), imports.mapped("refusal_words")
env.cr.commit()
result = imports.ids
"""
# The demo data has imports of its own, which no job has made.
OURS = "journal_id = (SELECT id FROM account_journal WHERE code = 'BSYS')"
LINES = f"SELECT count(*) FROM account_bank_statement_line WHERE {OURS}"
STATES = "SELECT id, state, created_count, skipped_count FROM finance_bank_import WHERE rounds > 0"
DONE = "SELECT bool_and(state = 'done') FROM finance_bank_import WHERE rounds > 0"
WAITING = f"SELECT count(*) FROM finance_bank_entry WHERE state = 'received' AND {OURS}"
ORPHANS = f"""
SELECT count(*) FROM finance_bank_entry
 WHERE (state = 'created') <> (line_id IS NOT NULL) AND {OURS}
"""


def receive(server, count, formats, chunk=20, first=0):
    """Take files in, all in one transaction, so that their jobs begin together."""
    words = {"count": count, "formats": list(formats), "chunk": chunk, "first": first}
    return server.shell(RECEIVE.format(**words))


def check_once(work, count, skipped=0):
    """Each booking is one line, whichever file came first; the others were skipped."""
    assert work.value(LINES) == count
    told = work.rows(STATES)
    assert {state for _id, state, *_counts in told} == {"done"}
    assert sum(made for *_rest, made, _skipped in told) == count
    assert sum(left for *_rest, left in told) == skipped
    assert work.value(WAITING) == 0
    assert work.value(ORPHANS) == 0


def test_several_workers_and_files_of_the_same_days(odoo_factory, work):
    """The same file twice and the other format, all at once: each booking once."""
    server = odoo_factory(work.database, cron_threads=4)
    receive(server, 60, ("camt", "camt", "mt940"))
    server.start()
    work.rpc = server.rpc()
    # what waited before the start would be looked at after a minute
    work.enqueue(work.notes(1, "nudge", False), "trivial")
    wait_until(lambda: work.value(DONE), 120, "the end of the imports")
    check_once(work, 60, skipped=120)
    assert complaints(server.read_log()) == []


@pytest.mark.parametrize("point", the_rest_in_soak(KILLS, "one point is enough", "bank_created"))
def test_killed_in_the_middle(point, odoo_factory, work, soak):
    """Whatever is killed when: it goes on by itself, and nothing is entered twice."""
    count, chunk, seconds = (20_000, 400, 3600) if soak else (100, 10, 120)
    server = odoo_factory(work.database)
    receive(server, count, ("camt",), chunk)
    server.start(FINANCE_KILL_POINT=f"{point}:{KILLS[point]}:7")
    work.rpc = server.rpc()
    total = count
    work.wait(seconds, nudge=3)
    while not server.read_log().count("was left behind by a dead lane"):
        receive(server, count, ("camt",), chunk, first=total)
        total += count
        work.wait(seconds, nudge=3)
    check_once(work, total)
    assert complaints(server.read_log(), EXPECTED) == []


@only_in_soak("twenty thousand lines take minutes")
def test_twenty_thousand_lines(odoo_factory, work):
    """Memory is that of a chunk, however long the file is."""
    server = odoo_factory(work.database)
    receive(server, 20_000, ("camt",), 400)
    server.start()
    work.rpc = server.rpc()
    wait_until(lambda: work.value(DONE), 3600, "the end of the import", pause=5)
    check_once(work, 20_000)
    print(f"most memory of any child: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss} kB")
