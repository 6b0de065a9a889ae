"""A real Odoo server for tests: start, ask, crash, start again."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
import xmlrpc.client
from pathlib import Path

from scripts import odoo_cli
from scripts.processes import Odoo

SHELL_MARK = "\x1eRESULT\x1e"
SERVER_WIDE = "--load=base,rpc,web,finance_test_server"
SHELL_OPTIONS = (SERVER_WIDE, "--no-http", "--log-level=warn")


class OdooServer(Odoo):
    """A prefork Odoo on ``database``.

    :param int workers: HTTP workers; 0 selects the threaded server
    :param int cron_threads: workers for scheduled actions, hence lanes
    :param dict environment: further environment variables of the server
    :param tuple arguments: further command line arguments
    :param bool websockets: whether a browser comes

    The port stays the same over restarts, so that URLs and connectors keep working. Evidence lies in
    ``evidence-<database>`` beside the log: all copies of a template have one database uuid.
    """

    def __init__(self, cluster, database, workers=2, cron_threads=4, environment=None,
                 arguments=(), websockets=False, log=None):  # fmt: skip
        super().__init__(cluster, database, log=log)
        lanes = (f"--workers={workers}", f"--max-cron-threads={cron_threads}")
        self.arguments = (SERVER_WIDE, *lanes, *arguments)
        evidence = {"FINANCE_EVIDENCE_DIR": str(self.log.parent / f"evidence-{database}")}
        browser = {"FINANCE_TEST_WEBSOCKETS": "1"} if websockets else {}
        self.variables = evidence | browser | dict(environment or {})

    # === LIFE AND DEATH === #

    def start(self, *arguments, **environment):
        """Start and wait until it answers; returns itself."""
        return super().start(*self.arguments, *arguments, **{**self.variables, **environment})

    def restart(self):
        """Stop politely and start again."""
        self.stop()
        return self.start()

    def worker_pids(self, kind=None):
        """Process ids of the children; ``kind`` "cron" or "http" narrows by what they do.

        Cron workers are told by their niceness: Odoo adds 10 to it.
        """
        pids = [int(pid) for pid in _children(self.pid)]
        if kind is None:
            return pids
        usual = _niceness(self.pid)
        wanted = (lambda nice: nice > usual) if kind == "cron" else (lambda nice: nice == usual)
        return [pid for pid in pids if wanted(_niceness(pid)) and not _is_evented(pid)]

    def kill_worker(self, pid):
        """SIGKILL one worker; the server starts another."""
        os.kill(pid, signal.SIGKILL)

    # ``kill()`` of the base class is the crash of the whole server.

    # === ASK === #

    def wait_for_log(self, text, seconds=30):
        """Wait until ``text`` stands in the log; returns the log."""
        return wait_until(lambda: text in self.read_log() and self.read_log(), seconds, text)

    def read_log(self):
        """Everything this server has logged, over all its starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def rpc(self, login="admin", password=None):
        """An ``Rpc`` session of a user; demo passwords equal the login."""
        return Rpc(self.url, self.database, login, password or login)

    def json2(self, model, method, api_key, **parameters):
        """(status, answer) of ``POST /json/2/<model>/<method>`` with an API key."""
        request = urllib.request.Request(
            f"{self.url}/json/2/{model}/{method}",
            data=json.dumps(parameters).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"bearer {api_key}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def shell(self, code, timeout=300):
        """Run Python with ``env`` (superuser) in a process of its own, on this database.

        What the code assigns to ``result`` comes back (through JSON); it commits itself.
        """
        program = (
            f"result = None\n{code}\nimport json\nprint({SHELL_MARK!r} + json.dumps(result))\n"
        )
        done = subprocess.run(
            odoo_cli.odoo("shell", "-d", self.database, *SHELL_OPTIONS),
            input=program,
            capture_output=True,
            text=True,
            cwd="/",
            timeout=timeout,
            env=odoo_cli.environment(self.cluster, **self.variables),
        )
        if SHELL_MARK not in done.stdout:
            raise AssertionError(f"shell failed:\n{done.stdout}\n{done.stderr}")
        return json.loads(done.stdout.rpartition(SHELL_MARK)[2].splitlines()[0])


class Rpc:
    """One user's JSON-RPC session: ``rpc.call("account.move", "action_post", [ids])``."""

    def __init__(self, url, database, login, password):
        self._url = f"{url}/jsonrpc"
        self.uid = self._ask("common", "authenticate", database, login, password, {})
        if not self.uid:
            raise AssertionError(f"{login} can't log in")
        self._head = database, self.uid, password

    def call(self, model, method, *arguments, **options):
        """Call a public method; an error of the server raises ``RpcFault``."""
        return self._ask("object", "execute_kw", *self._head, model, method, arguments, options)

    def run_action(self, cron):
        """Run a scheduled action now, as soon as its schedule does not do so itself."""

        def ran():
            try:
                return self.call("ir.cron", "method_direct_trigger", [cron]) or True
            except RpcFault as fault:
                assert "already executing" in fault.message, fault
                return False

        wait_until(ran, 30, f"scheduled action {cron}")

    def _ask(self, service, method, *arguments):
        question = {
            "jsonrpc": "2.0",
            "method": "call",
            "params": {"service": service, "method": method, "args": arguments},
        }
        request = urllib.request.Request(
            self._url, json.dumps(question).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RpcFault(answer["error"]["data"])
        return answer.get("result")


class RpcFault(xmlrpc.client.Fault):
    """What the server raised: ``name`` is its class, ``message`` its words."""

    def __init__(self, data):
        self.name, self.message = data["name"], data["message"]
        super().__init__(1, data["debug"])


def wait_until(probe, seconds=30, what="the expected state", pause=0.05):
    """Wait until ``probe()`` is true and return its value; AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := probe():
            return value
        time.sleep(pause)
    raise AssertionError(f"{what} did not come within {seconds} s")


def _children(pid):
    tasks = Path(f"/proc/{pid}/task")
    return " ".join(file.read_text() for file in tasks.glob("*/children")).split()


def _niceness(pid):
    try:
        return os.getpriority(os.PRIO_PROCESS, pid)
    except ProcessLookupError:
        return -1


def _is_evented(pid):
    try:
        return b"gevent" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return True
