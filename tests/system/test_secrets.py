"""Planted secrets are looked for wherever people, exports, logs and dumps could show them."""

import base64
import http.cookiejar
import json
import re
import subprocess
import urllib.parse
import urllib.request

import pytest

from scripts import odoo_cli
from tests.system.odoo_process import wait_until

TOKEN = "planted-credential-7f3a91c2"
IBAN = "DE89370400440532013000"
# As people write it, too.
SPACED = "DE89 3704 0044 0532 0130 00"


def shapes(secret):
    """What a secret may look like in a dump: as it is, in hexadecimal digits, in base64."""
    yield secret
    yield secret.encode().hex()
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + secret.encode()).decode()
        # Without the ends, which depend on what stands beside it.
        yield text[4:-4]


def found_in(text):
    """The planted secrets that ``text`` shows, in any shape."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return [shape for secret in (TOKEN, IBAN, SPACED) for shape in shapes(secret) if shape in text]


def test_shapes_are_found():
    """The search itself finds what it is to find."""
    for wrapped in (TOKEN, TOKEN.encode().hex(), base64.b64encode(b"xy" + TOKEN.encode()).decode()):
        assert found_in(f"… {wrapped} …")


@pytest.fixture
def lived(odoo_factory, work, sandbox):
    """A server at debug level in whose database secrets have passed through everything."""
    server = odoo_factory(
        work.database,
        arguments=("--log-level=debug", "--log-handler=urllib3:DEBUG"),
        environment={"FINANCE_TEST_SECRETS": json.dumps([IBAN, SPACED])},
    ).start()
    work.rpc = server.rpc()
    credential = work.value(
        "SELECT id FROM finance_credential WHERE connector_id = %s AND environment = 'local'",
        work.connector,
    )
    work.call_vendor_at(sandbox.base_url, read_timeout=1.0)
    work.policy(max_attempts=2)
    work.rpc.call("finance.credential", "write", [credential], {"value": TOKEN})
    work.rpc.call("finance.connector", "action_test", [work.connector])
    work.enqueue(work.notes(2), "sealed")
    work.wait(30)
    headers = [line["headers"] for line in sandbox.requests("echo")]
    assert any("authorization" in header for header in headers), "the credential was used"
    assert set(text["text"] for text in sandbox.state("echo")["done"].values()) == {IBAN, SPACED}
    # Refused in the vendor's words, which quote what was sent; then no answer at all.
    work.enqueue(work.notes(2, "refuse"), "sealed")
    work.wait(30)
    sandbox.set_faults({"kind": "act_then_500", "match": "POST /echo$"})
    work.enqueue(work.notes(2, "again"), "sealed")
    work.wait(30)
    assert work.states()["dead"] == 4
    sandbox.clear_faults()
    return server


def test_secrets_are_nowhere(lived, work, databases):
    """Neither read, nor exported, nor logged, nor dumped in the clear."""
    shown = read_everything(work)
    assert "finance.exchange" in shown and "finance.exception" in shown
    for model, text in shown.items():
        assert found_in(text) == [], f"read() of {model}"
    for model, fields in EXPORTS.items():
        text = export(lived, model, fields)
        assert text.count(b"\n") >= 1, f"the export of {model} is empty"
        assert found_in(text) == [], f"export of {model}"
    assert found_in(lived.read_log()) == [], "server log"
    assert "urllib3" in lived.read_log(), "the log says little"
    dump = subprocess.run(
        ["pg_dump", "--no-owner", work.database],
        env=odoo_cli.environment(databases.cluster), capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert b"finance_credential" in dump
    assert found_in(dump) == [], "pg_dump"


def read_everything(work):
    """{model: text of all that read() gives of it} for every model of the suite."""
    models = work.column("SELECT model FROM ir_model WHERE model LIKE 'finance.%%' ORDER BY model")
    shown = {}
    for model in models:
        table = model.replace(".", "_")
        if work.value("SELECT to_regclass(%s)", table) is None:
            continue
        ids = work.column(f"SELECT id FROM {table}")
        if not ids or model == "finance.audit.seal":
            continue
        try:
            rows = work.rpc.call(model, "read", ids)
        except Exception as fault:
            assert "AccessError" in getattr(fault, "name", ""), f"{model}: {fault}"
            continue
        shown[model] = json.dumps(rows, ensure_ascii=False)
    return shown


EXPORTS = {
    "finance.credential": ["name", "value", "hint", "connector_id", "status"],
    "finance.connector": ["name", "local_url", "credential_ids/value", "setting_ids/value"],
    "finance.exchange": ["url", "request_masked", "response_masked", "error_text"],
    "finance.job": ["operation", "key", "error_text", "error_code", "stream"],
    "finance.exception": ["title", "text", "effect", "params"],
    "finance.audit.event": ["kind", "data", "data_text"],
}


def export(server, model, fields):
    """The bytes of the CSV that the web client's export gives of all rows of a model."""
    opener = log_in(server)
    page = opener.open(f"{server.url}/odoo").read().decode()
    data = {
        "model": model,
        "fields": [{"name": name, "label": name} for name in fields],
        "ids": False,
        "domain": [],
        "import_compat": False,
        "context": {},
        "groupby": [],
    }
    token = re.search(r'csrf_token: "(\w+)"', page).group(1)
    form = urllib.parse.urlencode({"data": json.dumps(data), "csrf_token": token}).encode()
    return opener.open(f"{server.url}/web/export/csv", form).read()


