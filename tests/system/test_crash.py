"""A server may be killed anywhere: nothing is lost, nothing stays stuck, nothing is done twice.

A worker kills itself at a named point with a probability; the vendor misbehaves at the same time.
"""

import pytest

from tests.soak import only_in_soak
from tests.system.work import complaints

# How likely each point kills, so that some ten kills happen whatever the seed.
POINTS = {
    "after_claim": 0.3,
    "before_send": 0.08,
    "after_send": 0.08,
    "before_answered": 0.25,
    "before_done": 0.15,
}
SEEDS = 3
FAULTS = (
    {"kind": "429", "retry_after": 1, "probability": 0.05},
    {"kind": "500", "probability": 0.05},
    {"kind": "act_then_timeout", "delay_ms": 1500, "probability": 0.05},
    {"kind": "act_then_500", "probability": 0.03},
)
# Odoo's own words about a scheduled action whose worker was killed three times in a row.
EXPECTED = (" timed out ",)


def runs():
    """(point, seed): each point once; with SOAK, each with some seeds."""
    for point in POINTS:
        for seed in range(1, SEEDS + 1):
            marks = [only_in_soak("one seed is enough")] if seed > 1 else []
            yield pytest.param(point, seed, marks=marks, id=f"{point}-{seed}")


@pytest.mark.parametrize(("point", "seed"), runs())
def test_killed_at_a_point(point, seed, odoo_factory, work, sandbox, soak):
    """Killed at ``point`` over and over, every job ends, and the vendor did everything once."""
    number = 400 if soak else 24
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.call_vendor_at(sandbox.base_url, read_timeout=1.0)
    server.kill()
    server.start(FINANCE_KILL_POINT=f"{point}:{POINTS[point]}:{seed}")
    sandbox.set_faults(*({**fault, "seed": seed, "match": "POST /echo$"} for fault in FAULTS))
    work.jobs(number, "echo", "echo")
    work.jobs(number // 4, "once", "once")
    work.jobs(number // 4, "blind", "blind")
    nudges = work.wait(1200 if soak else 240, nudge=3)
    while not (kills := server.read_log().count("was left behind by a dead lane")):
        work.jobs(number, "echo", "more")
        work.wait(60, nudge=3)
    done = sandbox.state("echo")["done"]
    jobs = work.value("SELECT count(*) FROM finance_job WHERE calls")
    print(f"{point}: {jobs} jobs, {kills} jobs recovered, {len(nudges)} times idle")
    check_repeatable(work.keys("echo"), done)
    check_once(work.keys("once"), done, finished=True)
    check_once(work.keys("blind"), done, finished=False)
    check_told(work)
    assert complaints(server.read_log(), EXPECTED) == []


def check_repeatable(jobs, done):
    """Each was done at the vendor, however often it was sent, and applied once."""
    for key, (job, text, state, applied) in jobs.items():
        assert (state, applied) == ("done", 1), f"job {job} ended {state}, applied {applied} times"
        assert done[key]["text"] == text


def check_once(jobs, done, finished):
    """Each was done at most once; what is said to be done was done."""
    for key, (job, text, state, applied) in jobs.items():
        times = done.get(key, {"times": 0})["times"]
        assert times <= 1, f"job {job} was done {times} times"
        assert state == "done" or (state == "uncertain" and not finished), f"job {job} is {state}"
        assert applied == (state == "done")
        assert state == "uncertain" or done[key] == {"times": 1, "text": text}


def check_told(work):
    """People are told of exactly what is uncertain; the evidence knows each end once."""
    uncertain = work.column("SELECT id FROM finance_job WHERE state = 'uncertain'")
    assert sorted(work.exceptions("job.uncertain", "job.dead")) == sorted(uncertain)
    ends = work.rows(
        "SELECT data->>'uuid', count(*) FROM finance_audit_event WHERE kind = 'job.done' GROUP BY 1"
    )
    assert {times for _uuid, times in ends} == {1}
    effects = "SELECT count(*) FROM finance_job WHERE state = 'done' AND effect <> 'local'"
    assert len(ends) == work.value(effects)
    outcomes = work.rows(
        "SELECT DISTINCT j.state, k.outcome FROM finance_job j"
        " JOIN finance_job_key k ON k.job_uuid = j.uuid"
    )
    assert set(outcomes) <= {("done", "done"), ("uncertain", None)}
