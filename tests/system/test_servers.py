"""The helpers themselves: a server starts, answers, loses a worker, crashes and comes back."""

import pytest

from tests.system.odoo_process import wait_until


@pytest.fixture
def server(odoo_factory, database):
    """A started server without sandbox."""
    return odoo_factory(database).start()


def test_server_survives_crashes(server, databases):
    """Workers respawn after SIGKILL; the whole server restarts on the same port and database."""
    assert server.rpc().call("res.users", "search_count", [["login", "=", "accountant"]]) == 1
    assert server.shell("result = env.user.login") == "__system__"
    crons, webs = server.worker_pids("cron"), server.worker_pids("http")
    assert len(crons) == 4 and len(webs) == 2
    server.kill_worker(crons[0])
    wait_until(lambda: len(set(server.worker_pids("cron")) - {crons[0]}) == 4, 20, "a new worker")
    server.kill()
    assert not server.running() and server.worker_pids() == []
    server.start()
    assert server.rpc("accountant").uid
    assert databases.sql(server.database, "SELECT 1").strip() == "1"
