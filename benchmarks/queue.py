"""Our lanes beside OCA queue_job, both on one server, one database and one durable PostgreSQL.

Two web workers, four cron workers, fsync and synchronous commit on. Ours: two lanes of eight
threads, with keys, stored requests, exchanges, gate and audit. The peer: its real jobrunner with
``root:4``, from the package index. Each round runs both, on the same number of jobs with the same
effect on the same records.

BENCH_ONLY="trivial http latency cold recovery" measures a part; BENCH_PEER=0 leaves the peer out.
"""

import json
import os
import random
import sys
import time
import urllib.request
from uuid import uuid4

from benchmarks.lib import bench_odoo
from benchmarks.lib.cpu import CpuMeter
from benchmarks.lib.figures import Goal, alternate, printing
from scripts import odoo_cli, postgres
from scripts.console import Failure

PEER_NAME = "OCA queue_job 19.0"
DATABASE = "bench_queue"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 3))
TRIVIAL_JOBS = 2000
HTTP_JOBS = 1000
WARM_JOBS = 200
LATENCY_SAMPLES = 21
COLD_SAMPLES = 5
SLOW_JOBS = 40
LANES = 2
PARTS = os.environ.get("BENCH_ONLY", "trivial http latency cold recovery").split()


class Queue:
    """One of the two queues. Subclasses say how a job is enqueued and which table tells its end."""

    table = ""

    def __init__(self, here, meter, notes, vendor):
        self.here = here
        self.meter = meter
        self.notes = notes
        self.vendor = vendor

    def drain(self, kind, number):
        """Run ``number`` jobs of ``kind`` and return (jobs a second, CPU ms a job)."""
        last = self.last()
        with self.here.transaction() as env:
            self.enqueue(env, kind, number)
            cpu = self.meter.seconds()
            start = time.time()
            env.cr.commit()
        end = self.wait_for(last)
        seconds = self.meter.seconds() - cpu
        return number / (end - start), 1000 * seconds / number

    def latency(self):
        """Return the milliseconds from before a commit to the start of its one job."""
        last = self.last()
        with self.here.transaction() as env:
            note = self.enqueue(env, "stamp", 1)
            start = time.time()
            env.cr.commit()
        self.wait_for(last)
        stamp = self.here.one("SELECT answer FROM finance_test_note WHERE id = %s", note.id)
        return 1000 * (float(stamp) - start)

    def recovery(self):
        """Kill a worker in mid-job while others work; return the seconds until all is redone."""
        last, seen = self.last(), len(self.requests())
        with self.here.transaction() as env:
            self.enqueue(env, "slow", SLOW_JOBS)
            env.cr.commit()
        lost, killed_at = self._kill(seen)
        again = self._seen_again(lost, killed_at)
        self.wait_for(last)
        return max(again.values()) - killed_at

    def _kill(self, seen):
        while True:
            flying = [request for request in self.requests()[seen:] if not request["done"]]
            pids = {request["body"]["pid"] for request in flying}
            if len(pids) >= 2 and len(flying) >= self.at_once:
                break
            time.sleep(0.05)
        victim = flying[-1]["body"]["pid"]
        os.kill(victim, 9)
        return {r["body"]["key"] for r in flying if r["body"]["pid"] == victim}, time.time()

    def _seen_again(self, lost, killed_at):
        while True:
            requests = self.requests()
            again = {
                request["body"]["key"]: request["at"]
                for request in requests
                if request["at"] > killed_at and request["body"]["key"] in lost
            }
            if len(again) == len(lost):
                return again
            time.sleep(0.1)

    def requests(self):
        """What the vendor has logged."""
        with urllib.request.urlopen(f"{self.vendor}/log", timeout=5) as answer:
            return json.load(answer)

    def last(self):
        """The newest id of the queue's table."""
        return self.here.one(f"SELECT COALESCE(MAX(id), 0) FROM {self.table}")

    def wait_for(self, last):
        """Wait until all jobs after id ``last`` are done; return the time of it."""
        # The newest first, so that looking costs the measured server next to nothing.
        query = (
            f"SELECT (SELECT id FROM {self.table} WHERE id > %s AND state <> 'done'"
            " ORDER BY id DESC LIMIT 1) IS NULL"
        )
        return self.here.until(query, last)

    def sleep(self):
        """Wait until the queue has gone to sleep, if it ever does."""


