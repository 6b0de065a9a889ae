"""The small commands: what each does is its docstring."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys

from . import odoo_cli, postgres
from .console import Failure, say
from .databases import Databases, finance_addons
from .odoo_source import find_odoo
from .paths import ADDONS, CACHE, PYTHON, ROOT
from .venv import DEVELOPMENT, RUNTIME, ensure_venv


def setup(arguments=()):
    """Python environment, Odoo 19 and PostgreSQL programs, without starting anything."""
    prepare(DEVELOPMENT)
    say("Ready. Next: make run, or make test.")


def prepare(requirements=RUNTIME):
    """Everything that needs downloading."""
    ensure_venv(requirements)
    source = find_odoo()
    postgres.prepare()
    say(f"  ok  Odoo 19 ({source.origin})")


def env(arguments):
    """Print shell lines that set the environment of Odoo's processes: eval "$(…)"."""
    with _left_running(arguments) as cluster:
        for key, value in odoo_cli.environment(cluster).items():
            if os.environ.get(key) != value:
                print(f"export {key}={shlex.quote(value)}")
        if "PYTHONDONTWRITEBYTECODE" in os.environ:
            print("unset PYTHONDONTWRITEBYTECODE")


class _Quiet:
    """A cluster that is used without being started or stopped."""

    def __init__(self, cluster):
        self.cluster = cluster

    def __enter__(self):
        return self.cluster

    def __exit__(self, *exception):
        return None


def _left_running(arguments):
    return _Quiet(postgres.server(arguments[0] if arguments else "test"))


def copy(arguments):
    """``copy NAME``: a private database, copied from the test template (cluster ``test``)."""
    with postgres.server("test") as cluster:
        databases = Databases(cluster)
        say(databases.copy(databases.template(), _one(arguments, "copy NAME")))


def drop(arguments):
    """``drop NAME``: drop a private database of the cluster ``test``."""
    with postgres.server("test") as cluster:
        Databases(cluster).drop(_one(arguments, "drop NAME"))


def pot(arguments):
    """``pot``: write each addon's translation template, ``i18n/<addon>.pot``."""
    prepare(DEVELOPMENT)
    with postgres.server("test") as cluster:
        databases = Databases(cluster)
        name = databases.copy(databases.template(), f"fc_pot_{os.getpid()}")
        export = odoo_cli.odoo("i18n", "export", "-d", name, *finance_addons())
        try:
            code = subprocess.run(export, cwd="/", env=databases.environment).returncode
        finally:
            databases.drop(name)
    if code:
        raise Failure("Odoo could not export the texts; its words are above.")


def odoo(arguments):
    """``odoo …``: Odoo's own command line with the cluster ``test``."""
    with postgres.server("test") as cluster:
        command = odoo_cli.odoo(*arguments)
        return subprocess.run(command, cwd="/", env=odoo_cli.environment(cluster)).returncode


def verify(arguments):
    """``verify …``: check the audit trail of a database, dump or export; ``--help`` says more."""
    folder = ADDONS / "finance_connector_base" / "evidence"
    return subprocess.run([PYTHON, folder, "verify", *arguments]).returncode


def _one(arguments, usage):
    if len(arguments) != 1:
        raise Failure(f"usage: python3 -m scripts {usage}")
    return arguments[0]


def postgres_command(arguments):
    """``postgres start|stop|status|psql [run|test|bench]``: a private cluster by hand."""
    action, purpose = (
        (*arguments, "status", "test")[:2] if len(arguments) != 1 else (*arguments, "test")
    )
    cluster = postgres.server(purpose)
    if action == "start":
        cluster.start(stays=True)
    elif action == "stop":
        cluster.stop()
    elif action == "psql":
        environment = os.environ | cluster.environment
        os.execvpe(
            "psql", ["psql", "-d", arguments[2] if len(arguments) > 2 else "postgres"], environment
        )
    say("  ".join(f"{key}={value}" for key, value in cluster.environment.items() if key != "PATH"))


def bench(arguments):
    """``bench [NAME]``: run ``benchmarks/NAME.py``, or all, on a durable cluster.

    As modules: run as a file, ``benchmarks/queue.py`` would hide the library's ``queue``.
    """
    names = [name for name in arguments if name] or sorted(
        file.stem for file in (ROOT / "benchmarks").glob("*.py") if not file.name.startswith("_")
    )
    missing = [name for name in names if not (ROOT / "benchmarks" / f"{name}.py").exists()]
    if missing:
        raise Failure(f"No such benchmark: {', '.join(missing)}.", "ls benchmarks")
    # Standard output is for figures; our own progress goes to standard error.
    with contextlib.redirect_stdout(sys.stderr):
        prepare(DEVELOPMENT)
        with postgres.server("bench") as cluster:
            environment = odoo_cli.environment(cluster)
            failed = [
                name
                for name in names
                if subprocess.run(
                    [PYTHON, "-m", f"benchmarks.{name}"], cwd=ROOT, env=environment
                ).returncode
            ]
    if failed:
        raise Failure(f"Failed: {', '.join(failed)}.")


def reset(arguments):
    """Stop and delete the private clusters, their databases and files; downloads stay."""
    if not os.environ.get("PGHOST"):
        for purpose in postgres.SETTINGS:
            postgres.Cluster(purpose).remove()
    for entry in (
        "data",
        "logs",
        "test-output",
        *(file.name for file in CACHE.glob("odoo-*.conf")),
        "pycache",
        "vault.key",
    ):
        path = CACHE / entry
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    say("Databases and files are gone; downloads are kept (rm -rf .cache .venv removes these too).")
