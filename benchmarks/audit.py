"""What the audit trail costs an invoice: created and posted with it, without it, and with a peer.

An invoice of 10 lines to a customer whose tax comes from an engine (the sandbox's AvaTax on
loopback), created and posted in one transaction. *Without* is the same code with the recorder taken
out by this benchmark: no event is built, inserted or sealed. *With* also seals what was recorded.
The peer is OCA auditlog from the package index, on invoices and their lines, where our recorder is
out too. Counted is processor time, of Odoo and of PostgreSQL, since it says the same on a busy
machine; the engine's own is not counted.

BENCH_PEER=0 leaves the peer out; BENCH_ROUNDS sets the number of rounds.
"""

import contextlib
import os
import random
import statistics
from unittest.mock import patch

from benchmarks.lib import bench_odoo
from benchmarks.lib.cpu import CpuMeter
from benchmarks.lib.figures import Goal, alternate, printing
from sandbox.client import SandboxProcess
from scripts import odoo_cli, postgres
from scripts.console import Failure

DATABASE = "bench_audit"
PEER_NAME = "OCA auditlog 19.0"
PEER_MODELS = ("account.move", "account.move.line")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 60))
PEER_ROUNDS = 5
PEER_INVOICES = 3
LINES = 10
TOO = " and recorded at the engine"
SEALED = 50_000

FILL = """
    INSERT INTO finance_audit_event (at, user_id, company_id, kind, res_model, res_id, trace_id, data,
                                     schema_version)
    SELECT clock_timestamp() AT TIME ZONE 'UTC', 2, 1, 'job.done', 'account.move', n, md5(n::text),
           jsonb_build_object('job', n, 'operation', 'tax.commit', 'attempts', 1,
                              'answer_digest', md5(n::text) || md5(n::text)), 1
      FROM generate_series(1, %s) n
"""


class Books:
    """Creates and posts invoices, and measures what that takes."""

    def __init__(self, here, sandbox):
        self.here = here
        self.meter = CpuMeter([os.getpid(), here.postmaster()], without=[here.backend()])
        with here.transaction() as env:
            connector = env.ref("finance_tax_engine.demo_connector")
            rate = {"rate_per_second": 10_000, "rate_burst": 10_000}
            connector.write({"local_url": f"{sandbox.base_url}/avatax", **rate})
            connector.action_test()
            env.cr.commit()

    def post(self, record=False):
        """Create and post an invoice; return the milliseconds of processor time.

        record: also have its tax recorded at the engine, in a lane of this process.
        """
        before = self.meter.seconds()
        with self.here.transaction() as env:
            env["account.move"].create(self._invoice(env)).action_post()
            env.cr.commit()
        if record:
            self.here.run_jobs()
        return 1000 * (self.meter.seconds() - before)

    def seal(self):
        """Seal what there is; return the number of events."""
        with self.here.transaction() as env:
            return env["finance.audit.seal"]._seal()

    def _invoice(self, env):
        product = env.ref("finance_tax_engine.demo_product_shelf")
        lines = [
            {
                "product_id": product.id,
                "quantity": random.randint(1, 1_000_000),
                "price_unit": random.randint(100, 100_000) / 100,
            }
            for _line in range(LINES)
        ]
        return {
            "move_type": "out_invoice",
            "partner_id": env.ref("finance_tax_engine.demo_customer").id,
            "invoice_line_ids": [(0, 0, line) for line in lines],
        }

    # === WITH AND WITHOUT === #

    def compared(self, record):
        """Return (with our trail, without, events of an invoice): milliseconds of each invoice.

        What the events cost to seal, all at once at the end, is part of each with them.
        """
        self.seal()
        count = self.here.one("SELECT count(*) FROM finance_audit_event")
        audited, unaudited = alternate(
            ROUNDS, lambda _n: self.post(record), lambda _n: self._unaudited(record)
        )
        before = self.meter.seconds()
        events = self.seal()
        sealing = 1000 * (self.meter.seconds() - before) / ROUNDS
        if events != self.here.one("SELECT count(*) FROM finance_audit_event") - count:
            raise RuntimeError("not all events were sealed")
        return [ms + sealing for ms in audited], unaudited, events / ROUNDS

    def _unaudited(self, record=False):
        with self._no_recorder():
            return self.post(record)

    def peer(self, log_type):
        """Return a function that measures the peer's mode "fast" or "full" in place of ours."""

        def measured(_round):
            with self._rules(log_type):
                times = [self._unaudited() for _invoice in range(PEER_INVOICES)]
            if not self.here.one("SELECT count(*) FROM auditlog_log"):
                raise RuntimeError("the peer logged nothing")
            return statistics.median(times)

        return measured

    @contextlib.contextmanager
    def _no_recorder(self):
        with self.here.transaction() as env:
            recorder = type(env["finance.audit.event"])
        nothing = patch.multiple(
            recorder,
            _record=lambda self, *_, **__: self.browse(),
            _record_many=lambda self, events: self.browse(),
            _record_apart=lambda self, event: None,
        )
        with nothing:
            yield

    @contextlib.contextmanager
    def _rules(self, log_type):
        with self.here.transaction() as env:
            rules = env["auditlog.rule"].create(
                [
                    {
                        "name": f"{model} {log_type}",
                        "model_id": env["ir.model"]._get_id(model),
                        "log_type": log_type,
                        "log_create": True,
                        "log_write": True,
                        "log_unlink": True,
                    }
                    for model in PEER_MODELS
                ]
            )
            rules.set_to_confirmed()
            ids = rules.ids
            env.cr.commit()
        try:
            yield
        finally:
            with self.here.transaction() as env:
                env["auditlog.rule"].browse(ids).unlink()
                env.cr.commit()

    # === SEALING === #

    def sealing(self, _round):
        """Return how many events a second of processor time are sealed, head outside included."""
        self.seal()
        self.here.sql(FILL, SEALED)
        before = self.meter.seconds()
        sealed = self.seal()
        if sealed != SEALED:
            raise RuntimeError(f"{sealed} of {SEALED} events were sealed")
        return sealed / (self.meter.seconds() - before)


