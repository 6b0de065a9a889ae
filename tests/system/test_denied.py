"""What people try and may not do is kept, with real processes: the error rolls the rest back."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.system.odoo_process import RpcFault
from tests.system.work import Table, complaints

ROLES = ("nobody", "user", "approver", "controller", "administrator", "auditor")
PREPARE = """
env = env(user=1, su=True)
groups = {
    role: env.ref("base.group_user" if role == "nobody" else f"finance_connector_base.group_{role}")
    for role in ROLES
}
for role, group in groups.items():
    env["res.users"].create({
        "name": role, "login": f"try_{role}", "password": f"try_{role}",
        "group_ids": [(6, 0, group.ids)],
    })
connector = env["finance.connector"].search([("provider", "=", "avatax")], limit=1)
connector.environment = "sandbox"
administrator = env["res.users"].search([("login", "=", "try_administrator")])
credential = connector.credential_ids.filtered(lambda row: row.environment == "production")[:1]
credential.with_user(administrator).value = "0123456789abcdef0123456789abcdef"
env["ir.config_parameter"].set_param("finance_connector.production_policy", "other_person")
job = env["finance.job"].create({
    "uuid": "u", "operation": "tax.commit", "effect": "idempotent", "calls": True, "key": "k",
    "connector_id": connector.id, "company_id": env.company.id, "user_id": 1, "state": "uncertain",
    "stream": "s", "trace_id": "t", "priority": 10, "attempts": 1, "res_model": "res.partner",
    "res_id": env.company.partner_id.id, "document_model": "res.partner",
    "document_id": env.company.partner_id.id,
})
result = {
    "finance.job": job.id,
    "finance.connector": connector.id,
    "finance.credential": credential.id,
    "finance.exception": env["finance.exception"]._raise("job.held", job=job).id,
    "finance.exchange": env["finance.exchange"].create(
        {"operation": "x", "company_id": env.company.id, "connector_id": connector.id}).id,
    "finance.audit.event": env["finance.audit.event"]._record("test").id,
    "finance.legal.hold": env["finance.legal.hold"].create(
        {"reason": "x", "company_id": env.company.id}).id,
}
env.cr.commit()
"""
# model, method, arguments, who is refused, what is kept: action, rule and whether with the record
ATTEMPTS = (
    ("finance.job", "action_cancel", (), set(ROLES) - {"controller"}, "job.cancel", "group", True),
    ("finance.job", "action_send_again", (), set(ROLES) - {"approver"}, "job.send_again", "group",
     True),
    ("finance.job", "read", (["request_sealed"],), {"user", "controller", "auditor"}, "read",
     "secret", True),
    ("finance.job", "write", ({"state": "done"},), ROLES, "write", "access", False),
    ("finance.exception", "action_handle", (), {"nobody", "auditor"}, "exception.handle", "access",
     True),
    ("finance.exception", "write", ({"state": "handled"},), {"user", "controller"}, "write",
     "guard", True),
    ("finance.exchange", "action_download_request", (), {"user", "approver", "administrator"},
     "payload.open", "group", True),
    ("finance.connector", "action_switch_to_production", (), set(ROLES) - {"administrator"},
     "connector.production", "group", True),
    ("finance.connector", "action_switch_to_production", (), {"administrator"},
     "connector.production", "policy", True),
    ("finance.connector", "write", ({"state": "ready"},), {"administrator"}, "write", "guard",
     True),
    ("finance.credential", "read", (["value"],), {"nobody", "user", "approver", "controller"},
     "read", "access", False),
    ("finance.audit.event", "write", ({"kind": "x"},), ROLES, "write", "guard", True),
    ("finance.legal.hold", "write", ({"reason": "y"},), {"controller"}, "write", "guard", True),
)  # fmt: skip


@pytest.fixture
def tried(odoo_factory, database, afterwards):
    """(server, not yet started, table, ids of the records) with a user of each role."""
    server = odoo_factory(database, workers=3, cron_threads=1)
    ids = server.shell(f"ROLES = {ROLES!r}\n{PREPARE}")
    table = Table(database)
    afterwards.callback(table.close)
    return server, table, ids


def refused(rpc, model, method, *arguments):
    """Whether the server refuses a call, and in which class of words."""
    try:
        rpc.call(model, method, *arguments)
    except RpcFault as fault:
        return fault.name.rpartition(".")[2]
    return None


def test_each_role_is_found_in_the_trail(tried):
    """Buttons, guarded state, policy, secrets, access: all over RPC; and repeats are counted."""
    server, table, ids = tried
    server.start()
    rpcs = {role: server.rpc(f"try_{role}") for role in ROLES}
    wanted = Counter()
    for model, method, arguments, roles, action, rule, of_record in ATTEMPTS:
        for role in roles:
            what = f"{role}: {model}.{method}{arguments}"
            words = refused(rpcs[role], model, method, [ids[model]], *arguments)
            assert words in ("AccessError", "UserError"), what
            number = ids[model] if of_record else 0
            wanted[rpcs[role].uid, model, number, action, rule] += 1
    rows = table.rows(
        "SELECT user_id, res_model, res_id, action, rule, count FROM finance_denied_action"
    )
    assert Counter({row[:5]: row[5] for row in rows}) == wanted
    events = table.rows(
        "SELECT user_id, res_model, COALESCE(res_id, 0), data->>'action', data->>'rule',"
        " (data->>'count')::int FROM finance_audit_event WHERE kind = 'action.denied'"
    )
    assert Counter(row[:5] for row in events) == Counter(dict.fromkeys(wanted, 1))
    assert {row[5] for row in events} == {1}
    # Nothing of what was tried has happened.
    assert table.value("SELECT state FROM finance_job") == "uncertain"
    assert table.value("SELECT state FROM finance_exception WHERE code = 'job.held'") == "open"
    environment = "SELECT environment FROM finance_connector WHERE id = %s"
    assert table.value(environment, ids["finance.connector"]) == "sandbox"
    auditor = rpcs["auditor"].call(
        "finance.denied.action", "search_read", [], ["action_words", "rule_words", "record_name"]
    )
    assert len(auditor) == len(rows)
    count_repeats(server, table, ids)
    assert complaints(server.read_log()) == []


def count_repeats(server, table, ids):
    """The same again, by many at once and over JSON-2, is counted on the row of the hour."""
    key = server.shell(
        "user = env['res.users'].search([('login', '=', 'try_nobody')])\n"
        "result = env['res.users.apikeys'].with_user(user).sudo()._generate("
        "'rpc', 'test', '2099-01-01')\n"
        "env.cr.commit()"
    )
    table.rows("TRUNCATE finance_denied_action")
    before = table.value("SELECT max(id) FROM finance_audit_event")

    def attempt(_number):
        status, answer = server.json2("finance.job", "action_cancel", key, ids=[ids["finance.job"]])
        return status, answer["name"].rpartition(".")[2]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(attempt, range(40))) == {(403, "AccessError")}
    for _time in range(3):
        status, _answer = server.json2("finance.connector", "search_read", key, domain=[])
        assert status == 403
    rows = table.rows("SELECT action, count FROM finance_denied_action ORDER BY action")
    assert rows == [("job.cancel", 40), ("read", 3)]
    counts = table.rows(
        "SELECT data->>'action', (data->>'count')::int FROM finance_audit_event"
        " WHERE kind = 'action.denied' AND id > %s ORDER BY 1, 2",
        before,
    )
    assert counts == [("job.cancel", 1), ("job.cancel", 10), ("read", 1)]


HELD_UP = """
import psycopg2
user = env["res.users"].search([("login", "=", "try_nobody")])
other = psycopg2.connect(dbname=env.cr.dbname)
other.cursor().execute("LOCK TABLE finance_denied_action IN ACCESS EXCLUSIVE MODE")
job = env["finance.job"].search([], limit=1)
result = ""
try:
    job.with_user(user).action_cancel()
except Exception as error:
    result = type(error).__name__
other.rollback()
"""


def test_it_waits_for_nobody_for_long(tried):
    """Somebody holds the table: the user is refused as usual, and the log tells who tried.

    The table is given back only afterwards, so whoever waited for it would wait for good.
    """
    server, _table, _ids = tried
    assert server.shell(HELD_UP) == "AccessError"
