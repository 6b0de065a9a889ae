"""What matching bank lines costs: ours against OCA's automatic reconciliation.

Lines that name an open invoice in full and pay it exactly, in one currency, on databases of their own,
each measured by a process of its own: processor time and queries from lines that stand in suspense to
lines that are reconciled. The lines are created before, without counting that; both sides have at least
as many open invoices as our shortest run has lines. The peer is account_reconcile_oca from the package
index; it is measured on fewer lines, since it takes long, and longer a line the more lines there are.

BENCH_PEER=0 leaves the peer out; BENCH_LINES sets the numbers of lines (500,2000), BENCH_PEER_LINES of
the peer's (100), BENCH_ROUNDS of rounds.
"""

import json
import os
import subprocess
import sys
import time

from benchmarks.lib import bench_odoo
from benchmarks.lib.figures import Goal, alternate, printing
from scripts import odoo_cli, postgres
from scripts.console import Failure
from scripts.paths import PYTHON, ROOT

LINES = [int(number) for number in os.environ.get("BENCH_LINES", "500,2000").split(",")]
PEER_LINES = int(os.environ.get("BENCH_PEER_LINES", 100))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 3))
CHUNK = 200
OURS, PEER = "bench_match", "bench_match_oca"
PEER_NAME = "OCA account_reconcile_oca 19.0"
PEER_PACKAGES = (
    "odoo-addon-account-reconcile-oca==19.0.*", "odoo-addon-account-statement-base==19.0.*",
)  # fmt: skip


# === IN THE MEASURED PROCESS === #


def measured(name, path, number):
    """Match ``number`` lines in database ``name``; return {cpu, queries, matched}."""
    here = bench_odoo.Here(name, path)
    with here.transaction() as env:
        _stop_peer(env)
        lines = _lines(env, number)
        env.cr.commit()
    with here.transaction() as env:
        lines = env["account.bank.statement.line"].browse(lines)
        match = _peer if name == PEER else _ours
        queries, started = env.cr.sql_log_count, time.process_time()
        for first in range(0, number, CHUNK):
            match(lines[first : first + CHUNK])
            env.cr.commit()
        cpu = time.process_time() - started
        lines.invalidate_recordset()
        return {
            "cpu": cpu,
            "queries": env.cr.sql_log_count - queries,
            "matched": sum(lines.mapped("is_reconciled")),
        }


def _ours(lines):
    lines._finance_match()
    lines.env.flush_all()


def _peer(lines):
    lines._finance_bench_auto()
    lines.env.flush_all()


def _stop_peer(env):
    """Let the peer create lines without matching them at once, so that matching is what counts."""
    model = env.registry["account.bank.statement.line"]
    if hasattr(model, "_auto_reconcile"):
        model._finance_bench_auto = model._auto_reconcile
        model._auto_reconcile = lambda self: None


def _lines(env, number):
    """Create invoices, and bank lines that pay ``number`` of them; return the ids of the lines."""
    env = env(context={"tracking_disable": True})
    company = env.company
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
    env["res.partner"].create([{"name": f"Customer {index}"} for index in range(20)])
    partners = env["res.partner"].search([("name", "=like", "Customer %")], limit=20)
    day = "2026-03-02"
    invoices = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": partners[index % 20].id,
                "invoice_date": day,
                "invoice_line_ids": [
                    (0, 0, {"name": "Work", "price_unit": 100 + index / 100, "tax_ids": False})
                ],
            }
            for index in range(max(number, LINES[0]))
        ]
    )
    invoices.action_post()
    journal = env["account.journal"].search(
        [("type", "=", "bank"), ("company_id", "=", company.id)], limit=1
    )
    lines = env["account.bank.statement.line"].create(
        [
            {
                "journal_id": journal.id,
                "date": "2026-03-20",
                "payment_ref": invoice.name,
                "amount": invoice.amount_total,
            }
            for invoice in invoices[:number]
        ]
    )
    return lines.ids


# === MEASURING === #


def run(name, path, number, environment):
    """Measure in a process of its own; return what `measured` returns."""
    command = [PYTHON, "-m", "benchmarks.bank_match", name, path, str(number)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    result = json.loads(done.stdout.splitlines()[-1])
    if result["matched"] != number:
        raise RuntimeError(f"{name}: {result['matched']} of {number} lines are reconciled")
    return result


def peer_path():
    """Return (addons path with the peer, "") or (None, why it can't run)."""
    if os.environ.get("BENCH_PEER") == "0":
        return None, "; peer left out by BENCH_PEER=0"
    try:
        folder = bench_odoo.fetched("account_reconcile_oca", *PEER_PACKAGES)
    except Failure as failure:
        return None, f"; peer can't run: {failure}"
    return bench_odoo.addons_path(folder / "odoo" / "addons"), ""


def main():
    """Print the figures."""
    with printing() as figures:
        cluster = postgres.server("bench")
        environment = odoo_cli.environment(cluster)
        path = bench_odoo.addons_path()
        bench_odoo.database(cluster, OURS, ("account", "finance_bank_sync"), path, environment)
        other, note = peer_path()
        if other:
            bench_odoo.database(
                cluster, PEER, ("account", "account_reconcile_oca"), other, environment
            )
        for number in LINES:
            ours, peer = alternate(
                ROUNDS,
                lambda _n, number=number: run(OURS, path, number, environment),
                other and (lambda _n: run(PEER, other, PEER_LINES, environment)),
            )
            _print(figures, number, ours, peer, note)


def _print(figures, number, ours, peer, note):
    suffix = "" if number == LINES[0] else f".{number}"
    for name, key, factor, goal in (
        ("bank.match_cpu", "cpu", 1000, Goal("ratio", ">=", 20)),
        ("bank.match_queries_per_line", "queries", 1, Goal("ours", "<=", 15)),
    ):
        figures.add(
            name + suffix,
            [factor * result[key] / number for result in ours],
            peer=peer and [factor * result[key] / PEER_LINES for result in peer],
            peer_name=PEER_NAME,
            less_is_better=True,
            goal=goal,
            n=number,
            note=("ms of processor time a line" if key == "cpu" else "queries a line")
            + f"; peer on {PEER_LINES} lines{note}",
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measured(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
    else:
        main()
