"""People leave, versions come, addons go: Odoo keeps working and the evidence stays."""

import subprocess
import urllib.request

import pytest

from scripts import odoo_cli
from tests.system.odoo_process import RpcFault, wait_until
from tests.system.work import complaints

PORTAL = """
portal = env["res.users"].create({
    "name": "Pia Portal", "login": "pia", "group_ids": [(6, 0, [env.ref("base.group_portal").id])],
})
connector = env["finance.connector"].search([("provider", "=", "test_echo")])
notes = env["finance.test.note"].create(
    [{"name": name, "connector_id": connector.id} for name in ("before", "after")])
env(user=portal.id, su=True)["finance.job"]._enqueue(notes.with_user(portal.id).sudo(), "test.echo")
env["finance.audit.event"].with_user(portal.id).sudo()._record("test.portal", notes[0])
connector._by_action({"state": "ready"})
env["finance.gate"]._stop(connector)
env.cr.commit()
result = portal.id
"""


def test_a_portal_user_is_deleted(odoo_factory, work, sandbox):
    """Deleting a user changes no event, and the work the user started is still done."""
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.call_vendor_at(sandbox.base_url)
    portal = server.shell(PORTAL)
    assert work.column("SELECT DISTINCT user_id FROM finance_job") == [portal]
    before = events(work)
    assert any(row["user_id"] == portal for row in before)
    work.rpc.call("res.users", "unlink", [portal])
    assert work.rows("SELECT 1 FROM res_users WHERE id = %s", portal) == []
    assert unsealed(events(work)[: len(before)]) == unsealed(before)
    shown = work.rpc.call("finance.audit.event", "search_read", [("kind", "=", "test.portal")])
    assert len(shown) == 1
    work.rpc.call("finance.connector", "action_resume", [work.connector])
    work.enqueue(work.notes(1, "nudge", False), "trivial")
    work.wait(60)
    assert set(work.states()) == {"done"}
    assert complaints(server.read_log()) == []


def events(work):
    """All audit events as dicts, oldest first."""
    return work.column("SELECT to_jsonb(e) FROM finance_audit_event e ORDER BY id")


def unsealed(rows):
    """What the events say; that they were sealed meanwhile is no change."""
    return [{**row, "seal_id": None} for row in rows]


def test_an_update_adds_a_column_to_the_evidence(odoo_factory, work, databases):
    """After an update with one more column every row is what it was, and still guarded."""
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.enqueue(work.notes(20), "echo")
    before = events(work)
    assert len(before) >= 20
    identity = "SELECT array_agg(ARRAY[id::text, xmin::text] ORDER BY id) FROM finance_audit_event"
    untouched = work.value(identity)
    server.kill()
    odoo(databases, work, "-u", "finance_connector_base", "-i", "finance_test_column")
    columns = work.column(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = 'finance_audit_event'"
    )
    assert "next_version" in columns
    assert work.value(identity)[: len(untouched)] == untouched, "rows were written again"
    assert [{**row, "next_version": None} for row in before] == events(work)[: len(before)]
    for attack in (
        "UPDATE finance_audit_event SET next_version = 'x'",
        "UPDATE finance_audit_event SET kind = 'x'",
        "DELETE FROM finance_audit_event",
        "TRUNCATE finance_audit_event",
    ):
        with pytest.raises(Exception, match="append-only"):
            work.rows(attack)


def test_uninstall_leaves_odoo_working(odoo_factory, work, databases, sandbox):
    """First the addon of a vendor goes, with work waiting; then the suite; Odoo goes on."""
    server = odoo_factory(work.database).start()
    work.rpc = server.rpc()
    work.call_vendor_at(sandbox.base_url)
    work.jobs(5, "echo")
    work.wait(60)
    work.rpc.call("finance.connector", "action_pause", [work.connector])
    work.jobs(5, "echo", "waiting")
    uninstall(work, "finance_test_jobs")
    assert answers(f"{server.url}/web/login")
    jobs = work.rpc.call("finance.job", "search_read", [], ["display_name", "situation", "state"])
    assert {job["state"] for job in jobs} == {"done", "pending"}
    for model in ("finance.connector", "finance.exception", "finance.exchange", "finance.gate"):
        work.rpc.call(model, "search_read", [], list(work.rpc.call(model, "fields_get")))

    uninstall(work, "finance_connector_base")
    assert answers(f"{server.url}/web/login")
    left = work.column(
        "SELECT relname FROM pg_class WHERE relname LIKE 'finance\\_%%' AND relkind IN ('r', 'S')"
        " UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'finance\\_%%'"
        " UNION ALL SELECT model FROM ir_model WHERE model LIKE 'finance.%%'"
        " UNION ALL SELECT key FROM ir_config_parameter WHERE key LIKE 'finance\\_connector%%'"
        " UNION ALL SELECT name FROM ir_model_fields WHERE name LIKE 'finance\\_%%'"
    )
    assert left == []
    since = len(server.read_log())
    assert post_an_invoice(work) == "posted"
    assert complaints(server.read_log()[since:]) == []
    server.kill()
    server.start()
    assert server.rpc().call("account.move", "search_count", [("state", "=", "posted")])
    assert complaints(server.read_log()[since:]) == []


def uninstall(work, name):
    """Uninstall an addon as an administrator does: again, while a scheduled action runs."""
    module = work.value("SELECT id FROM ir_module_module WHERE name = %s", name)

    def done():
        try:
            work.rpc.call("ir.module.module", "button_immediate_uninstall", [module])
        except RpcFault as fault:
            # Odoo means to say that a scheduled action is running, and trips over its own words.
            if "ir_cron FOR UPDATE NOWAIT" not in str(fault):
                raise
            return False
        return True

    wait_until(done, 60, f"the end of {name}", pause=1)
    state = work.value("SELECT state FROM ir_module_module WHERE id = %s", module)
    assert state == "uninstalled"


def post_an_invoice(work):
    """Create and post a customer invoice; returns its state."""
    partner = work.rpc.call("res.partner", "create", [{"name": "Customer after all"}])[0]
    line = {"name": "Something", "quantity": 1, "price_unit": 100}
    values = {"move_type": "out_invoice", "partner_id": partner, "invoice_line_ids": [[0, 0, line]]}
    (invoice,) = work.rpc.call("account.move", "create", [values])
    work.rpc.call("account.move", "action_post", [invoice])
    return work.value("SELECT state FROM account_move WHERE id = %s", invoice)


def answers(url):
    """Whether a page is there."""
    with urllib.request.urlopen(url, timeout=60) as response:
        return response.status == 200 and b"csrf_token" in response.read()


def odoo(databases, work, *arguments):
    """Run Odoo's command line on the database to its end."""
    command = odoo_cli.odoo("-d", work.database, *arguments, "--stop-after-init", "--no-http")
    done = subprocess.run(
        command, env=databases.environment, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert complaints(done.stderr) == []
