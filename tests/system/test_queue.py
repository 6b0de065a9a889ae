"""One queue, many lanes: each job once, in order, and never two servers in each other's way."""

from tests.system.odoo_process import wait_until
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
