"""Fixtures for tests with real servers: a database per test, Odoo processes, the sandbox.

Nothing here imports odoo: what a test wants to know it asks over RPC or in SQL.
"""

import contextlib
import os
import uuid
from pathlib import Path

import pytest
from passlib.hash import pbkdf2_sha512

from scripts import postgres
from scripts.databases import Databases
from scripts.paths import TEST_OUTPUT, ensure
from tests.soak import SOAK
from tests.system.browser import Person, chromium, one_port
from tests.system.odoo_process import OdooServer
from tests.system.work import PREPARE, Work


@pytest.fixture(scope="session")
def cluster():
    """The throw-away PostgreSQL that all databases of a run live in."""
    with postgres.server("test") as running:
        os.environ.update(running.environment)
        yield running


@pytest.fixture(scope="session")
def databases(cluster):
    """Copy, drop and query databases: see ``scripts.databases.Databases``."""
    return Databases(cluster)


@pytest.fixture(scope="session")
def template(databases, request):
    """Name of a database with the whole suite and demo data; copy it, never connect to it."""
    browsers = any(_has_browser(item.fixturenames) for item in request.session.items)
    return databases.with_bundles() if browsers else databases.template()


def _has_browser(fixtures):
    return "pictures" in fixtures


@pytest.fixture
def afterwards():
    """An ``ExitStack`` that is closed when the servers of the test have stopped."""
    with contextlib.ExitStack() as stack:
        yield stack


# Each process would spend a third of a second on the passwords of the demo data. See the addon
# ``finance_test_server``.
QUICK_PASSWORDS = "; ".join(
    f"UPDATE res_users SET password = '{pbkdf2_sha512.using(rounds=1).hash(login)}'"
    f" WHERE login = '{login}'"
    for login in ("accountant", "admin", "demo", "portal")
)


@pytest.fixture
def copies(databases, afterwards):
    """Make fresh copies of a database: ``copies(template)``; dropped after the test.

    Of ``template0`` the copy is empty.
    """

    def make(source):
        name = f"fc_sys_{uuid.uuid4().hex[:8]}"
        afterwards.callback(databases.drop, name)
        databases.copy(source, name)
        if source != "template0":
            databases.sql(name, QUICK_PASSWORDS)
        return name

    return make


@pytest.fixture
def database(copies, template):
    """A fresh copy of the template, dropped after the test."""
    return copies(template)


@pytest.fixture
def output(request):
    """A folder for what this test wants to keep: logs, screenshots."""
    return ensure(_output_folder(request.node.name))


def _output_folder(name):
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)
    return Path(os.environ.get("FINANCE_TEST_OUTPUT", TEST_OUTPUT)) / "system" / safe


@pytest.fixture
def odoo_factory(cluster, output, afterwards, request):
    """Make ``OdooServer`` objects, stopped after the test: ``odoo_factory(database, workers=2)``."""
    servers = []
    # Each worker warms up its own caches, and one is quick enough for whom we send.
    of_all = {"websockets": True, "workers": 1} if _has_browser(request.fixturenames) else {}

    def make(database, **options):
        number = len(servers) + 1
        log = output / f"odoo-{number}.log"
        log.unlink(missing_ok=True)
        server = OdooServer(cluster, database, log=log, **(of_all | options))
        servers.append(server)
        return server

    yield make
    for server in servers:
        # A polite end costs a second of CPU a worker; nothing here is worth it.
        if server.pid:
            server.kill()


@pytest.fixture
def odoo(odoo_factory, database, sandbox):
    """A started prefork Odoo on a fresh database, knowing the port of ``sandbox``."""
    port = sandbox.base_url.rpartition(":")[2]
    return odoo_factory(database, environment={"FINANCE_SANDBOX_PORT": port}).start()


# === BROWSER === #


@pytest.fixture
def pictures(output):
    """Where the pictures go: ``screenshots`` beside the log."""
    return ensure(output / "screenshots")


@pytest.fixture
def url(odoo):
    """Where people go; a test module that prepares its server has one of its own."""
    with one_port(odoo) as address:
        yield address


@pytest.fixture
def people(url, pictures):
    """``people("admin")``: a person with a window of their own, logged in.

    What the console complains about fails.
    """
    with chromium() as browser:
        present = []

        def arrive(login):
            present.append(Person(browser, url, pictures).log_in(login))
            return present[-1]

        yield arrive
        for number, person in enumerate(present, 1):
            person.picture(f"99-last-view-{number}")
        complaints = [complaint for person in present for complaint in person.complaints]
    assert not complaints


# === JOBS === #


# Bank lines of the demo data are matched by jobs of their own, which nobody counts here.
NO_OTHER_WORK = """
UPDATE ir_cron SET active = false FROM ir_model_data d
 WHERE d.model = 'ir.cron' AND d.res_id = ir_cron.id AND d.module = 'finance_bank_sync'
"""


@pytest.fixture(scope="session")
def jobs_template(cluster, databases, template, testrun_uid):
    """The template with the operations that only tests run, and a connector to call.

    One for all processes of a run, which drops it at its end.
    """
    name = f"fc_sys_jobs_{testrun_uid}"
    with databases.building():
        if databases.note(name) != "complete":
            databases.copy(template, name)
            databases.sql(name, NO_OTHER_WORK)
            OdooServer(cluster, name).shell(PREPARE)
            databases.annotate(name, "complete")
    yield name
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        databases.drop(name)


@pytest.fixture
def jobs_database(copies, jobs_template):
    """A fresh database for tests of the job engine."""
    return copies(jobs_template)


@pytest.fixture
def work(jobs_database, afterwards):
    """Notes and jobs of ``jobs_database``; give it an ``rpc`` session of a started server."""
    return afterwards.enter_context(contextlib.closing(Work(jobs_database)))


@pytest.fixture
def soak():
    """Whether the full n is wanted."""
    return SOAK
