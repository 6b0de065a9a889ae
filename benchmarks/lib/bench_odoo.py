"""Odoo under measurement: a durable database, a prefork server, and an environment of our own."""

import contextlib
import os
import sys
import time

import psutil
import psycopg2

from scripts import odoo_cli
from scripts.console import run_logged, step
from scripts.databases import Databases, suite_hash
from scripts.odoo_source import find_odoo
from scripts.paths import ADDONS, CACHE, PYTHON, ROOT, TEST_ADDONS
from scripts.processes import Odoo, Process

BENCH = CACHE / "bench"
BENCH_ADDONS = ROOT / "benchmarks" / "addons"


def addons_path(*more):
    """The addons folders of a measured server as Odoo's option wants them."""
    folders = (*find_odoo(fetch=False).addons, ADDONS, TEST_ADDONS, BENCH_ADDONS, *more)
    return ",".join(str(folder) for folder in folders)


def fetched(name, *requirements):
    """Install ``requirements`` from the package index into a folder of their own; return it.

    The environment of the suite stays as it is. Raises `scripts.console.Failure`.
    """
    folder = BENCH / name
    done = folder / ".complete"
    if not done.exists():
        with step(f"{', '.join(requirements)} from the package index"):
            pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps"]
            run_logged([*pip, "--upgrade", "--target", folder, *requirements], f"pip-{name}")
        done.touch()
    return folder


def database(cluster, name, modules, path, environment, demo=False):
    """Make sure that a database with ``modules`` is there and up to date."""
    databases = Databases(cluster)
    wanted = f"{suite_hash()} {','.join(modules)}"
    there = name in databases.names()
    if there and databases.note(name) == wanted:
        return name
    arguments = ["-d", name, f"--addons-path={path}", "-i", ",".join(modules)]
    if there and databases.note(name):
        arguments += ["-u", "finance_connector_base"]
    else:
        databases.drop(name)
    arguments += ["--with-demo"] if demo else []
    arguments += ["--stop-after-init", "--no-http", "--max-cron-threads=0"]
    with step(f"Database {name}: {', '.join(modules)}"):
        run_logged(odoo_cli.odoo(*arguments), f"install-{name}", cwd="/", env=environment)
    databases.annotate(name, wanted)
    return name


class BenchServer(Odoo):
    """A prefork Odoo with two web workers and four cron workers, started with ``arguments``."""

    def __init__(self, cluster, name, arguments, variables):
        super().__init__(cluster, name, log=BENCH / "odoo.log")
        self._arguments = arguments
        self._variables = variables

    def start(self):
        """Start and wait until it answers; returns itself."""
        self.log.unlink(missing_ok=True)
        return super().start("--log-level=warn", *self._arguments, **self._variables)


class SlowVendor(Process):
    """The server of ``slow_vendor.py`` on a free port."""

    name = "slow_vendor"

    def start(self):
        """Start and wait until it answers; returns itself."""
        port = odoo_cli.free_port()
        self.url = f"http://127.0.0.1:{port}"
        argv = [sys.executable, "-m", "benchmarks.lib.slow_vendor", str(port)]
        self.spawn(argv, None, ROOT)
        self.wait_for(f"{self.url}/health", 20)
        return self


class Here:
    """Odoo inside the measuring process: enqueues in transactions of its own and watches in SQL."""

    def __init__(self, name, path):
        from odoo.modules.registry import Registry
        from odoo.tools import config

        config.parse_config(["-d", name, f"--addons-path={path}", "--log-level=warn"])
        self._registry = Registry(name)
        self._watch = psycopg2.connect(dbname=name)
        self._watch.autocommit = True

    @contextlib.contextmanager
    def transaction(self):
        """Yield a superuser environment; nothing is committed by itself."""
        from odoo import SUPERUSER_ID, api

        with self._registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    def run_jobs(self):
        """Run the jobs that are due in a lane of this process, until none is left."""
        from odoo.addons.finance_connector_base.lanes.lane import Lane

        with self.transaction() as env, contextlib.closing(Lane(env)) as lane:
            # Not `run`, which stays awake for what comes next.
            while lane.turn():
                pass

    def sql(self, query, *values):
        """Run one statement beside Odoo; return its rows."""
        with self._watch.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else None

    def one(self, query, *values):
        """Return the one value of a query."""
        return self.sql(query, *values)[0][0]

    def backend(self):
        """Process id of the PostgreSQL backend that watches."""
        return self._watch.info.backend_pid

    def postmaster(self):
        """Process id of the PostgreSQL server; it has to be on this machine."""
        return psutil.Process(self.backend()).ppid()

    def until(self, query, *values, seconds=300, pause=0.05, what="the end of the jobs"):
        """Wait until the one value of ``query`` is true; return `time.time()` of that moment."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.one(query, *values):
                return time.time()
            time.sleep(pause)
        raise TimeoutError(f"{what} did not come within {seconds} s")


def pg_config(here):
    """Words on what the server does for durability, and on the machine: a busy one slows lanes
    more than web workers, because Odoo runs its cron workers at nice 10."""
    fsync, commit = here.one("SHOW fsync"), here.one("SHOW synchronous_commit")
    load = f"load {os.getloadavg()[0]:.1f} before the start"
    return f"fsync {fsync}, synchronous_commit {commit}, {os.cpu_count()} processors, {load}"
