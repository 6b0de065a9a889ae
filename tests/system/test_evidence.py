"""The audit trail proves itself: against who owns the tables, beside work, outside of Odoo."""

import http.cookiejar
import json
import os
import random
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import psycopg2
import pytest

from odoo.addons.finance_connector_base.evidence.head import head_file, read_head, read_heads
from odoo.addons.finance_connector_base.evidence.index import Index
from odoo.addons.finance_connector_base.evidence.signing import Signer, signers
from odoo.addons.finance_connector_base.evidence.sources import DatabaseSource
from odoo.addons.finance_connector_base.evidence.verify import trust_of, verify
from odoo.addons.finance_connector_base.vault import KeyRing, Vault

from scripts import odoo_cli
from scripts.paths import ADDONS
from tests.system.tampering import WAYS, Culprit
from tests.system.work import complaints

EVIDENCE = ADDONS / "finance_connector_base" / "evidence"

TRAIL = """
events = env["finance.audit.event"]
partner = env["res.partner"].search([], limit=1)
for batch in range(8):
    for number in range(12):
        events._record_many([
            {"kind": "test.plain", "res_model": "account.move", "res_id": number,
             "data": {"amount": "%d.50" % number, "batch": batch}},
            {"kind": "test.detail", "company_id": env.company.id, "trace_id": "t%d" % number,
             "detail": {"reason": "batch %d, event %d" % (batch, number)},
             "partner_id": partner.id},
        ][: 1 + (number % 3 == 0)])
    env.cr.commit()
    env["finance.audit.seal"]._seal()
    env.cr.rollback()
events._record("test.unsealed")
env.cr.commit()
result = env["finance.audit.seal"].search_count([])
"""


def test_whoever_owns_the_tables_is_found_out(odoo_factory, database, soak):
    """Every tampering is found, and what was tampered with is named first."""
    server = odoo_factory(database)
    assert server.shell(TRAIL) >= 8
    ring = KeyRing.from_file(odoo_cli.vault_key())
    [true, *_others] = signers(ring)
    own = Signer(true.key_id, b"of somebody else".ljust(32))
    connection = psycopg2.connect(dbname=database)
    connection.set_session(isolation_level="REPEATABLE READ")
    cursor = connection.cursor()
    source = DatabaseSource(connection)

    path = head_file(server.variables["FINANCE_EVIDENCE_DIR"], *source.identity())
    heads = read_heads(path)[1]

    def trust(uuid):
        return trust_of(ring, heads=heads, head_path=path, vault=Vault(ring, uuid))

    def checked():
        with Index() as index:
            return verify(source, index, trust)

    report = checked()
    assert (report.outcome, report.unsealed) == ("sound", 1), report.sentences()
    assert report.details["fine"] >= 32
    seeds = range(1000 if soak else 50)
    for seed in seeds:
        way = WAYS[seed % len(WAYS)]
        cursor.execute("SAVEPOINT untouched")
        code, number = way(Culprit(cursor, random.Random(seed), true, own))
        report = checked()
        cursor.execute("ROLLBACK TO SAVEPOINT untouched")
        what = f"{way.__name__}, seed {seed}: {report.sentences()[:4]}"
        assert report.outcome == "broken", what
        found, facts = report.findings[0]
        kind = "seal" if code.startswith(("seal.", "head.")) else "event"
        assert (found, facts[kind]) == (code, number), what
        assert "%(" not in "".join(report.sentences()), what
    assert checked().outcome == "sound"
    connection.close()


# === BESIDE WORK === #

SEALER = """
import time
end, seals = time.time() + {seconds}, 0
while time.time() < end:
    seals += bool(env["finance.audit.seal"]._seal())
    env.cr.rollback()
result = seals
"""
AUDITOR = """
env["res.users"].create({
    "name": "Auditor", "login": "auditor", "password": "auditor",
    "group_ids": [(6, 0, [env.ref("finance_connector_base.group_auditor").id])],
})
env.cr.commit()
"""
WRITERS, SECONDS = 8, 5


