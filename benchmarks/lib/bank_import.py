"""Importing a camt file into Odoo: ours and the peer's, each in a process and database of its own.

Counted are all queries from the received bytes to the last posted line, by created line, and by how
much the process grows meanwhile. Nothing is matched by either.
"""

import base64
import multiprocessing
import sys
from pathlib import Path

from benchmarks.lib import bench_odoo
from scripts import odoo_cli
from scripts.console import Failure

OURS, PEER = "bench_bank_ours", "bench_bank_peer"
PEER_NAME = "OCA account_statement_import_camt 19.0"
PEER_PACKAGES = tuple(
    f"odoo-addon-account-statement-{name}==19.0.*"
    for name in ("base", "import-base", "import-file", "import-camt")
)
PEER_MODULES = (
    "account_statement_base", "account_statement_import_base", "account_statement_import_file",
    "account_statement_import_camt",
)  # fmt: skip
IBAN = "DE75512108001245126199"


class Importer:
    """Databases for both, made once and kept until the addons change."""

    def __init__(self, cluster):
        self.environment = odoo_cli.environment(cluster)
        self.cluster = cluster
        self.paths = {OURS: bench_odoo.addons_path()}
        modules = ("account", "finance_bank_sync")
        bench_odoo.database(cluster, OURS, modules, self.paths[OURS], self.environment)

    def prepare_peer(self):
        """Fetch and install the peer. Raises `Failure` where it can't be had."""
        folder = bench_odoo.fetched("import_camt_odoo", *PEER_PACKAGES)
        addons = folder / "odoo" / "addons"
        if not (addons / PEER_MODULES[-1]).exists():
            raise Failure("the packages have no addon of this name", str(addons))
        self.paths[PEER] = bench_odoo.addons_path(addons)
        modules = ("account", *PEER_MODULES)
        bench_odoo.database(self.cluster, PEER, modules, self.paths[PEER], self.environment)

    def measure(self, name, content, count):
        """Return (queries a line, MB grown) of one import in a new process, not committed to."""
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(_measured, (name, self.paths[name], content, count))


def _measured(name, path, content, count):
    sys.path[:0] = [str(Path(__file__).resolve().parents[2])]
    here = bench_odoo.Here(name, path)
    with here.transaction() as env:
        journal = _journal(env)
        env.cr.commit()
        importer = _ours if name == OURS else _peer
        # what Odoo loads for the first line is nobody's
        importer(env, here, content(2), journal)
        data = content(count)
        env.invalidate_all()
        before, memory = _queries(), _memory("VmRSS")
        importer(env, here, data, journal)
        queries, grown = _queries() - before, _memory("VmHWM") - memory
        env.cr.rollback()
        domain = [("journal_id", "=", journal.id)]
        made = env["account.bank.statement.line"].search_count(domain)
        if made != count + 2:
            raise RuntimeError(f"{name} made {made} lines of {count + 2}")
        env["account.journal"].browse(journal.id).active = False
        journal.bank_account_id = False
        env.cr.commit()
    return queries / count, grown / 1024


def _journal(env):
    company = env.company
    numbers = env["res.partner.bank"]
    account = numbers.search([("acc_number", "=", IBAN)]) or numbers.create(
        {"acc_number": IBAN, "partner_id": company.partner_id.id}
    )
    euro = env.ref("base.EUR")
    euro.active = True
    number = env["account.journal"].with_context(active_test=False).search_count([])
    return env["account.journal"].create(
        {
            "name": f"Bench {number}",
            "code": f"B{number}",
            "type": "bank",
            "currency_id": euro.id,
            "bank_account_id": account.id,
        }
    )


def _ours(env, here, content, journal):
    # matching is measured apart
    env.registry["finance.bank.import"]._finished = lambda self: None
    imports = env["finance.bank.import"]._receive("bench.xml", content)
    if imports.refusal:
        raise RuntimeError(imports.refusal_words)
    env.cr.commit()
    here.run_jobs()


def _peer(env, here, content, journal):
    wizard = env["account.statement.import"].create(
        {"statement_file": base64.b64encode(content), "statement_filename": "bench.xml"}
    )
    wizard.with_context(journal_id=journal.id).import_file_button()
    env.flush_all()
    env.cr.commit()


def _queries():
    from odoo import sql_db

    return sql_db.sql_counter


def _memory(field):
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{field}:")[2].split()[0])
