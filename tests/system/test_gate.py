"""Rate limit and circuit breaker hold over all servers together, and cost no attempt."""

from datetime import datetime

import pytest

from tests.system.odoo_process import wait_until


@pytest.fixture
def servers(odoo_factory, work, sandbox):
    """Two servers on one database."""
    both = [odoo_factory(work.database).start() for _ in range(2)]
    work.rpc = both[0].rpc()
    work.call_vendor_at(sandbox.base_url)
    sandbox.forget_requests()
    return both


def times(sandbox, fault=None):
    """When requests that do something came in, in seconds, oldest first."""
    lines = [line for line in sandbox.requests("echo") if line["method"] == "POST"]
    return sorted(datetime.fromisoformat(line["at"]).timestamp() for line in lines)


@pytest.mark.usefixtures("servers")
def test_rate_over_two_servers(work, sandbox):
    """Never more than burst + rate * time, in any stretch of time; no attempt is lost."""
    rate, burst, number = 10, 5, 60
    work.rpc.call(
        "finance.connector", "write", [work.connector],
        {"rate_per_second": rate, "rate_burst": burst},
    )  # fmt: skip
    jobs = work.jobs(number, "echo")
    work.wait(60)
    calls = times(sandbox)
    assert len(calls) == number
    # A call may take a moment longer from the gate to the vendor than the next one.
    slack = 0.25
    for first in range(number):
        for last in range(first, number):
            allowed = burst + rate * (calls[last] - calls[first] + slack)
            assert last - first + 1 <= allowed, f"calls {first} to {last} came too fast"
    print(f"{number} calls in {calls[-1] - calls[0]:.1f} s at {rate}/s with a burst of {burst}")
    assert work.column("SELECT DISTINCT attempts FROM finance_job WHERE id = ANY(%s)", jobs) == [1]


@pytest.mark.usefixtures("servers")
def test_breaker_over_two_servers(work, sandbox):
    """Failures open it for all lanes; jobs wait; one probe closes it; everything is done.

    A vendor that counts our calls does not fail: what is beyond its quota waits, and nothing else.
    """
    limit = {"kind": "429", "match": "POST /echo$", "retry_after": 1, "times": 8}
    sandbox.set_faults(limit)
    limited = work.jobs(8, "echo", "limited")
    work.wait(60)
    assert sandbox.faults()[0]["hits"] == 8
    assert gate(work) == ("closed", 0, False)
    assert work.states(limited) == {"done": 8}
    assert work.value("SELECT last_failure_at FROM finance_gate WHERE connector_id = %s",
                      work.connector) is None  # fmt: skip
    refused = work.value("SELECT SUM(attempts) FROM finance_job")
    sandbox.forget_requests()
    sandbox.set_faults({"kind": "500", "match": "POST /echo$"})
    jobs = work.jobs(20, "echo")
    wait_until(lambda: gate(work)[0] == "open", 30, "an open breaker")
    opened = len(times(sandbox))
    later = work.jobs(10, "echo", "later")
    sandbox.set_latency(300)
    wait_until(lambda: not work.column("SELECT 1 FROM finance_job WHERE worker IS NOT NULL"), 10)
    sent = len(times(sandbox))
    assert sent <= opened + 16, "calls go on behind an open breaker"
    assert work.states(later) == {"pending": 10}
    assert work.value("SELECT SUM(attempts) FROM finance_job WHERE id = ANY(%s)", later) == 0
    assert work.value("SELECT SUM(attempts) FROM finance_job") - refused == sent
    sandbox.clear_faults()
    wait_until(lambda: gate(work)[0] == "closed", 60, "the probe", pause=0.02)
    calls = times(sandbox)
    assert len(calls) == sent or calls[sent + 1 :] == [] or calls[sent + 1] - calls[sent] >= 0.25, (
        "more than one probe"
    )
    sandbox.set_latency(0)
    work.wait(60)
    assert work.states(jobs + later) == {"done": 30}
    print(f"open after {opened} calls, closed {calls[sent] - calls[sent - 1]:.1f} s after the last")


@pytest.mark.usefixtures("servers")
def test_stop_button(work, sandbox):
    """Stopped: nothing goes out and no attempt is counted. Resumed: at once everything does."""
    work.rpc.call("finance.connector", "action_pause", [work.connector])
    jobs = work.jobs(10, "echo")
    marker = work.jobs(10, "count")
    wait_until(lambda: work.states(marker) == {"done": 10}, 30, "the work of others")
    assert work.states(jobs) == {"pending": 10}
    assert work.value("SELECT SUM(attempts) FROM finance_job WHERE id = ANY(%s)", jobs) == 0
    assert times(sandbox) == []
    work.rpc.call("finance.connector", "action_resume", [work.connector])
    work.enqueue(work.notes(1, "nudge", False), "trivial")
    wait_until(lambda: work.states(jobs) == {"done": 10}, 20, "the waiting work")


def gate(work):
    """(breaker, failures, stopped) of the connector."""
    return work.rows(
        "SELECT breaker, failures, stopped FROM finance_gate WHERE connector_id = %s",
        work.connector,
    )[0]