@pytest.fixture
def trail(odoo_factory, work):
    """A started server whose users were at work while two sealers sealed."""
    server = odoo_factory(work.database, workers=4, cron_threads=3)
    server.shell(AUDITOR)
    work.rpc = server.start().rpc()
    sealed, failures = [], []

    def seal():
        sealed.append(server.shell(SEALER.format(seconds=SECONDS)))

    def write(number):
        try:
            while any(sealer.is_alive() for sealer in sealers):
                work.jobs(2, "echo", f"writer {number}")
        except Exception as failure:
            failures.append(failure)

    sealers = [threading.Thread(target=seal) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in sealers + writers:
        thread.start()
    for thread in sealers + writers:
        thread.join()
    assert not failures
    assert len(sealed) == 2 and sum(sealed) > 10
    return server


def test_sealing_beside_work(trail, work, databases, output, sandbox):
    """No conflict, no fork, nothing lost; dump and export are proved without Odoo."""
    assert complaints(trail.read_log()) == []
    numbers = work.column("SELECT sequence FROM finance_audit_seal ORDER BY sequence")
    assert numbers == list(range(1, len(numbers) + 1))
    previous = work.column("SELECT previous FROM finance_audit_seal")
    assert len(set(previous)) == len(previous), "two seals continue one"
    seal_by_schedule(work)
    sealed = work.value("SELECT count(*) FROM finance_audit_event WHERE seal_id IS NOT NULL")
    assert sealed == work.value("SELECT sum(count) FROM finance_audit_seal") > 100
    jobs = work.value("SELECT count(*) FROM finance_job")
    told = "SELECT count(*) FROM finance_audit_event WHERE kind = 'job.enqueued'"
    assert work.value(told) == jobs, "an event for each job"

    folder = trail.variables["FINANCE_EVIDENCE_DIR"]
    key = {"FINANCE_VAULT_KEY_FILE": str(odoo_cli.vault_key())}
    here = key | {"FINANCE_EVIDENCE_DIR": folder}
    assert "names seal" in proved(work, "--database", work.database, **here)
    head = ("--head", *Path(folder).glob("*.head.json"))
    for format_ in ("plain", "custom"):
        file = output / f"dump.{format_}"
        command = ["pg_dump", f"--format={format_}", f"--file={file}", work.database]
        subprocess.run(command, env=databases.environment, check=True)
        assert "names seal" in proved(work, file, *head, **key)

    export = downloaded(trail, work, output / "evidence.zip")
    fingerprint = read_head(head[1]).fingerprint
    assert "An export proves" in proved(work, export, "--public-key", fingerprint)


def seal_by_schedule(work):
    """The scheduled action seals what is due, and finds nothing in the way afterwards."""
    [[late]] = work.rows(
        "INSERT INTO finance_audit_event (at, kind)"
        " VALUES (now() AT TIME ZONE 'UTC' - interval '10 min', 'test.late') RETURNING id"
    )
    [cron] = work.column("SELECT id FROM ir_cron WHERE cron_name LIKE '%%seal audit events'")
    work.rpc.run_action(cron)
    assert work.value("SELECT seal_id FROM finance_audit_event WHERE id = %s", late)
    assert work.exceptions("seal.key", "seal.late", "seal.head", "seal.replaced") == []


def proved(work, *arguments, **environment):
    """What ``verify`` says, run as a program without Odoo; it must say that all is unbroken."""
    variables = {name: os.environ[name] for name in ("PATH", "PGHOST", "PGPORT", "PGUSER")}
    command = [sys.executable, "-I", EVIDENCE, "verify", *arguments]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env=variables | environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Unbroken")
    return done.stdout


def downloaded(server, work, path):
    """The export of everything that the auditor may see, through the wizard."""
    rpc = server.rpc("auditor")
    today = work.value("SELECT current_date::text")
    year = today[:4]
    values = {"scope": "period", "date_from": f"{year}-01-01", "date_to": f"{year}-12-31"}
    export = rpc.call("finance.audit.export", "create", [values])
    url = rpc.call("finance.audit.export", "action_export", export)["url"]
    browser = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    login = {"db": work.database, "login": "auditor", "password": "auditor"}
    request = urllib.request.Request(
        f"{server.url}/web/session/authenticate",
        json.dumps({"jsonrpc": "2.0", "method": "call", "params": login}).encode(),
        {"Content-Type": "application/json"},
    )
    browser.open(request, timeout=60).read()
    path.write_bytes(browser.open(f"{server.url}{url}", timeout=60).read())
    return path