class Ours(Queue):
    """Our lanes."""

    table = "finance_job"
    at_once = 12
    operations = {
        "trivial": "test.trivial",
        "http": "test.echo",
        "stamp": "bench.stamp",
        "slow": "bench.slow",
    }

    def enqueue(self, env, kind, number):
        """Enqueue and return the records."""
        notes = env["finance.test.note"].browse(self.notes[:number])
        notes._enqueue(self.operations[kind], revision=uuid4().hex)
        return notes

    def sleep(self):
        """No lane holds the lock by which others know it."""
        self.here.until(
            "SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s)",
            0x46494E01,
            what="a lane to go to sleep",
        )


class Peer(Queue):
    """OCA queue_job."""

    table = "queue_job"
    at_once = 2

    def enqueue(self, env, kind, number):
        """Enqueue and return the records."""
        notes = env["finance.test.note"].browse(self.notes[:number])
        arguments = (self.vendor,) if kind in ("slow", "http") else ()
        for note in notes:
            getattr(note.with_delay(), f"_peer_{'echo' if kind == 'http' else kind}")(*arguments)
        return notes


def measure_rate(figures, ours, peer, kind, number, names, goals, note):
    """Print the rate and the CPU of jobs of ``kind``."""
    mine, other = alternate(
        ROUNDS, lambda _n: ours.drain(kind, number), peer and (lambda _n: peer.drain(kind, number))
    )
    for index, (name, goal) in enumerate(zip(names, goals, strict=True)):
        figures.add(
            name,
            [pair[index] for pair in mine],
            peer=other and [pair[index] for pair in other],
            peer_name=PEER_NAME,
            less_is_better=index == 1,
            goal=goal,
            n=number,
            note=note,
        )


def trivial(figures, ours, peer, note):
    """Jobs that do nothing."""
    names = ("queue.trivial_jobs_per_s", "queue.cpu_ms_per_job")
    goals = (Goal("ratio", ">=", 6), Goal("ratio", ">=", 8))
    measure_rate(figures, ours, peer, "trivial", TRIVIAL_JOBS, names, goals, note)


def http(figures, ours, peer, note):
    """Jobs that call a vendor who takes 20 ms, and write the answer."""
    names = ("queue.http_jobs_per_s", "queue.http_cpu_ms_per_job")
    goals = (Goal("ratio", ">=", 6), None)
    measure_rate(figures, ours, peer, "http", HTTP_JOBS, names, goals, note)


def latency(figures, ours, peer, note):
    """One job on a quiet server, from before the commit to its start; work was done lately."""

    def sample(queue):
        time.sleep(random.uniform(0.2, 0.5))
        return queue.latency()

    goal = Goal("ours", "<=", 30)
    _latency(figures, ours, peer, note, "queue.start_latency_ms", LATENCY_SAMPLES, sample, goal)


def cold(figures, ours, peer, note):
    """The same when nothing was done for a while and our lanes are asleep."""

    def sample(queue):
        queue.sleep()
        return queue.latency()

    _latency(figures, ours, peer, note, "queue.cold_start_latency_ms", COLD_SAMPLES, sample, None)


def _latency(figures, ours, peer, note, name, samples, sample, goal):
    mine, other = alternate(samples, lambda _n: sample(ours), peer and (lambda _n: sample(peer)))
    spread = f"ours {min(mine):.0f} to {max(mine):.0f} ms" + (
        f", peer {min(other):.0f} to {max(other):.0f} ms" if other else ""
    )
    figures.add(
        name,
        mine,
        peer=other,
        peer_name=PEER_NAME,
        less_is_better=True,
        goal=goal,
        n=samples,
        note=f"{note}; p50; {spread}",
    )