def log_in(server, login="admin"):
    """An URL opener with the session of a user."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    page = opener.open(f"{server.url}/web/login").read().decode()
    token = re.search(r'name="csrf_token" value="(\w+)"', page).group(1)
    form = {"login": login, "password": login, "csrf_token": token}
    opener.open(f"{server.url}/web/login", urllib.parse.urlencode(form).encode())
    return opener


PRODUCTION = """
connector = env["finance.connector"].search([("provider", "=", "avatax")], limit=1)
connector._by_action({"environment": "production", "state": "ready"})
connector._ensure_rows()
connector.setting_ids.filtered(
    lambda r: r.environment == "production" and r.name == "account_id"
).value = "1100000001"
connector.credential_ids.filtered(lambda r: r.environment == "production").value = "LIVE-KEY"
connector.workflow_ids.setting_ids.filtered(lambda r: r.name == "company_code").value = "DEFAULT"
env["finance.binding"]._confirm()
env.cr.commit()
"""
MAY_CALL = """
from odoo.addons.finance_connector_base.models.finance_connector import ConnectorClosed
connector = env["finance.connector"].search([("provider", "=", "avatax")], limit=1)
try:
    result = [connector._config(connector.company_ids[:1]).base_url, connector._is_open_for_effects()]
except ConnectorClosed as closed:
    result = [str(closed), connector._is_open_for_effects()]
"""
JOB = """
connector = env["finance.connector"].search([("provider", "=", "avatax")], limit=1)
note = env["finance.test.note"].create({"name": "to production", "connector_id": connector.id})
result = note._enqueue("test.echo").ids
env.cr.commit()
"""


def test_a_copy_never_calls_production(odoo_factory, work, copies, jobs_database):
    """``createdb -T`` keeps the database uuid; the copy holds all work for production."""
    original = odoo_factory(jobs_database)
    original.shell(PRODUCTION)
    assert original.shell(MAY_CALL) == ["https://rest.avatax.com", True]
    work.close()
    copy = copies(jobs_database)
    server = odoo_factory(copy)
    words, open_for_effects = server.shell(MAY_CALL)
    assert "copy" in words and not open_for_effects
    server.start()
    (job,) = server.shell(JOB)
    table = type(work)(copy)
    try:
        wait_until(
            lambda: table.value("SELECT due_at > created_at FROM finance_job WHERE id = %s", job),
            30, "the lane's look at the job",
        )  # fmt: skip
        state = table.rows("SELECT state, attempts, called_at FROM finance_job WHERE id = %s", job)
        assert state == [("pending", 0, None)]
        assert table.value("SELECT count(*) FROM finance_exchange") == 0
    finally:
        table.close()
