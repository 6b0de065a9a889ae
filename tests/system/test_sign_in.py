"""Tokens among real processes: renewed once whoever asks, lost to no crash, seen by nobody.

And the walk of an administrator who signs a connector in, in a real browser.
"""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from scripts import odoo_cli
from tests.system.browser import Person, chromium, one_port
from tests.system.odoo_process import wait_until
from tests.system.test_secrets import EXPORTS, export, log_in, read_everything, shapes
from tests.system.work import complaints

SECRET = "SANDBOX-CLIENT-SECRET-0001"
VENDOR = "Sandbox Bank (tests)"


class Bank:
    """The sandbox's authorization server, asked and told from outside."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.url = f"{sandbox.base_url}/oauth"

    def settings(self, **values):
        """Behave differently from now on."""
        self._call("PUT", "settings", json.dumps(values).encode())

    def expire(self):
        """Refuse the access tokens given so far, however valid they look."""
        self._call("POST", "expire", b"")

    def _call(self, method, path, body):
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/{path}", body, method=method))

    def refreshed(self):
        """How many requests for a new token came in, answered or not."""
        return sum(
            "grant_type=refresh_token" in (line["body"] or "")
            for line in self.sandbox.requests("oauth")
            if line["path"] == "/token"
        )

    def secrets(self):
        """Every code, state, token and proof that went over the wire."""
        found = {SECRET}
        for line in self.sandbox.requests("oauth", answers=True):
            answer = line["answer"] if isinstance(line["answer"], dict) else {}
            found |= {answer[name] for name in answer if name.endswith("_token")}
            form = dict(urllib.parse.parse_qsl(line["body"])) if line["path"] == "/token" else {}
            asked = form | line["query"]
            found |= {asked[name] for name in ("code", "code_verifier", "state") if name in asked}
        return found


@pytest.fixture
def bank(sandbox):
    """The authorization server of the test."""
    return Bank(sandbox)


def connect(server, work, bank):
    """Make a connector to the bank, the one that ``work`` works with; sign in."""
    work.rpc = server.rpc()
    call = work.rpc.call
    call("ir.config_parameter", "set_param", "web.base.url", server.url)
    [work.connector] = call("finance.connector", "create", [
        {"name": "Bank", "provider": "test_bank", "environment": "local", "local_url": bank.url}
    ])  # fmt: skip
    [company] = call("finance.connector", "read", [work.connector], ["company_ids"])[0][
        "company_ids"
    ]
    call("finance.workflow", "create", [{
        "connector_id": work.connector, "company_id": company, "flow": "test",
        "max_attempts": 40, "backoff_base_seconds": 0.2, "backoff_cap_seconds": 1.0,
    }])  # fmt: skip
    row = call("finance.credential", "search", [("connector_id", "=", work.connector)])
    call("finance.credential", "write", row, {"value": SECRET})
    sign_in(server, work)


def sign_in(server, work):
    """What an administrator and a browser do, without the browser."""
    page = work.rpc.call("finance.connector", "action_sign_in", [work.connector])["url"]
    form, _mark, query = page.partition("?")
    opener = log_in(server)
    with opener.open(form, f"{query}&decision=allow".encode()) as answer:
        assert "/finance-connectors/" in answer.url or "/odoo/" in answer.url, answer.url
    assert state(work) == "ready"


def state(work):
    """The connector's state."""
    return work.value("SELECT state FROM finance_connector WHERE id = %s", work.connector)


RACE = """
import os, threading, time
from pathlib import Path
connector = env["finance.connector"].browse({connector})
company, operation = connector.company_ids[:1], env["finance.operation"]
folder, result = Path({folder!r}), []
for lap in range(2):
    providers = [operation._open_session(connector, company) for _n in range(8)]
    (folder / f"ready-{{lap}}-{{os.getpid()}}").touch()
    end = time.time() + 60
    while not (folder / f"go-{{lap}}").exists():
        time.sleep(0.005)
        assert time.time() < end
    def ask(provider):
        try:
            result.append(provider.ping())
        except Exception as error:
            result.append(repr(error))
    threads = [threading.Thread(target=ask, args=[provider]) for provider in providers]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
"""


