"""A person's values go through real work; after erasing, a dump of the database holds none."""

import contextlib
import json
import subprocess

import psycopg2
import pytest

from odoo.addons.finance_connector_base.evidence.index import Index
from odoo.addons.finance_connector_base.evidence.sources import DatabaseSource
from odoo.addons.finance_connector_base.evidence.verify import trust_of, verify
from odoo.addons.finance_connector_base.vault import KeyRing, Vault

from scripts import odoo_cli
from tests.system.odoo_process import RpcFault, wait_until
from tests.system.test_secrets import shapes

# Made up, and unlike anything else in the database.
NAME = "Zdenka Quillfeather-Ostrander"
STREET = "4711 Quillfeather Lane"
PHONE = "+1 713 555 0142"
IBAN = "DE02 1203 0000 0000 2020 51"
REASON = "Mrs Quillfeather called: she pays the difference"
REFERENCE = "Letter of Z. Quillfeather, May"
NOTE = "Quillfeather's son calls back"
PLANTED = (
    NAME,
    STREET,
    PHONE,
    IBAN,
    IBAN.replace(" ", ""),
    REASON,
    REFERENCE,
    NOTE,
    "Quillfeather",
)
SHAPES = {value: [shape.casefold() for shape in shapes(value)] for value in PLANTED}

PREPARE = """
env = env(user=1, su=True)
connector = env.ref("finance_tax_engine.demo_connector")
connector.local_url = {url!r}
connector.workflow_ids.filtered(lambda row: row.flow == "tax").write({{
    "tax_outage": "fallback", "max_attempts": 1,
}})
for login, group in (("controller", "controller"), ("clerk", "user")):
    env["res.users"].create({{
        "name": login, "login": login, "password": login, "group_ids": [(6, 0, [
            env.ref(f"finance_connector_base.group_{{group}}").id,
            env.ref("account.group_account_manager").id,
            env.ref("base.group_partner_manager").id,
        ])],
    }})
env.cr.commit()
result = [env.ref("base.state_us_44").id, env.ref("base.us").id,
          env.ref("finance_tax_engine.demo_product_lamp").id,
          env.ref("finance_tax_engine.demo_customer").id]
"""
SEAL = "env['finance.audit.seal']._seal()"


@pytest.fixture
def office(odoo_factory, database, sandbox):
    """A server whose tax engine is the sandbox: (server, ids of Texas, USA, product, customer)."""
    server = odoo_factory(database)
    ids = server.shell(PREPARE.format(url=f"{sandbox.base_url}/avatax"))
    return server.start(), ids


def dump_of(database, databases):
    """The full text that ``pg_dump`` gives of a database."""
    return subprocess.run(
        ["pg_dump", "--no-owner", database],
        env=odoo_cli.environment(databases.cluster), capture_output=True, check=True,
    ).stdout.decode("utf-8", "replace")  # fmt: skip


def found_in(dump):
    """{(table, planted value)} of what a dump shows, in any shape."""
    found, table = set(), ""
    for line in dump.casefold().splitlines():
        if line.startswith("copy "):
            table = line.split()[1]
        found |= {
            (table, value)
            for value, shapes in SHAPES.items()
            if any(map(line.__contains__, shapes))
        }
    return found


def wizard(rpc, action, **values):
    """Fill in and confirm the dialog that an action opens."""
    context = action["context"]
    record = rpc.call(action["res_model"], "create", [values], context=context)
    return rpc.call(action["res_model"], "action_confirm", record, context=context)


def jobs_of(rpc, invoice):
    domain = [["document_model", "=", "account.move"], ["document_id", "=", invoice]]
    return rpc.call("finance.job", "search_read", domain, ["state"])


def work_with(office, sandbox):
    """Everything that leaves traces of a customer; returns (partner, invoices).

    Another customer's invoice is recorded too.
    """
    server, (state, country, product, other) = office
    clerk, controller, admin = server.rpc("clerk"), server.rpc("controller"), server.rpc()
    [partner] = clerk.call("res.partner", "create", [{
        "name": NAME, "street": STREET, "phone": PHONE, "city": "Houston", "zip": "77002",
        "state_id": state, "country_id": country,
    }])  # fmt: skip
    admin.call("res.partner.bank", "create", [{"acc_number": IBAN, "partner_id": partner}])

    def invoice(price, customer=partner):
        line = {"product_id": product, "quantity": 1, "price_unit": price}
        [number] = clerk.call("account.move", "create", [{
            "move_type": "out_invoice", "partner_id": customer, "invoice_date": "2026-03-02",
            "invoice_line_ids": [[0, 0, line]],
        }])  # fmt: skip
        clerk.call("account.move", "action_post", [number])
        return number

    invoice(50, other)
    recorded = invoice(100)
    wait_until(lambda: [job["state"] for job in jobs_of(clerk, recorded)] == ["done"])
    # The engine is quoted, then does not record: done outside, by the reference of a letter.
    sandbox.set_faults({"kind": "503", "match": "POST /.*createoradjust"})
    outside = invoice(200)
    [job] = wait_until(
        lambda: [job for job in jobs_of(clerk, outside) if job["state"] == "dead"],
        what="the stopped job",
    )
    action = controller.call("finance.job", "action_done_outside", [job["id"]])
    wizard(controller, action, reference=REFERENCE)
    # The engine does not answer at all: posted with the fallback rate, accepted with a reason.
    sandbox.set_faults({"kind": "503", "match": "POST /"})
    fallback = invoice(300)
    sandbox.clear_faults()
    domain = [["document_id", "=", fallback], ["code", "=", "tax.fallback"]]
    [exception] = clerk.call("finance.exception", "search", domain)
    clerk.call("finance.exception", "message_post", [exception], body=NOTE)
    wizard(clerk, clerk.call("finance.exception", "action_handle", [exception]), reason=REASON)
    return partner, [recorded, outside, fallback]


