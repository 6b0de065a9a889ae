"""A worker that dies is noticed, and what it was doing is done; what killed it is set aside."""

import re
import time

from tests.soak import only_in_soak
from tests.system.odoo_process import wait_until

LANE_LOCK = 0x46494E01
CALLERS = """
    SELECT DISTINCT j.worker, a.application_name FROM finance_job j
      JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = %s AND l.objid = j.worker
                     AND l.granted
      JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE j.state = 'calling'
"""


def callers(work):
    """(lane, process id of its worker) of all that are calling now."""
    rows = work.rows(CALLERS, LANE_LOCK)
    return [(lane, int(re.search(r"\d+", name).group())) for lane, name in rows]


def begun_again(work, job):
    """Whether ``job`` was begun a second time."""
    return work.value("SELECT attempts FROM finance_job WHERE id = %s", job) >= 2


def check_done_once(work, jobs, done):
    """All are done, each note was written once, and the vendor has all of them."""
    assert work.states(jobs) == {"done": len(jobs)}
    assert work.column("SELECT DISTINCT applied FROM finance_test_note WHERE applied > 0") == [1]
    assert all(key in done for key in work.keys("echo"))


def test_recovered_while_others_work(odoo_factory, work, sandbox):
    """A worker dies in mid-call; another lane, at work, takes its jobs over."""
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.call_vendor_at(sandbox.base_url)
    seconds, taken = [], []
    held = "SELECT id FROM finance_job WHERE worker = %s"
    for _round in range(3):
        sandbox.set_latency(1500)
        jobs = work.jobs(40, "echo")
        wait_until(lambda: len(callers(work)) > 1, 20, "two lanes", pause=0.01)
        lane, pid = wait_until(lambda: next(iter(callers(work)), None), 20, "a call", pause=0.01)
        killed = time.monotonic()
        server.kill_worker(pid)
        taken.append(len(work.column(held, lane)))
        wait_until(lambda w=lane: not work.column(held, w), 65, "recovery", pause=0.02)
        seconds.append(time.monotonic() - killed)
        sandbox.set_latency(5)
        work.wait(90)
        check_done_once(work, jobs, sandbox.state("echo")["done"])
    assert sum(taken), "nobody was killed in mid-call"
    print(f"{taken} calls under way;", end=" ")
    print("recovered after", ", ".join(f"{value:.2f} s" for value in seconds))


@only_in_soak("waits for a minute")
def test_recovered_when_idle(odoo_factory, work, sandbox):
    """All lanes die and nothing else happens: the next scheduled look finds the job."""
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.call_vendor_at(sandbox.base_url)
    sandbox.set_latency(3000)
    jobs = work.jobs(1, "echo")
    wait_until(lambda: callers(work), 20, "the call", pause=0.01)
    killed = time.monotonic()
    for pid in server.worker_pids("cron"):
        server.kill_worker(pid)
    wait_until(lambda: begun_again(work, jobs[0]), 100, "recovery", pause=0.05)
    print(f"recovered after {time.monotonic() - killed:.1f} s on an idle server")
    work.wait(60)
    check_done_once(work, jobs, sandbox.state("echo")["done"])


def test_poison(odoo_factory, work, sandbox):
    """Two jobs that kill whoever touches them end stopped, and everybody else's work is done."""
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.call_vendor_at(sandbox.base_url)
    work.policy(max_attempts=5)
    started = time.monotonic()
    poison = work.jobs(1, "poison") + work.jobs(1, "poison_call")
    others = work.jobs(30, "echo") + work.jobs(30, "count")
    work.wait(200, nudge=5)
    print(f"poison set aside after {time.monotonic() - started:.0f} s")
    assert work.states(poison) == {"dead": 2}
    assert sorted(work.exceptions("job.dead")) == sorted(poison)
    check_done_once(work, others, sandbox.state("echo")["done"])
    assert work.value("SELECT attempts FROM finance_job WHERE id = %s", poison[1]) == 6
    # both call once or twice beside others; then nobody else pays for them
    assert work.value("SELECT max(attempts) FROM finance_job WHERE id = ANY(%s)", others) <= 4
