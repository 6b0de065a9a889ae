"""``make run``: the suite with demo data, the sandbox of vendors and an Odoo with lane crons."""

import contextlib
import os
import shlex
import signal
import sys
import time

from . import odoo_cli, postgres
from .commands import prepare
from .console import Failure, say, step
from .databases import Databases
from .front import Front
from .paths import LOGS, ROOT, ensure
from .processes import Odoo, Sandbox, answers

DEFAULT_PORT = 8069
DEFAULT_DATABASE = "finance_connect"
WELCOME = """
  {url}

  administrator   admin / admin
  accountant      accountant / accountant

  Try first:
  1. Log in as accountant, open Accounting (Invoicing), post a draft invoice to a customer in the
     United States: state, county and city tax come from the tax engine, exactly as it said.
  2. Open Finance Connect: the commit travels through Jobs; the Exchange shows what was sent.
  3. Stop the engine:   curl -X PUT {sandbox}/_sandbox/faults -d '[{{"kind": "503"}}]'
     post another invoice, and let Exceptions tell you what to do. The engine is back with
     curl -X DELETE {sandbox}/_sandbox/faults
  4. Open Finance Connect > Bank > Bank Lines: work through the Operating Account, drop a statement
     file on the screen, and see under Cash which account is late.
  5. As administrator open Finance Connect > Reporting > Exports: preview a feed, export now, and
     compare what the ledger and the files add up to under Totals.

  Logs: {logs}
  Ctrl-C stops everything that was started here.
"""


def main(arguments):
    """Start everything, wait for Ctrl-C, stop everything."""
    started = time.monotonic()
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    database = os.environ.get("DB") or DEFAULT_DATABASE
    port = _port()
    sandbox_port = _sandbox_port()
    prepare()
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(postgres.server("run"))
        Databases(cluster).demo(database)
        odoo = _start(stack, cluster, database, sandbox_port)
        stack.enter_context(Front(port, odoo.port, odoo.gevent_port))
        url, sandbox = (f"http://127.0.0.1:{number}" for number in (port, sandbox_port))
        answers(f"{url}/web/login")
        say(f"\nReady after {time.monotonic() - started:.0f} s.")
        say(WELCOME.format(url=url, sandbox=sandbox, logs=LOGS))
        with contextlib.suppress(KeyboardInterrupt):
            _watch(odoo)
        say("\nStopping…")
    say("Stopped.")


def _start(stack, cluster, database, sandbox_port):
    for name in ("odoo", "sandbox"):
        (ensure(LOGS) / f"{name}.log").write_bytes(b"")
    with step(f"Sandbox of vendors on port {sandbox_port}"):
        stack.enter_context(Sandbox(sandbox_port)).start()
    odoo = stack.enter_context(Odoo(cluster, database))
    with step("Odoo"):
        extra = shlex.split(os.environ.get("ODOO_ARGS", ""))
        odoo.start(*extra, FINANCE_SANDBOX_PORT=sandbox_port)
    return odoo


def _watch(odoo):
    while odoo.running():
        time.sleep(0.5)
    raise Failure(f"Odoo has stopped by itself (log: {odoo.log}).", "make run")


def _port():
    named = os.environ.get("PORT")
    wanted = _number("PORT", named or DEFAULT_PORT)
    port = odoo_cli.free_port(wanted)
    if port == wanted:
        return port
    if named:
        raise Failure(f"Port {named} is taken.", "make run PORT=8070")
    say(f"      Port {wanted} is taken, so {port} is used.")
    return port


def _sandbox_port():
    port = _number(
        "FINANCE_SANDBOX_PORT",
        os.environ.get("FINANCE_SANDBOX_PORT") or odoo_cli.DEFAULT_SANDBOX_PORT,
    )
    if not (ROOT / "sandbox" / "__main__.py").exists():
        raise Failure("The folder sandbox/ is not complete.", "git checkout -- sandbox")
    if odoo_cli.free_port(port) != port:
        free = odoo_cli.free_port()
        raise Failure(
            f"Port {port} of the sandbox is taken.", f"FINANCE_SANDBOX_PORT={free} make run"
        )
    return port


def _number(name, text):
    try:
        return int(text)
    except ValueError:
        raise Failure(f"{name}={text} is no port number.", f"make run {name}=8070") from None
