"""Databases with the suite: the demo database, and a template that every test run copies.

A template's name is a hash of what went into it, so it is built again exactly when a manifest,
a view, data or a model changed. Below it lies a base without our addons, built once per Odoo.
"""

import ast
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess

from . import odoo_cli
from .console import Failure, run_logged, step
from .odoo_source import find_odoo
from .paths import ADDONS, CACHE, DATA, ROOT, ensure

BASE_MODULES = ("account", "sale_management")
# Folders of an addon that no database depends on.
NOT_INSTALLED = {"tests", "static", "doc", "docs", "readme", "__pycache__"}
KEPT_TEMPLATES = 2
READY = "the database is ready"
# Archived until a test takes one, so that nobody else meets them; after Odoo has, with the commit,
# looked after them once more.
COMPANIES = """
companies = env["res.company"]
for country in (env.ref("base.us"), env["res.country"]):
    for number in (1, 2):
        name = f"Ready-made {country.code or 'anywhere'} {number}"
        company = env["res.company"].create({"name": name, "country_id": country.id})
        charts = env["account.chart.template"]
        charts.try_loading(charts._guess_chart_template(country), company, install_demo=False)
        company.account_fiscal_country_id = company.account_fiscal_country_id or env.ref("base.us")
        companies |= company
env.cr.commit()
companies.active = False
"""
# What the first page of each copy would otherwise make again: ten seconds.
BUNDLES = """
for bundle in ("web.assets_web", "web.assets_frontend", "web.assets_frontend_minimal",
               "web.assets_frontend_lazy", "web.assets_web_print"):
    for kind in ("css", "js"):
        wanted = {"css": kind == "css", "js": kind == "js"}
        getattr(env["ir.qweb"]._get_asset_bundle(bundle, **wanted), kind)()
"""


def finance_addons():
    """Technical names of the suite's installable addons."""
    manifests = sorted(ADDONS.glob("finance_*/__manifest__.py"))
    return [file.parent.name for file in manifests if _manifest(file).get("installable", True)]


def _manifest(file):
    try:
        return ast.literal_eval(file.read_text())
    except (SyntaxError, ValueError) as error:
        raise Failure(f"{file.relative_to(ROOT)} is no valid manifest: {error}.") from error