def measure(figures, books, note, reason):
    """Print the figures."""
    peers = {name: None if reason else books.peer(name) for name in ("fast", "full")}
    for _warm in range(3):
        books.post(record=True)
    for name, record in (("audit.overhead", False), ("audit.overhead_recorded", True)):
        audited, unaudited, events = books.compared(record)
        figures.add(
            name,
            speeds(audited),
            limit=statistics.median(speeds(unaudited)),
            goal=Goal("ratio", ">=", 0.95),
            n=ROUNDS,
            note=f"invoices of {LINES} lines created and posted{TOO * record} in a second of "
            f"processor time, {events:.3g} events each, sealed; limit: nothing written down; {note}",
        )
    ours, *others = alternate(PEER_ROUNDS, lambda _n: books.post(), *peers.values())
    for name, other in zip(peers, others, strict=True):
        figures.add(
            f"audit.{name}",
            speeds(ours),
            peer=other and speeds(other),
            peer_name=f"{PEER_NAME}, {name}, on invoices and their lines",
            n=PEER_ROUNDS,
            note=f"invoices in a second of processor time{reason}",
        )
    (rows,) = alternate(3, books.sealing)
    figures.add("audit.seal_rows_per_s", rows, n=SEALED, note="one sealer, processor time")


def speeds(times):
    """Return invoices a second from milliseconds."""
    return [1000 / ms for ms in times]


def peer_folder():
    """Return the addons folder of the peer; raise `Failure` when it can't be had."""
    if os.environ.get("BENCH_PEER") == "0":
        raise Failure("left out by BENCH_PEER=0")
    addons = bench_odoo.fetched("auditlog", "odoo-addon-auditlog==19.0.*")
    return addons / "odoo" / "addons"


def main():
    """Measure and print."""
    with printing() as figures:
        cluster = postgres.server("bench")
        folders, reason = (), ""
        try:
            folders = (peer_folder(),)
        except Failure as failure:
            reason = f"; peer: {failure}"
        path = bench_odoo.addons_path(*folders)
        modules = ["account", "finance_tax_engine", *(["auditlog"] if folders else [])]
        environment = odoo_cli.environment(cluster)
        bench_odoo.database(cluster, DATABASE, modules, path, environment, demo=True)
        here = bench_odoo.Here(DATABASE, path)
        with SandboxProcess() as sandbox:
            measure(figures, Books(here, sandbox), bench_odoo.pg_config(here), reason)


if __name__ == "__main__":
    main()
