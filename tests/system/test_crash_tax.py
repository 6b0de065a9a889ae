"""Invoices, a server that is killed over and over, and a tax engine that misbehaves."""

import http.client
import time

import pytest

from tests.soak import only_in_soak
from tests.system.odoo_process import RpcFault, wait_until
from tests.system.test_crash import EXPECTED, FAULTS, POINTS, SEEDS
from tests.system.work import Work, complaints

# A person presses a button while a lane works on the same invoice: Odoo runs the button again.
PRESSED_TWICE = ("bad query", "could not serialize access due to concurrent update")
# Posted, posted and taken back, or posted again with other content: what is final at the engine.
DRAFTS = """
customer = env.ref("finance_tax_engine.demo_customer")
products = [env.ref(f"finance_tax_engine.demo_product_{{n}}") for n in ("shelf", "lamp", "cable")]
connector = env.ref("finance_tax_engine.demo_connector")
connector.write({{"local_url": {url!r}, "read_timeout": 1.0}})
connector.workflow_ids.write({{
    "tax_outage": "refuse", "max_attempts": 40,
    "backoff_base_seconds": 0.2, "backoff_cap_seconds": 2.0,
}})
result = env["account.move"].create([
    {{
        "move_type": "out_invoice",
        "partner_id": customer.id,
        "invoice_date": f"2026-03-{{1 + number % 28:02}}",
        "invoice_line_ids": [
            (0, 0, {{"product_id": product.id, "quantity": 1 + number % 3,
                    "price_unit": 10 + number}})
            for product in products
        ],
    }}
    for number in range({count})
]).ids
env.cr.commit()
"""


def runs():
    """(point, seed): one by default; with SOAK each point with some seeds."""
    for point in POINTS:
        for seed in range(1, SEEDS + 1):
            first = (point, seed) == ("after_send", 1)
            marks = [] if first else [only_in_soak("all points are tried with plain jobs")]
            yield pytest.param(point, seed, marks=marks, id=f"{point}-{seed}")


@pytest.mark.parametrize(("point", "seed"), runs())
def test_invoices_and_crashes(point, seed, odoo_factory, work, sandbox, soak):
    """At the end the engine has exactly one committed document an invoice, with its content."""
    number = 500 if soak else 12
    server = odoo_factory(work.database).start()
    url = f"{sandbox.base_url}/avatax"
    invoices = server.shell(DRAFTS.format(url=url, count=number), timeout=600)
    work.rpc = server.rpc()
    server.kill()
    server.start(FINANCE_KILL_POINT=f"{point}:{POINTS[point]}:{seed}")
    faults = [{**fault, "seed": seed, "match": "POST /.*(adjust|void)"} for fault in FAULTS]
    sandbox.set_faults(*faults)
    for start in range(0, number, 50):
        insist(work, "action_post", invoices[start : start + 50], "posted")
    changed, cancelled = invoices[: number // 4], invoices[number // 4 : number // 2]
    insist(work, "button_draft", changed + cancelled, "draft")
    for invoice in changed:
        (line, *_rest) = work.column(
            "SELECT id FROM account_move_line WHERE move_id = %s AND display_type = 'product'"
            " ORDER BY id", invoice,
        )  # fmt: skip
        values = {"invoice_line_ids": [[1, line, {"quantity": 9}]]}
        work.rpc.call("account.move", "write", [invoice], values)
    insist(work, "action_post", changed, "posted")
    insist(work, "button_cancel", cancelled, "cancel")
    again = invoices[number * 3 // 4 :]
    record_again(work, again, 1800 if soak else 120)
    nudges = work.wait(1800 if soak else 120, nudge=3)
    log = server.read_log()
    kills = log.count("was left behind by a dead lane")
    print(f"{point}: {number} invoices, {kills} jobs recovered, {len(nudges)} times idle")
    check_engine(work, sandbox, invoices, set(cancelled))
    check_adjusted(work, sandbox, again)
    assert complaints(log, EXPECTED + PRESSED_TWICE) == []


def insist(work, button, invoices, wanted):
    """Press a button as a person does: again, when the server died in the middle of it, or when it
    said that the engine does not answer."""
    for _attempt in range(60):
        left = work.column(
            "SELECT id FROM account_move WHERE id = ANY(%s) AND state <> %s", invoices, wanted
        )
        if not left:
            return
        try:
            work.rpc.call("account.move", button, left)
        except (http.client.RemoteDisconnected, ConnectionError):
            continue
        except RpcFault as fault:
            if "does not answer" not in fault.message:
                raise
            time.sleep(1)
    raise AssertionError(f"{button} never got through")


def record_again(work, invoices, seconds):
    """Have documents recorded again that the engine is said to have with another tax."""
    recorded = "SELECT id FROM finance_tax_document WHERE move_id = ANY(%s) AND state = %s"
    wait_until(lambda: len(work.column(recorded, invoices, "committed")) == len(invoices), seconds)
    # every one of its own answers agrees, so the difference is planted
    documents = work.column(
        "UPDATE finance_tax_document SET state = 'mismatch' WHERE move_id = ANY(%s) RETURNING id",
        invoices,
    )
    for _attempt in range(60):
        left = work.column(recorded, invoices, "mismatch")
        if not left:
            break
        try:
            work.rpc.call("finance.tax.document", "action_record_again", left)
        except (http.client.RemoteDisconnected, ConnectionError):
            continue
    assert documents and not left


def check_adjusted(work: Work, sandbox, invoices):
    """What was recorded again was put over what was there, and is known as that."""
    told = work.column(
        "SELECT v.code FROM finance_tax_version v WHERE v.move_id = ANY(%s)"
        " AND v.action = 'adjusted'", invoices,
    )  # fmt: skip
    assert len(told) == len(set(told)) == len(invoices), "each applied once"
    kept = {document["code"]: document for document in sandbox.state("avatax")["documents"]}
    assert all(kept[code]["adjusted"] >= 1 for code in told)


def check_engine(work: Work, sandbox, invoices, cancelled):
    """Books and engine say the same; nothing is left to do."""
    states = work.states()
    assert set(states) <= {"done", "cancelled"}, f"jobs: {dict(states)}"
    documents = {}
    for document in sandbox.state("avatax")["documents"]:
        if document["status"] == "Committed":
            documents[document["code"]] = document
    rows = work.rows(
        "SELECT m.id, m.state, m.amount_tax, d.uuid, d.revision, d.state FROM account_move m"
        " JOIN finance_tax_document d ON d.move_id = m.id WHERE m.id = ANY(%s)", invoices,
    )  # fmt: skip
    assert len(rows) == len(invoices)
    posted = [row for row in rows if row[1] == "posted"]
    assert {row[0] for row in rows} - {row[0] for row in posted} == cancelled
    assert {row[5] for row in posted} == {"committed"}
    codes = dict(
        (row["id"], row["finance_tax_code"])
        for row in work.rpc.call(
            "account.move", "read", [row[0] for row in posted], ["finance_tax_code"]
        )
    )
    assert sorted(documents) == sorted(codes.values())
    for move, _state, tax, *_rest in posted:
        assert float(documents[codes[move]]["totalTax"]) == float(tax)
    # That the connector failed so often is said, too: that is another matter.
    told = "SELECT code, params FROM finance_exception WHERE state = 'open' AND code NOT LIKE %s"
    assert work.rows(told, "health.%") == []
