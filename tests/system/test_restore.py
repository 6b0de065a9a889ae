"""A dump from before is restored, in place or beside: nothing goes out twice, all of it is seen.

The vendor goes on knowing what it was sent; the database forgets it. How long ago the dump was made
is told by the dates in it, and by how much was sent since; nobody waits for an hour.
"""

import contextlib
import subprocess

import pytest

from tests.soak import the_rest_in_soak
from tests.system.odoo_process import wait_until
from tests.system.work import Work, complaints

# How old the dump is, and how many jobs of each kind were sent since.
GAPS = {"10 s": 1, "4 min": 4, "1 h": 16}
KINDS = ("echo", "once", "blind")
# The pause in which the dump was made is the test's own, and no part of the story.
AS_DUMPED = """
    UPDATE finance_mark SET held = false, at = at - interval '{gap}';
    UPDATE finance_job SET created_at = created_at - interval '{gap}',
           due_at = due_at - interval '{gap}', called_at = called_at - interval '{gap}',
           done_at = done_at - interval '{gap}';
"""
UNFINISHED = "SELECT id FROM finance_job WHERE state IN ('pending', 'calling') ORDER BY id"
HELD = "SELECT id FROM finance_job WHERE held_reason = 'restored' ORDER BY id"
SLOW = {"vendor": "echo", "match": "POST /echo$", "kind": "delay", "delay_ms": 2500}