def recovery(figures, ours, peer, note):
    """A worker is killed in mid-job while another one works."""

    def sample(queue):
        return queue.recovery()

    mine, other = alternate(ROUNDS, lambda _n: sample(ours), peer and (lambda _n: sample(peer)))
    figures.add(
        "queue.recovery_s",
        mine,
        peer=other,
        peer_name=PEER_NAME,
        less_is_better=True,
        goal=Goal("ours", "<=", 2),
        n=ROUNDS,
        note=f"{note}; until the last lost job has started again; worst {max(mine):.2f} s",
    )


def peer_folders():
    """Return (addons folder, library folder) of the peer; raise `Failure` when it can't be had."""
    if os.environ.get("BENCH_PEER") == "0":
        raise Failure("left out by BENCH_PEER=0")
    addons = bench_odoo.fetched("queue_job", "odoo-addon-queue_job==19.0.*")
    library = bench_odoo.fetched("queue_job_lib", "openupgradelib")
    return addons / "odoo" / "addons", library


def prepare(env, number, url):
    """Make the connector and the records that jobs work on; return the records' ids."""
    env["ir.config_parameter"].set_param("finance_connector.lanes", str(LANES))
    connectors = env["finance.connector"]
    connector = connectors.search([("provider", "=", "test_echo")], limit=1)
    values = {"environment": "local", "local_url": url}
    if connector:
        connector.write(values)
    else:
        connector = connectors.create({"name": "Echo", "provider": "test_echo", **values})
    notes = env["finance.test.note"].search([("connector_id", "=", connector.id)], limit=number)
    missing = [
        {"name": f"Note {index}", "connector_id": connector.id}
        for index in range(number - len(notes))
    ]
    notes += env["finance.test.note"].create(missing)
    env.cr.commit()
    return notes.ids


def main():
    """Measure and print."""
    with printing() as figures:
        cluster = postgres.server("bench")
        reason, folders, variables = "", (), {}
        try:
            addons, library = peer_folders()
            folders = (addons,)
            python_path = odoo_cli.environment(cluster).get("PYTHONPATH")
            variables["PYTHONPATH"] = os.pathsep.join(filter(None, [python_path, str(library)]))
            sys.path.append(str(library))
        except Failure as failure:
            reason = f"peer: {failure}"
        run(figures, cluster, folders, variables, reason)


def run(figures, cluster, folders, variables, reason):
    """Start everything, measure, stop everything."""
    path = bench_odoo.addons_path(*folders)
    environment = odoo_cli.environment(cluster, **variables)
    modules = ["finance_bench_queue", *(["queue_job"] if folders else [])]
    bench_odoo.database(cluster, DATABASE, modules, path, environment)
    arguments = [f"--addons-path={path}", f"--load=base,rpc,web{',queue_job' if folders else ''}"]
    server = bench_odoo.BenchServer(
        cluster, DATABASE, arguments, variables | {"ODOO_QUEUE_JOB_CHANNELS": "root:4"}
    )
    here = bench_odoo.Here(DATABASE, path)
    with bench_odoo.SlowVendor().start() as vendor, server:
        with here.transaction() as env:
            notes = prepare(env, max(TRIVIAL_JOBS, HTTP_JOBS), vendor.url)
        server.start()
        postmaster = here.postmaster()
        meter = CpuMeter([server.pid, postmaster], without=[here.backend()])
        ours = Ours(here, meter, notes, vendor.url)
        peer = Peer(here, meter, notes, vendor.url) if folders else None
        for queue in filter(None, (ours, peer)):
            for kind in ("trivial", "http"):
                queue.drain(kind, WARM_JOBS)
        note = "; ".join(filter(None, [bench_odoo.pg_config(here), reason]))
        for part in (trivial, http, latency, cold, recovery):
            if part.__name__ in PARTS:
                part(figures, ours, peer, note)


if __name__ == "__main__":
    main()
