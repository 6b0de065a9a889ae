"""Importing a camt file into Odoo: ours and the peer's, each in a process and database of its own.

Counted are all queries from the received bytes to the last posted line, by created line, and by how
much the process grows meanwhile. Nothing is matched by either.
"""

import base64
import json
import subprocess
import sys
import tempfile
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
# Lines that warm the caches.
FIRST = 2


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
        """Return (queries a line, MB grown) of one import, in a new process.

        content: function that returns a file of so many entries as bytes.
        """
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / "first.xml", Path(folder) / "measured.xml"]
            for file, entries in zip(files, (FIRST, count), strict=True):
                file.write_bytes(content(entries))
            argv = [sys.executable, "-m", __name__, name, self.paths[name], str(count)]
            argv += map(str, files)
            run = {"env": self.environment, "cwd": bench_odoo.ROOT, "stdout": subprocess.PIPE}
            done = subprocess.run(argv, check=True, **run)
        return tuple(json.loads(done.stdout.splitlines()[-1]))


def main(name, path, count, first, measured):
    """Measure in this process and print the two numbers."""
    count, first, data = int(count), Path(first).read_bytes(), Path(measured).read_bytes()
    here = bench_odoo.Here(name, path)
    importer = _ours if name == OURS else _peer
    with here.transaction() as env:
        journal = _journal(env)
        env.cr.commit()
        # what Odoo loads for the first lines is nobody's
        importer(env, here, first, journal)
        env.invalidate_all()
        # the peak of what follows, not of starting Odoo (proc(5))
        Path("/proc/self/clear_refs").write_text("5")
        before, memory = _queries(), _memory("VmRSS")
        importer(env, here, data, journal)
        figures = ((_queries() - before) / count, (_memory("VmHWM") - memory) / 1024)
        env.cr.commit()
        made = env["account.bank.statement.line"].search_count([("journal_id", "=", journal.id)])
        if made not in (count, count + FIRST):
            raise RuntimeError(f"{name} made {made} lines of {count}")
        journal.bank_account_id = False
        env.cr.commit()
    print(json.dumps(figures))


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


if __name__ == "__main__":
    main(*sys.argv[1:])
