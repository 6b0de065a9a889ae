"""Tax with real transactions: two people, one engine, one database."""

import contextlib
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.system.odoo_process import wait_until

# Runs in the database before the servers do anything: drafts for one customer in Texas.
DRAFTS = """
customer = env.ref("finance_tax_engine.demo_customer")
products = [env.ref(f"finance_tax_engine.demo_product_{{n}}") for n in ("shelf", "lamp", "cable")]
connector = env.ref("finance_tax_engine.demo_connector")
connector.local_url = {url!r}
connector.workflow_ids.tax_outage = "refuse"
result = env["account.move"].create([
    {{
        "move_type": "out_invoice",
        "partner_id": customer.id,
        "invoice_date": f"2026-03-{{day:02}}",
        "invoice_line_ids": [
            (0, 0, {{"product_id": product.id, "quantity": 1, "price_unit": 10 * day}})
            for product in products
        ],
    }}
    for day in range(1, {count} + 1)
]).ids
env.cr.commit()
"""

MARCH = """
connector = env.ref("finance_tax_engine.demo_connector")
connector.action_test()
result = env["finance.tax.reconciliation"]._ensure(connector.workflow_ids, ["2026-03"]).id
env.cr.commit()
"""


@pytest.fixture
def engine(odoo, sandbox):
    """(server, create drafts, control of the sandbox)."""

    def drafts(count):
        return odoo.shell(DRAFTS.format(url=f"{sandbox.base_url}/avatax", count=count))

    return odoo, drafts, sandbox


def asked(sandbox):
    """Questions, that is: transactions that are not kept."""
    return [
        request
        for request in sandbox.requests("avatax")
        if request["path"].endswith("/transactions/create")
    ]


def together(*calls):
    """Run the calls at the same time; return each one's result or exception."""
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(call) for call in calls]
        return [future.exception() or future.result() for future in futures]


def press(rpc, button, invoice):
    """Call a button that returns nothing, which XML-RPC has no word for."""
    with contextlib.suppress(xmlrpc.client.Fault):
        rpc.call("account.move", button, [invoice])


def states(rpc, ids):
    return [
        (row["state"], row["finance_tax_state"])
        for row in rpc.call("account.move", "read", ids, ["state", "finance_tax_state"])
    ]


def recorded(sandbox):
    documents = sandbox.state("avatax")["documents"]
    return [row["code"] for row in documents if row["status"] == "Committed"]


def test_two_sessions_make_the_same_new_jurisdiction_once_and_ask_nothing_twice(engine):
    odoo, drafts, sandbox = engine
    first, second = drafts(2)
    rpc = odoo.rpc()
    sandbox.forget_requests()
    # both have asked before either has made a tax
    sandbox.set_latency(400)
    outcomes = together(
        lambda: rpc.call("account.move", "action_post", [first]),
        lambda: rpc.call("account.move", "action_post", [second]),
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    sandbox.set_latency(0)
    assert len(asked(sandbox)) == 2, "the transaction that was run again asked nothing twice"
    taxes = rpc.call("account.tax", "search_read", [("name", "like", "TX %[%]")], ["name"])
    assert len({tax["name"] for tax in taxes}) == len(taxes) == 3
    groups = rpc.call("account.tax.group", "search_count", [("name", "=", "State Tax")])
    assert groups == 1
    assert "could not serialize access" in odoo.read_log(), "the second was really too late"
    wait_until(
        lambda: states(rpc, [first, second]) == [("posted", "committed")] * 2,
        what="both documents recorded",
    )
    assert len(recorded(sandbox)) == 2


def test_two_sessions_post_the_same_invoice(engine):
    odoo, drafts, sandbox = engine
    (invoice,) = drafts(1)
    rpc = odoo.rpc()
    sandbox.forget_requests()
    sandbox.set_latency(300)
    outcomes = together(
        *[lambda: rpc.call("account.move", "action_post", [invoice]) for _ in range(2)]
    )
    sandbox.set_latency(0)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(refused) == 1 and "must be in draft" in str(refused[0])
    wait_until(lambda: recorded(sandbox), what="the recorded document")
    wait_until(lambda: states(rpc, [invoice]) == [("posted", "committed")])
    assert len(recorded(sandbox)) == 1
    jobs = rpc.call("finance.job", "search_count", [("document_id", "=", invoice)])
    assert jobs == 1


def test_two_people_compare_the_same_month(engine):
    odoo, drafts, sandbox = engine
    (invoice,) = drafts(1)
    rpc = odoo.rpc()
    rpc.call("account.move", "action_post", [invoice])
    wait_until(lambda: states(rpc, [invoice]) == [("posted", "committed")])
    period = odoo.shell(MARCH)
    sandbox.forget_requests()
    # the first run is still under way when the second person presses the button
    sandbox.set_faults(
        {"kind": "delay", "delay_ms": 1500, "match": "GET /transactions", "times": 1}
    )
    outcomes = together(
        *[lambda: rpc.call("finance.tax.reconciliation", "action_compare", [period])] * 2
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    jobs = [("res_model", "=", "finance.tax.reconciliation"), ("res_id", "=", period)]
    wait_until(
        lambda: (
            not rpc.call(
                "finance.job", "search_count", [*jobs, ("state", "not in", ("done", "cancelled"))]
            )
        ),
        what="the comparison done",
    )
    [row] = rpc.call("finance.tax.reconciliation", "read", [period], ["run", "matched_count"])
    assert (row["run"], row["matched_count"]) == (1, 1)
    lists = [row for row in sandbox.requests("avatax") if row["path"].endswith("/transactions")]
    assert len(lists) == rpc.call("finance.job", "search_count", jobs) == 1


def test_edit_and_repost_while_the_recording_is_under_way(engine):
    odoo, drafts, sandbox = engine
    (invoice,) = drafts(1)
    rpc = odoo.rpc()
    sandbox.set_faults(
        {"kind": "delay", "delay_ms": 1500, "match": "POST /createoradjust", "times": 1}
    )
    rpc.call("account.move", "action_post", [invoice])
    wait_until(
        lambda: rpc.call("finance.job", "search_count", [("state", "=", "calling")]),
        what="the call under way",
    )
    press(rpc, "button_draft", invoice)
    (line, *_rest) = rpc.call("account.move", "read", [invoice], ["invoice_line_ids"])[0][
        "invoice_line_ids"
    ]
    rpc.call("account.move", "write", [invoice], {"invoice_line_ids": [[1, line, {"quantity": 7}]]})
    rpc.call("account.move", "action_post", [invoice])
    wait_until(
        lambda: states(rpc, [invoice]) == [("posted", "committed")], 60, "the second recording"
    )
    documents = sandbox.state("avatax")["documents"]
    committed = [row for row in documents if row["status"] == "Committed"]
    assert len(committed) == 1 and len(documents) == 2
    (move,) = rpc.call("account.move", "read", [invoice], ["amount_tax"])
    assert float(committed[0]["totalTax"]) == move["amount_tax"]
    unfinished = [("state", "not in", ["done", "cancelled"])]
    assert rpc.call("finance.job", "search_count", unfinished) == 0
