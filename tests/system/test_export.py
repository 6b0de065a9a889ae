"""Exports among real transactions: nothing is lost to a late commit, a crash or a half delivery."""

import io
import json
import os
from pathlib import Path

import pytest

from sandbox.warehouse import TOKEN
from tests.door import Door
from tests.system.work import Table

HERE = Path(__file__).parent
WORLD = (HERE / "export_world.py").read_text()
REMOTE = (HERE / "export_remote.py").read_text()
# Where a process dies, and with which chance each time it comes by.
POINTS = {
    "after_claim": 1,
    "export_snapshot": 1,
    "export_file": 1,
    "export_written": 1,
    "before_done": 0.5,
    "export_parcel": 0.5,
    "before_answered": 1,
}


@pytest.fixture
def server(odoo_factory, database):
    """No server is started: its shells are the processes."""
    return odoo_factory(database)


def test_no_late_commit_is_lost(server, soak):
    """Whatever commits when, and with savepoints: the receiver's table is the ledger's."""
    seeds, steps = (range(20), 500) if soak else (range(2), 90)
    code = f"""
world = World(env)
env.cr.commit()
world.work()
result = []
for seed in {list(seeds)}:
    modes, done, wrong = interleave(world, seed, {steps})
    result.append([modes, done, wrong, len(world.received)])
"""
    told = server.shell(WORLD + code, timeout=3600)
    for modes, done, wrong, count in told:
        assert wrong == [], (modes, done)
        assert count > 0
    modes = [mode for told_modes, *_rest in told for mode in told_modes]
    assert modes[0] == "full"
    assert set(modes[1:]) == {"incremental"}
    kinds = {kind for _modes, done, *_rest in told for kind in done}
    assert {"post", "label", "delete", "reset", "sql_reset", "reconcile", "remove"} <= kinds


def test_a_snapshot_does_not_know_savepoints(database):
    """Why PostgreSQL's own answer is not enough: what a savepoint wrote, it takes for seen.

    The row's number is of the subtransaction, above its transaction's, which the snapshot lists.
    """
    writer, reader = Table(database), Table(database)
    writer.rows("CREATE TABLE late (id int)")
    writer.rows("BEGIN")
    writer.rows("INSERT INTO late VALUES (1)")
    writer.rows("SAVEPOINT here")
    writer.rows("INSERT INTO late VALUES (2)")
    writer.rows("RELEASE SAVEPOINT here")
    # a later transaction that ends moves the snapshot's upper bound above the savepoint's number
    reader.rows("CREATE TABLE meanwhile (id int)")
    snapshot = reader.value("SELECT pg_current_snapshot()::text")
    assert reader.column("SELECT id FROM late") == []
    writer.rows("COMMIT")
    unseen = "SELECT id FROM late WHERE NOT pg_visible_in_snapshot(xmin::text::xid8, %s) ORDER BY 1"
    since_xmin = """
        SELECT id FROM late
         WHERE xmin::text::bigint >= pg_snapshot_xmin(%s::pg_snapshot)::text::bigint ORDER BY 1
    """
    assert reader.column(unseen, snapshot) == [1]
    assert reader.column(since_xmin, snapshot) == [1, 2]
    writer.close()
    reader.close()


def test_killed_anywhere(server, soak, tmp_path):
    """At every point, several times: no incomplete batch looks complete, none is lost or doubled."""
    times = 12 if soak else 3
    code = f"""
world = World(env, {str(tmp_path)!r})
env.cr.commit()
world.work()
draw = random.Random(7)
session = Session(world, 0, draw)
result = {{"kills": 0, "numbers": [], "wrong": None, "states": []}}
for turn in range({times}):
    for point, chance in {json.dumps(POINTS)}.items():
        for _change in range(3):
            session.step()
        session.end(commit=True)
        run = world.start(world.changes)
        result["kills"] += killed_at(world, point, chance, turn)
        complete_batches(world)
        finish(world, run)
        result["states"].append(world.told(run)[0])
batches = complete_batches(world)
for number, (mode, rows) in sorted(batches.items()):
    world.receive(rows, mode == "full")
result["numbers"] = sorted(batches)
result["wrong"] = world.differences()
"""
    told = server.shell(WORLD + code, timeout=3600)
    runs = times * len(POINTS)
    assert set(told["states"]) == {"delivered"}
    assert told["numbers"] == list(range(1, runs + 1))
    assert told["wrong"] == []
    assert told["kills"] >= (20 if not soak else 70)


def test_killed_while_a_receiver_elsewhere_is_sent_to(server, soak, sandbox, copies, tmp_path):
    """SFTP, HTTPS, PostgreSQL: each batch arrives once and whole, and the watermark after it."""
    paramiko = pytest.importorskip("paramiko", reason="optional: paramiko is not installed")
    from tests.sftp_server import SftpServer

    plans = ["sending", "before_answered"]
    if soak:
        plans = 5 * [*plans, "sending", "export_parcel", "before_done", "sending"]
    warehouse, key, text = copies("template0"), paramiko.ECDSAKey.generate(), io.StringIO()
    key.write_private_key(text)
    door = Door(os.path.join(os.environ["PGHOST"], f".s.PGSQL.{os.environ['PGPORT']}"))
    with SftpServer(tmp_path, key, "loader") as sftp:
        door_url = f"postgresql://127.0.0.1:{door.port}/{warehouse}"
        signed = {"user": "loader", "private_key": text.getvalue(), "host_key": sftp.host_key}
        code = f"""
world = World(env)
world.remote_folder = {str(tmp_path)!r}
env.cr.commit()
world.work()
remotes = [
    Sftp(world, "by-sftp", "export_sftp", "sftp://127.0.0.1:{sftp.port}/", **{signed!r}),
    Https(world, "by-https", "export_https", "{sandbox.base_url}/warehouse", {TOKEN!r}),
    Warehouse(world, "by-copy", "export_postgres", {door_url!r}, {warehouse!r}),
]
draw = random.Random(11)
session = Session(world, 0, draw)
result = [deliveries(remote, draw, session, {plans!r}) for remote in remotes]
"""
        told = server.shell(WORLD + REMOTE + code, timeout=3600)
    door.close()
    for seen in told:
        assert (seen["wrong"], seen["differences"]) == ([], [])
        assert seen["numbers"] == list(range(1, len(plans) + 1))
        assert seen["kills"] == len(plans)