def suite_hash():
    """A hash of everything in the addons that a database depends on."""
    digest = hashlib.sha256()
    for addon in finance_addons():
        for file in sorted((ADDONS / addon).rglob("*")):
            if file.is_file() and not NOT_INSTALLED & set(file.relative_to(ADDONS).parts):
                digest.update(f"{file.relative_to(ADDONS)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


class Databases:
    """The databases of one PostgreSQL server, by its client programs."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.environment = odoo_cli.environment(cluster)

    # === WHAT THERE IS === #

    def names(self):
        """Names of all databases that are no templates of PostgreSQL itself."""
        rows = self.sql("postgres", "SELECT datname FROM pg_database WHERE NOT datistemplate")
        return rows.split()

    def note(self, name):
        """The note that ``annotate`` left on a database; empty when there is none."""
        question = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = "
        return self.sql("postgres", f"{question}'{name}'").strip()

    def annotate(self, name, text):
        """Leave a note on a database: what it was built from, once it is complete."""
        self.sql("postgres", f"COMMENT ON DATABASE \"{name}\" IS '{text}'")

    def sql(self, database, statement):
        """Run one statement; returns psql's unaligned output."""
        psql = ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement]
        done = subprocess.run(psql, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"PostgreSQL said: {done.stderr.strip()}")
        return done.stdout

    # === COPY AND DROP === #

    def copy(self, source, name):
        """Copy a database and its filestore; nobody may be connected to ``source``."""
        self.drop(name)
        self._client("createdb", "-T", source, name)
        store = DATA / "filestore"
        if (store / source).is_dir():
            # Files in the store are named by their content and never change: links will do.
            shutil.copytree(store / source, store / name, copy_function=os.link)
        return name

    def drop(self, name):
        """Drop a database, its connections and its filestore."""
        self._client("dropdb", "--if-exists", "--force", name)
        shutil.rmtree(DATA / "filestore" / name, ignore_errors=True)

    def _client(self, *argv):
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"{argv[0]} said: {done.stderr.strip()}")

    # === BUILD === #

    def demo(self, name):
        """The demo database of ``make run``: made once, updated when the addons changed."""
        with self.building():
            wanted, found = suite_hash(), self.note(name) if name in self.names() else ""
            if found == wanted:
                return
            update = found != ""
            if name in self.names() and not update:
                self._refuse_foreign(name)
                self.drop(name)
            with step(
                f"Database {name}: {'update' if update else 'install the suite'} with demo data"
            ):
                self._install(name, (*BASE_MODULES, *finance_addons()), update)
            self.annotate(name, wanted)

    def template(self):
        """The name of a complete template of the suite, built if there is none yet."""
        with self.building():
            name = f"fc_template_{suite_hash()}"
            if name in self.names() and self.note(name) == "complete":
                return name
            base = self._base()
            self.copy(base, name)
            if finance_addons():
                with step(f"Test template {name}: install the suite"):
                    self._install(name, finance_addons())
            self.annotate(name, "complete")
            self._forget_old_templates(name)
            return name

    def with_companies(self):
        """The name of a template for the tests of addons: companies in it are ready to use.

        A chart of accounts takes a second, and most classes of tests want a company with one of
        its own: see ``ReadyCompanies`` among the tests of ``finance_connector_base``.
        """
        return self._derived("companies", COMPANIES)

    def with_bundles(self):
        """The name of a template for browsers: their first page needs no bundle to be made."""
        return self._derived("bundles", BUNDLES)

    def _derived(self, what, program):
        template = self.template()
        with self.building():
            name = f"{template}_{hashlib.sha256(program.encode()).hexdigest()[:6]}"
            if self.note(name) == "complete":
                return name
            self.copy(template, name)
            with step(f"Test template {name}: {what}"):
                self._shell(name, program)
            self.annotate(name, "complete")
            return name

    def _base(self):
        source = find_odoo(fetch=False)
        digest = hashlib.sha256(f"{source.addons}{BASE_MODULES}".encode()).hexdigest()[:8]
        name = f"fc_base_{digest}"
        if name in self.names() and self.note(name) == "complete":
            return name
        self.drop(name)
        with step(f"Test base {name}: install {', '.join(BASE_MODULES)} with demo data"):
            self._install(name, BASE_MODULES)
        self.annotate(name, "complete")
        return name

    def _install(self, name, modules, update=False):
        arguments = ["-d", name, "-i", ",".join(modules), "--with-demo"]
        arguments += ["--stop-after-init", "--no-http", "--max-cron-threads=0"]
        if update:
            arguments += ["-u", ",".join(finance_addons())]
        log = run_logged(
            odoo_cli.odoo(*arguments), f"install-{name}", cwd="/", env=self.environment
        )
        wanted = ", ".join(f"'{module}'" for module in modules)
        found = self.sql(
            name,
            f"SELECT name FROM ir_module_module WHERE state = 'installed' AND name IN ({wanted})",
        ).split()
        missing = sorted(set(modules) - set(found))
        if missing:
            raise Failure(f"Not installed: {', '.join(missing)} (log: {log}).")

    def _shell(self, name, program):
        command = odoo_cli.odoo("shell", "-d", name, "--no-http", "--log-level=warn")
        program = f"{program}\nenv.cr.commit()\nprint({READY!r})\n"
        done = subprocess.run(
            command, input=program, cwd="/", env=self.environment, capture_output=True, text=True
        )
        if READY not in done.stdout:
            raise Failure(f"Database {name} is not ready: {done.stderr[-2000:]}")

    def _refuse_foreign(self, name):
        """A database without our note: ours if an install was cut short, else not to be touched."""
        marker = CACHE / f"building-{name}"
        if marker.exists() or not os.environ.get("PGHOST"):
            return
        raise Failure(f"Database {name} exists and is not ours.", "make run DB=<another name>")

    def _forget_old_templates(self, newest):
        question = (
            "SELECT datname FROM pg_database WHERE datname LIKE 'fc\\_template\\_%'"
            f" AND datname NOT LIKE '{newest}%' ORDER BY oid DESC OFFSET {3 * (KEPT_TEMPLATES - 1)}"
        )
        for name in self.sql("postgres", question).split():
            self.drop(name)

    @contextlib.contextmanager
    def building(self):
        """One builder at a time; the others wait for its result."""
        with (ensure(CACHE) / "databases.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