def anonymise(server, partner, invoices):
    """What an administrator does with a contact in Odoo itself."""
    admin = server.rpc()
    empty = dict.fromkeys(("street", "phone", "city", "zip", "state_id"), False)
    admin.call("res.partner", "write", [partner], {"name": f"Erased {partner}", **empty})
    accounts = admin.call("res.partner.bank", "search", [["partner_id", "=", partner]])
    # Deleting would only archive them.
    admin.call("res.partner.bank", "write", accounts, {"acc_number": f"erased-{partner}"})
    for model, ids in (
        ("res.partner", [partner]),
        ("res.partner.bank", accounts),
        ("account.move", invoices),
    ):
        notes = admin.call("mail.message", "search", [["model", "=", model], ["res_id", "in", ids]])
        admin.call("mail.message", "unlink", notes)


def checked(server, database):
    """The report of ``verify`` on the live database."""
    ring = KeyRing.from_file(odoo_cli.vault_key())
    with contextlib.closing(psycopg2.connect(dbname=database)) as connection, Index() as index:
        source = DatabaseSource(connection)
        return verify(source, index, lambda uuid: trust_of(ring, vault=Vault(ring, uuid)))


def test_nothing_of_a_person_is_left(office, sandbox, database, databases):
    """And the proof holds: for others as before, for the erased as tombstones."""
    server, _ids = office
    partner, invoices = work_with(office, sandbox)
    server.shell(SEAL)
    before = dump_of(database, databases)
    shown = {value for _table, value in found_in(before)}
    assert shown >= {NAME, STREET, PHONE, IBAN}, "the search finds what is there"
    auditor = server.shell("result = env['finance.audit.detail'].search([]).mapped('content_text')")
    told = json.dumps(auditor)
    assert NAME in told and REASON in told and REFERENCE in told

    controller = server.rpc("controller")
    [hold] = controller.call(
        "finance.legal.hold", "create", [{"partner_id": partner, "reason": "Court file 7"}]
    )
    [erasure] = controller.call("finance.erasure", "create", [{"partner_id": partner}])
    with pytest.raises(RpcFault, match="legal hold"):
        controller.call("finance.erasure", "action_erase", [erasure])
    controller.call("finance.legal.hold", "write", [hold], {"lift_reason": "Case closed"})
    controller.call("finance.legal.hold", "action_lift", [hold])

    anonymise(server, partner, invoices)
    [erasure] = controller.call("finance.erasure", "create", [{"partner_id": partner}])
    lines = controller.call(
        "finance.erasure.line", "search_read", [["erasure_id", "=", erasure]],
        ["what", "count", "stays", "why"],
    )  # fmt: skip
    goes = {line["what"]: line["count"] for line in lines if not line["stays"]}
    assert all(line["why"] for line in lines if line["stays"])
    assert len([count for count in goes.values() if count]) >= 6, goes
    controller.call("finance.erasure", "action_erase", [erasure])

    after = dump_of(database, databases)
    assert "finance_audit_detail" in after
    assert found_in(after) == set()
    server.shell(SEAL)
    report = checked(server, database)
    assert report.outcome in ("sound", "unproved"), report.sentences()
    assert not report.findings, report.sentences()
    details = report.details
    assert details["erased"] > 3 and details["fine"] > 0, details
    # What is void at the engine later needs nothing of what was erased.
    clerk = server.rpc("clerk")
    clerk.call("account.move", "button_draft", [invoices[0]])
    wait_until(
        lambda: {job["state"] for job in jobs_of(clerk, invoices[0])} == {"done"},
        what="the void",
    )
    documents = sandbox.state("avatax")["documents"]
    assert "Cancelled" in {row["status"] for row in documents}