def test_tokens_among_processes(odoo_factory, work, bank, tmp_path):
    """Renewed once whoever asks; a process that dies with the answer holds nobody up."""
    server = odoo_factory(work.database).start()
    bank.settings(expires_in=1)
    connect(server, work, bank)
    bank.settings(expires_in=3600)
    race(odoo_factory, work, bank, tmp_path)
    die_and_go_on(odoo_factory, work, bank)
    assert complaints(server.read_log()) == []
    die_and_sign_in_again(odoo_factory, server, work, bank)


def race(odoo_factory, work, bank, folder):
    """Two processes with eight threads each: the token is at its end, then it only looks valid."""
    bank.sandbox.set_faults({"kind": "delay", "delay_ms": 400, "match": "POST /token$"})
    before = bank.refreshed()
    code = RACE.format(connector=work.connector, folder=str(folder))
    with ThreadPoolExecutor(2) as pool:
        racers = [pool.submit(odoo_factory(work.database).shell, code) for _n in range(2)]
        for lap in range(2):
            wait_until(lambda lap=lap: len(list(folder.glob(f"ready-{lap}-*"))) == 2, 60, "both")
            assert bank.refreshed() - before == lap
            if lap:
                bank.expire()
            (folder / f"go-{lap}").touch()
        answers = [racer.result() for racer in racers]
    assert answers == [["Signed in as Sam Sandbox"] * 16] * 2
    assert bank.refreshed() - before == 2
    assert bank.sandbox.state("oauth")["reused"] == 0
    bank.sandbox.clear_faults()


def die_and_go_on(odoo_factory, work, bank):
    """A vendor with a grace period: the next one renews with the same refresh token."""
    bank.settings(reuse_grace=60)
    die_with_the_answer(odoo_factory, work, bank)
    jobs = work.jobs(6, "echo")
    work.wait(60)
    assert work.states(jobs) == {"done": 6}
    assert state(work) == "ready"


def die_and_sign_in_again(odoo_factory, server, work, bank):
    """A vendor without: the answer that died was the only one, and the connector says what to do."""
    bank.settings(reuse_grace=0)
    die_with_the_answer(odoo_factory, work, bank)
    jobs = work.jobs(6, "echo", "later")
    wait_until(lambda: state(work) == "attention", 30, "the connector's call for help")
    reason = work.value(
        "SELECT attention_reason FROM finance_connector WHERE id = %s", work.connector
    )
    assert "Sign in again" in reason
    wait_until(lambda: not work.column("SELECT 1 FROM finance_job WHERE worker IS NOT NULL"), 20)
    assert work.states(jobs) == {"pending": 6}
    sign_in(server, work)
    work.enqueue(work.notes(1, "nudge", False), "trivial")
    work.wait(60)
    assert work.states(jobs) == {"done": 6}
    asks = "SELECT 1 FROM finance_exception WHERE state = 'open' AND code = 'connector.auth'"
    assert work.column(asks) == []
    done = bank.sandbox.state("oauth")["done"]
    assert {done[key]["times"] for key in done} == {1}


def die_with_the_answer(odoo_factory, work, bank):
    """A process is killed between the vendor's answer and the store, with the lock in its hands."""
    bank.expire()
    before = bank.refreshed()
    victim = odoo_factory(
        work.database, environment={"FINANCE_KILL_POINT": "token_answered:1:1"}
    )  # fmt: skip
    with pytest.raises(AssertionError, match="shell failed"):
        victim.shell(
            f"connector = env['finance.connector'].browse({work.connector})\n"
            "env['finance.operation']._open_session(connector, connector.company_ids[:1]).ping()"
        )
    assert bank.refreshed() == before + 1