class Life:
    """What happens before and after the dump, as the vendor and the database see it."""

    def __init__(self, work, server, sandbox, databases=None, file=None):
        self.work, self.server, self.sandbox = work, server, sandbox
        self.databases, self.file = databases, file
        self.invoices = 0
        work.rpc = server.rpc()
        work.call_vendor_at(sandbox.base_url)

    # === AT WORK === #

    def send(self, count):
        """Enqueue ``count`` jobs of each kind and as many invoices as a quarter of it."""
        jobs = [job for kind in KINDS for job in self.work.jobs(count, kind, kind)]
        self.invoice(max(1, count // 4))
        return jobs

    def invoice(self, count):
        """Post invoices, whose tax is then recorded at the engine."""
        rpc = self.work.rpc
        lines = [(0, 0, {"product_id": self._demo("demo_product_shelf"), "price_unit": 10})]
        values = {
            "move_type": "out_invoice",
            "partner_id": self._demo("demo_customer"),
            "invoice_date": "2026-03-31",
            "invoice_line_ids": lines,
        }
        rpc.call(
            "account.move", "action_post", rpc.call("account.move", "create", [values] * count)
        )
        self.invoices += count

    def call_tax_engine(self):
        """Point the demo connector at this test's engine."""
        connector = self._demo("demo_connector")
        values = {"local_url": f"{self.sandbox.base_url}/avatax"}
        self.work.rpc.call("finance.connector", "write", [connector], values)
        self.work.rpc.call("finance.connector", "action_test", [connector])

    def confirm_production(self):
        """Say in Settings that this is the production database."""
        settings = self.work.rpc.call("res.config.settings", "create", {})
        confirm = "action_finance_confirm_database"
        self.work.rpc.call("res.config.settings", confirm, [settings])

    def _demo(self, name):
        return self.work.value(
            "SELECT res_id FROM ir_model_data WHERE module = 'finance_tax_engine' AND name = %s",
            name,
        )

    def pause(self, paused):
        """Keep lanes from taking anything with an effect, or let them again."""
        self.work.rows("UPDATE finance_mark SET held = %s", paused)
        if not paused:
            self.work.jobs(1, "trivial")

    def live(self, gap):
        """Send; dump while some calls are under way and more is waiting; then send all of that."""
        self.call_tax_engine()
        self.send(2)
        self.work.wait(60)
        self.sandbox.set_faults(SLOW)
        self.pause(True)
        waiting = self.send(GAPS[gap])
        never = self.work.jobs(2, "once", "never")
        later = "UPDATE finance_job SET held_reason = %s WHERE state = 'pending'"
        self.work.rows(later, "later")
        self.pause(False)
        flying = self.work.jobs(1, "once", "flying") + self.work.jobs(1, "echo", "flying")
        wait_until(lambda: self.work.states(flying) == {"calling": 2}, 20, "calls")
        self.pause(True)
        self.work.rows(later, None)
        self.in_dump = self.work.column(UNFINISHED)
        self.dump()
        self.work.rpc.call("finance.job", "action_cancel", never)
        self.sandbox.clear_faults()
        self.pause(False)
        self.work.wait(60)
        assert self.work.states(flying + waiting) == {"done": len(flying + waiting)}

    # === BACK IN TIME === #

    def dump(self):
        """Dump the database as it is."""
        self._run("pg_dump", "-Fc", "-Z0", "-f", self.file, self.work.database)

    def restore(self, name, gap, *options):
        """Restore the dump into the database ``name``, with dates that are ``gap`` older."""
        self._run("pg_restore", "-j2", *options, "-d", name, self.file)
        self._run("psql", "-q", "-d", name, "-c", AS_DUMPED.format(gap=gap))

    def _run(self, *argv):
        done = subprocess.run(
            argv, env=self.databases.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def vendor(self):
        """What the vendors have: {key: times} and {document: status}."""
        done = self.sandbox.state("echo")["done"]
        documents = self.sandbox.state("avatax")["documents"]
        return (
            {key: found["times"] for key, found in done.items()},
            sorted((document["code"], document["status"]) for document in documents),
        )

    # === AFTERWARDS === #

    def wake_up(self):
        """New work comes: local work is done, and what has an effect waits. Returns the latter."""
        for kind in ("count", "echo", "count"):
            new = self.work.jobs(1, kind, "new")
            if kind == "count":
                wait_until(lambda jobs=new: self.work.states(jobs) == {"done": 1}, 90, "local work")
        waits = self.work.column(
            "SELECT id FROM finance_job WHERE state = 'pending' AND held_reason IS NULL"
        )
        assert len(waits) == 1
        return waits

    def check_held(self, reason, expected):
        """All that was unfinished in the dump is held, and people are told."""
        assert self.work.column(HELD) == expected
        rows = self.work.rows("SELECT reason, job_count, acknowledged_at FROM finance_restore")
        assert rows == [(reason, len(expected), None)]
        told = "SELECT (params->>'jobs')::int FROM finance_exception WHERE state = 'open' AND code = %s"
        assert sum(self.work.column(told, "restore.detected")) == len(expected)

    def acknowledge(self, button):
        """An administrator has read what happened."""
        restores = self.work.column("SELECT id FROM finance_restore")
        self.work.rpc.call("finance.restore", button, restores)
        self.work.wait(60)

    def decide(self):
        """Ask, record as done outside, or release, whatever fits."""
        rpc, work = self.work.rpc, self.work
        restores = work.column("SELECT id FROM finance_restore")
        rpc.call("finance.restore", "action_ask_all", restores)
        blind = work.column(f"{HELD.replace('ORDER', 'AND operation = %s ORDER')}", "test.blind")
        values = {"job_ids": [(6, 0, blind)], "reference": "seen at the vendor"}
        wizard = rpc.call("finance.job.done.outside", "create", values)
        rpc.call("finance.job.done.outside", "action_confirm", [wizard])
        rpc.call("finance.job", "action_release", work.column(HELD))
        work.wait(90, nudge=5)

    def check_end(self):
        """Every job is over, and the vendors have everything exactly once."""
        ends = "SELECT DISTINCT state FROM finance_job WHERE effect <> 'question'"
        assert self.work.column(ends) == ["done"]
        assert self.work.exceptions("restore.detected", "job.uncertain", "job.dead") == []
        done, documents = self.vendor()
        for kind in ("once", "blind"):
            keys = self.work.keys(kind)
            assert {key: done.get(key) for key in keys} == dict.fromkeys(keys, 1)
        assert self.work.keys("echo").keys() <= done.keys()
        codes = [code for code, status in documents if status == "Committed"]
        assert len(codes) == len(set(codes)) == self.invoices
        assert complaints(self.server.read_log()) == []


@pytest.mark.parametrize("gap", the_rest_in_soak(GAPS, "one gap is enough", "4 min"))
def test_restored(gap, odoo_factory, work, sandbox, databases, output, copies, afterwards):
    """Under another name beside the original, then in place of it."""
    server = odoo_factory(work.database).start()
    life = Life(work, server, sandbox, databases, output / "dump")
    life.confirm_production()
    life.live(gap)

    name = copies("template0")
    life.restore(name, gap)
    copy = odoo_factory(name, environment=server.variables).start()
    beside = Life(afterwards.enter_context(contextlib.closing(Work(name))), copy, sandbox)
    known = life.vendor()
    new = beside.wake_up()
    assert life.vendor() == known
    beside.check_held("elsewhere", life.in_dump)
    beside.acknowledge("action_confirm_production")
    assert beside.work.states(new) == {"done": 1}
    assert beside.work.column(HELD) == life.in_dump
    assert beside.work.column("SELECT database_name FROM finance_binding")[-1] == name
    assert work.rows("SELECT id FROM finance_restore") == []
    copy.kill()

    server.kill()
    life.restore(work.database, gap, "--clean", "--if-exists")
    server.start()
    known = life.vendor()
    new = life.wake_up()
    assert life.vendor() == known
    life.check_held("behind", life.in_dump)
    life.acknowledge("action_acknowledge")
    assert work.states(new) == {"done": 1}
    life.decide()
    life.check_end()


def test_killed_between_mark_and_call(odoo_factory, work, sandbox, output):
    """The file says that it was taken, the vendor never got it: no restore, and it is sent once."""
    url = f"{sandbox.base_url}/echo"
    work.rows("UPDATE finance_connector SET local_url = %s WHERE id = %s", url, work.connector)
    server = odoo_factory(work.database).start(FINANCE_KILL_POINT="before_send:1.0:1")
    work.rpc = server.rpc()
    jobs = work.jobs(1, "once")
    wait_until(lambda: "00000000000000000001 " in marks(output), 60, "the mark")
    server.kill()
    assert "done" not in work.states(jobs)
    assert sandbox.state("echo")["done"] == {}
    server.start()
    work.wait(100, nudge=1)
    assert work.states(jobs) == {"done": 1}
    assert [found["times"] for found in sandbox.state("echo")["done"].values()] == [1]
    assert work.rows("SELECT id FROM finance_restore") == []


COUNTED = """
from concurrent.futures import ThreadPoolExecutor
from odoo.addons.finance_connector_base.lanes.link import Link
from odoo.addons.finance_connector_base.lanes.queue import CLAIM_CALLS, Queue
connector = env["finance.connector"].search([("provider", "=", "test_echo")])
notes = env["finance.test.note"].create([{"connector_id": connector.id}] * 500)
notes._enqueue("test.echo")
env.cr.commit()
def drain(_lane):
    queue, taken = Queue(Link(env.cr.dbname)), []
    while claims := queue.claim(CLAIM_CALLS, 3):
        taken.append((claims[0].number, len(claims)))
    return taken
with ThreadPoolExecutor(4) as pool:
    result = sorted(pair for taken in pool.map(drain, range(4)) for pair in taken)
"""


def test_counted_exactly(odoo_factory, work):
    """Four lanes claim at once: no job without a number, no number twice, none left out."""
    total = 0
    for number, jobs in odoo_factory(work.database).shell(COUNTED):
        total += jobs
        assert number == total
    assert work.rows("SELECT number FROM finance_mark") == [(total,)] == [(500,)]


def marks(output):
    """What stands in the mark files of a test's databases."""
    return "".join(file.read_text() for file in output.glob("evidence-*/*.mark"))
