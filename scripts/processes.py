"""Servers we start and stop: a real prefork Odoo, and the sandbox of vendors."""

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import odoo_cli
from .console import Failure, last_words
from .paths import LOGS, PYTHON, ROOT, ensure

STOP_SECONDS = 15


class Process:
    """A child in a process group of its own, with its output in a log file."""

    name = "process"

    def __init__(self, log=None):
        self.log = log or ensure(LOGS) / f"{self.name}.log"
        self._child = None

    @property
    def pid(self):
        """Process id of the main process, None before the first start."""
        return self._child and self._child.pid

    def running(self):
        """Is the main process alive?"""
        return self._child is not None and self._child.poll() is None

    def spawn(self, argv, environment, cwd):
        """Start ``argv``; what it prints is appended to the log."""
        with self.log.open("ab") as out:
            self._child = subprocess.Popen(
                argv,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, url, seconds=60):
        """Wait until ``url`` answers with a success; Failure when it does not in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.running():
                break
            if answers(url):
                return
            time.sleep(0.1)
        self.stop()
        raise Failure(f"{self.name} does not start: {last_words(self.log)} (log: {self.log})")

    def stop(self):
        """End it politely, then by force; nothing of its group is left."""
        if self._child is None:
            return
        if self.running():
            self._child.terminate()
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._kill_group()

    def kill(self):
        """SIGKILL the main process and all its children at once, as a crash of the host would."""
        self._kill_group()
        self._child.wait()
        while _members(self._child.pid):
            time.sleep(0.01)

    def _kill_group(self):
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()


class Sandbox(Process):
    """``python -m sandbox``: stand-ins for the vendors on the loopback address."""

    name = "sandbox"

    def __init__(self, port=odoo_cli.DEFAULT_SANDBOX_PORT, log=None):
        super().__init__(log)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def start(self, **environment):
        """Start and wait until it is healthy."""
        variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        variables |= {"FINANCE_SANDBOX_PORT": str(self.port), **environment}
        argv = [PYTHON, "-m", "sandbox", "--port", str(self.port)]
        self.spawn(argv, variables, ROOT)
        self.wait_for(f"{self.url}/_sandbox/health", 20)
        return self


class Odoo(Process):
    """A real Odoo server on one database; prefork unless ``workers`` is 0."""

    name = "odoo"

    def __init__(self, cluster, database, port=0, log=None):
        super().__init__(log)
        self.cluster = cluster
        self.database = database
        self.port = odoo_cli.free_port(port)
        self.gevent_port = odoo_cli.free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, *arguments, **environment):
        """Start with further command line ``arguments`` and wait for the first answer."""
        argv = odoo_cli.odoo(
            f"--database={self.database}",
            f"--db-filter=^{self.database}$",
            "--http-interface=127.0.0.1",
            f"--http-port={self.port}",
            f"--gevent-port={self.gevent_port}",
            *odoo_cli.LANES,
            *arguments,
        )
        self.spawn(argv, odoo_cli.environment(self.cluster, **environment), "/")
        self.wait_for(f"{self.url}/web/health", 120)
        return self


def _members(group):
    """Process ids of a process group, without those that are dead and only not yet buried."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, its_group = entry.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                found.append(int(entry.parent.name))
    return found


def answers(url):
    """Does a GET of ``url`` succeed?"""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
