"""One queue, many lanes: each job once, in order, and never two servers in each other's way."""

from datetime import datetime

from tests.system.odoo_process import wait_until
from tests.system.test_recovery import LANE_LOCK
from tests.system.work import complaints


def test_two_servers_drain_one_queue(odoo_factory, work, soak):
    """Two servers on one database apply each job exactly once; no conflict reaches the log."""
    number = 5000 if soak else 1000
    servers = [odoo_factory(work.database).start() for _ in range(2)]
    work.rpc = servers[0].rpc()
    jobs = work.jobs(number, "count")
    work.wait(600 if soak else 90)
    assert work.states() == {"done": number}
    assert work.column("SELECT DISTINCT applied FROM finance_test_note") == [1]
    assert len(jobs) == number
    for server in servers:
        assert complaints(server.read_log()) == []


AWAKE = """
    SELECT count(*) FROM pg_locks
     WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def test_each_burst_has_two_lanes(odoo_factory, work, sandbox):
    """The one lane that stays awake after a burst gets help with the next one, too."""
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.call_vendor_at(sandbox.base_url)
    sandbox.set_latency(200)
    # What wakes lanes once a minute must not be taken for help.
    work.rows("UPDATE ir_cron SET nextcall = nextcall + interval '1 hour'")
    for burst in range(2):
        jobs = work.jobs(80, "echo")
        wait_until(lambda: work.value(AWAKE, LANE_LOCK) > 1, 20, f"help with burst {burst}")
        wait_until(lambda jobs=jobs: work.states(jobs) == {"done": 80}, 30, "its end")
        wait_until(lambda: work.value(AWAKE, LANE_LOCK) == 1, 20, "the one that stays awake")


CLAIM = """
from odoo.addons.finance_connector_base.lanes.link import Link
from odoo.addons.finance_connector_base.lanes.queue import CLAIM_CALLS, CLAIM_LOCAL, Queue
connector = env["finance.connector"].search([("provider", "=", "test_echo")])
def enqueue(number, operation):
    notes = env["finance.test.note"].create(
        [{"name": str(n), "connector_id": connector.id} for n in range(number)])
    notes._enqueue(operation)
    env.cr.commit()
queue = Queue(Link(env.cr.dbname))
result = {}
for name, operation, claim in (("local", "test.count", CLAIM_LOCAL),
                               ("calls", "test.echo", CLAIM_CALLS)):
    enqueue(1, operation)
    env.cr.execute("ANALYZE finance_job")
    env.cr.commit()
    enqueue(1000, operation)
    taken = [len(queue.claim(claim, 50)) for _ in range(2)]
    env.cr.execute("SELECT count(*) FROM finance_job WHERE worker IS NOT NULL")
    result[name] = [*taken, env.cr.fetchone()[0]]
"""


def test_claim_takes_no_more_than_asked(odoo_factory, work):
    """With statistics that know of one job, 50 of 1,001 are 50."""
    taken = odoo_factory(work.database).shell(CLAIM)
    assert taken == {"local": [50, 50, 100], "calls": [50, 50, 200]}


def test_streams_keep_their_order(odoo_factory, work, sandbox):
    """Over all lanes, the jobs of one document reach the vendor one after the other, in order."""
    streams, steps = 12, 5
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.call_vendor_at(sandbox.base_url)
    sandbox.set_latency(20)
    sandbox.forget_requests()
    notes = work.notes(streams)
    for step in range(steps):
        for position, note in enumerate(notes):
            work.rpc.call("finance.test.note", "write", [note], {"name": f"{position}:{step}"})
        work.enqueue(notes, "echo", revision=step)
    work.wait(60)
    assert work.states() == {"done": streams * steps}
    lanes = set()
    for position in range(streams):
        calls = [call for call in _calls(sandbox) if call["stream"] == position]
        assert [call["step"] for call in calls] == list(range(steps))
        ends = [call["start"] + call["seconds"] for call in calls]
        # The log's clock has milliseconds.
        assert all(end <= call["start"] + 0.002 for end, call in zip(ends, calls[1:], strict=False))
        lanes.add(position)
    assert len(lanes) == streams


def _calls(sandbox):
    """The requests that did something, oldest first."""
    calls = []
    for line in sandbox.requests("echo"):
        if line["method"] == "POST":
            stream, step = line["body"]["text"].split(":")
            start = datetime.fromisoformat(line["at"]).timestamp()
            calls.append(
                {
                    "stream": int(stream),
                    "step": int(step),
                    "start": start,
                    "seconds": line["duration_ms"] / 1000,
                }
            )
    return calls


def test_a_stream_waits_behind_what_ended_badly(odoo_factory, work, sandbox):
    """Behind a stopped or uncertain job of the same document nothing runs, until people decide."""
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.call_vendor_at(sandbox.base_url)
    refused, blind = work.notes(1, "refuse"), work.notes(1, "blind")
    (stopped,) = work.enqueue(refused, "echo")
    work.wait(30)
    sandbox.set_faults({"kind": "act_then_500", "match": "POST /echo$", "times": 1})
    work.enqueue(blind, "blind")
    work.wait(30)
    (uncertain,) = work.column("SELECT id FROM finance_job WHERE operation = 'test.blind'")
    for note in (*refused, *blind):
        work.rpc.call("finance.test.note", "write", [note], {"name": "later"})
    waiting = [
        *work.enqueue(refused, "echo", revision=1),
        *work.enqueue(blind, "blind", revision=1),
    ]
    others = work.jobs(10, "echo")
    wait_until(lambda: work.states(others) == {"done": 10}, 30, "the work of others")
    assert work.states([stopped]) == {"dead": 1} and work.states([uncertain]) == {"uncertain": 1}
    assert work.exceptions("job.rejected") == [stopped]
    assert work.exceptions("job.uncertain") == [uncertain]
    assert work.states(waiting) == {"pending": 2}

    work.rpc.call("finance.job", "action_cancel", [stopped])
    wizard = work.rpc.call(
        "finance.job.done.outside", "create",
        [{"job_ids": [(6, 0, [uncertain])], "reference": "seen at the vendor"}],
    )  # fmt: skip
    work.rpc.call("finance.job.done.outside", "action_confirm", wizard)
    work.enqueue(work.notes(1, "nudge", False), "trivial")
    wait_until(lambda: work.states(waiting) == {"done": 2}, 30, "what waited")
    assert work.exceptions("job.rejected", "job.uncertain") == []
    assert sandbox.state("echo")["done"][_key(work, uncertain)]["times"] == 1


def _key(work, job):
    return work.value("SELECT key FROM finance_job WHERE id = %s", job)