@pytest.mark.timeout(300)
def test_walk_of_an_administrator(odoo_factory, work, bank, databases, pictures):
    """Sign in with a browser, work, sign in again after a refusal: and no secret stands anywhere."""
    server = odoo_factory(work.database, arguments=("--log-level=debug",)).start()
    with one_port(server) as url, chromium() as browser:
        person = Person(browser, url, pictures).log_in("admin")
        began = time.monotonic()
        enter_connector(person, bank)
        refuse(person)
        allow(person)
        print(f"browser: {time.monotonic() - began:.1f} s")
        # of ours; the page that says what went wrong is a 400
        ours = [one for one in person.complaints if url in one]
        assert not [one for one in ours if "400 (BAD REQUEST)" not in one]
    work.rpc = server.rpc()
    connector = work.rpc.call("finance.connector", "search", [("provider", "=", "test_bank")])
    [work.connector] = connector
    bank.expire()
    work.jobs(3, "echo")
    work.wait(60)
    assert bank.refreshed() == 1
    look_for_secrets(server, work, bank, databases)
    assert " ERROR " not in server.read_log()


def enter_connector(person, bank):
    """Provider, address, client secret; the form says what to register at the vendor."""
    person.page.goto(f"{person.url}/odoo/finance-connectors/new")
    person.settle()
    person.fill("name", "My bank")
    person.choose("provider", VENDOR)
    person.choose("environment", "Local")
    person.fill("local_url", bank.url)
    person.save()
    person.tab("Credentials")
    person.fill_cell("Client secret", "value", SECRET)
    person.save()
    expect(person.field("redirect_url")).to_contain_text(f"{person.url}/finance/oauth/callback")
    person.picture("01-before")


def refuse(person):
    """At the vendor: no. Odoo says what happened, and leads back."""
    person.page.get_by_role("button", name=f"Sign In at {VENDOR}").click()
    person.page.get_by_role("button", name="Refuse").click()
    person.sees("The sign-in was cancelled, or access was not granted.")
    person.picture("02-refused")
    person.page.get_by_role("link", name="Back to My bank").click()
    person.page.locator(".o_form_view").wait_for()
    person.settle()


def allow(person):
    """At the vendor: yes. Back on the connector, which is ready."""
    person.tab("Credentials")
    person.page.get_by_role("button", name=f"Sign In at {VENDOR}").click()
    yes = person.page.get_by_role("button", name="Allow as Sam Sandbox")
    yes.wait_for()
    person.page.screenshot(path=person.pictures / "03-vendor.png")
    yes.click()
    person.page.locator(".o_form_view").wait_for()
    person.settle()
    expect(person.page.locator(".o_arrow_button_current")).to_have_text("Ready")
    person.tab("Credentials")
    expect(person.field("signed_in_by_id")).to_contain_text("Mitchell Admin")
    person.picture("04-signed-in")
    assert SECRET not in person.page.content()


def look_for_secrets(server, work, bank, databases):
    """Neither read, nor exported, nor logged, nor dumped in the clear."""
    planted = bank.secrets()
    assert len(planted) >= 8, "codes, states, verifiers, tokens"

    def found_in(text):
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        return [secret for secret in planted for shape in shapes(secret) if shape in text]

    shown = read_everything(work)
    assert "finance.token" in shown and "finance.exchange" in shown
    for model, text in shown.items():
        assert found_in(text) == [], f"read() of {model}"
    exchanges = export(server, "finance.exchange", EXPORTS["finance.exchange"])
    assert b"oauth/token" in exchanges and found_in(exchanges) == []
    log = server.read_log()
    assert "/finance/oauth/callback?…" in log and found_in(log) == []
    dump = subprocess.run(
        ["pg_dump", "--no-owner", work.database],
        env=odoo_cli.environment(databases.cluster), capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert b"finance_token" in dump and found_in(dump) == []
