"""What it costs to get a ledger out: rows a second and memory, against what PostgreSQL can do at all.

A database of 1,000,000 journal items (three companies, 36 months, taxes, currencies) is made once. The
limit is the very query of the feed, copied to /dev/null by the server itself: nobody can be faster who
reads the same rows as text. It runs once to warm the database, and then in turn with ours. Ours goes
through Odoo's cursor and ends as a file with its digest, in a process of its own. Peers read on a part
where they would take too long: XML-RPC and JSON-2 pages of 22 fields, OCA's general ledger as a
spreadsheet; connectorx and ADBC, which are given our query (and have another snapshot), read all in
turn with ours and end in Parquet.

BENCH_PEER=0 leaves the peers out; BENCH_ITEMS, BENCH_ROUNDS, BENCH_PAGES set numbers.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.lib import bench_odoo, export_peers
from benchmarks.lib.export_run import CHANGED, ITEMS
from benchmarks.lib.figures import Goal, alternate, printing
from scripts import odoo_cli, postgres
from scripts.console import Failure, step
from scripts.databases import Databases
from scripts.paths import ROOT

OURS = "bench_export"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 3))
MODULES = ("account", "finance_reporting_export")
FORMATS = ("csv", "parquet", "csv.zst", "csv.gz", "jsonl")
OCA_DATABASE = "bench_export_oca"


class Bench:
    """The database and the processes that measure on it."""

    def __init__(self):
        self.cluster = postgres.server("bench")
        self.environment = odoo_cli.environment(self.cluster)
        self.path = bench_odoo.addons_path()
        databases = Databases(self.cluster)
        bench_odoo.database(self.cluster, OURS, MODULES, self.path, self.environment)
        if databases.sql(OURS, "SELECT count(*) FROM finance_export WHERE code = 'bench'") == "0\n":
            with step(f"A ledger of {ITEMS:,} items"):
                self.run("make")
            databases.sql(OURS, "VACUUM ANALYZE")

    def run(self, what, *more):
        """Run ``export_run`` in a new process; return what it found."""
        return self._json("benchmarks.lib.export_run", OURS, self.path, what, *more)

    def _json(self, module, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            env=self.environment,
            cwd=ROOT,
            text=True,
            capture_output=True,
        )
        if done.returncode:
            raise Failure(f"{module} {arguments}: {done.stderr.strip()[-1500:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def oca(self):
        """Return what OCA's general ledger takes for one company and three months."""
        folder = bench_odoo.fetched("export_oca", *export_peers.OCA)
        path = bench_odoo.addons_path(folder / "odoo" / "addons")
        databases = Databases(self.cluster)
        if OCA_DATABASE not in databases.names():
            databases.copy(OURS, OCA_DATABASE)
            databases.annotate(OCA_DATABASE, "outdated")
        modules = (*MODULES, export_peers.OCA_MODULE)
        bench_odoo.database(self.cluster, OCA_DATABASE, modules, path, self.environment)
        company = databases.sql(
            OURS, "SELECT min(id) FROM res_company WHERE name LIKE 'Ledger %'"
        ).strip()
        return self._json(
            "benchmarks.lib.export_peers",
            "oca", OCA_DATABASE, path, company, "2024-01-01", "2024-01-31",
        )  # fmt: skip

    def paging(self):
        """Return {name: rows a second} over XML-RPC and JSON-2."""
        # in a process of its own: a connection that stays open would keep OCA from its copy
        person = self._json("benchmarks.lib.export_peers", "person", OURS, self.path)
        companies = person["companies"]
        bench_odoo.BENCH.mkdir(parents=True, exist_ok=True)
        with bench_odoo.BenchServer(
            self.cluster, OURS, [f"--addons-path={self.path}"], {}
        ) as server:
            server.start()
            return {
                "XML-RPC": export_peers.xmlrpc_rate(
                    server.url, OURS, person["login"], person["password"], companies
                ),
                "JSON-2": export_peers.json2_rate(server.url, OURS, person["key"], companies),
            }


def main():
    """Measure and print."""
    with printing() as figures:
        bench = Bench()
        with tempfile.TemporaryDirectory() as folder:
            rates = speeds(figures, bench, Path(folder))
        increments(figures, bench)
        if os.environ.get("BENCH_PEER") != "0":
            peers(figures, bench, rates)


def speeds(figures, bench, folder):
    """Measure each format in turn with the limit; return {format: rows a second}."""
    rows = bench.run("limit")["rows"]
    rates = {}
    goals = {"csv": Goal("ratio", ">=", 0.9), "parquet": Goal("ratio", ">=", 0.75)}
    memory = {"csv": Goal("ours", "<=", 32), "parquet": Goal("ours", "<=", 256)}
    for what in FORMATS:
        limits, runs = alternate(
            ROUNDS,
            lambda _n: bench.run("limit"),
            lambda _n, what=what: bench.run(what, folder / what),
        )
        (folder / what).unlink()
        if any(run["rows"] != rows for run in runs):
            raise RuntimeError(f"{what}: not the rows of the limit")
        rates[what] = speed(runs)
        name = what.replace(".gz", "_gzip").replace(".zst", "_zstd")
        size = runs[0]["bytes"] / 1e6
        figures.add(
            f"export.{name}_of_limit",
            rates[what],
            limit=statistics.median(speed(limits)),
            goal=goals.get(what),
            n=rows,
            note=f"rows a second; {size:.0f} MB; limit: COPY to /dev/null in the server",
        )
        figures.add(
            f"export.memory_{name}",
            [run["mb"] for run in runs],
            goal=memory.get(what),
            n=rows,
            note="MB that Odoo's process grows by",
        )
    return rates


def speed(runs):
    """Return rows a second of each run."""
    return [run["rows"] / run["seconds"] for run in runs]


def increments(figures, bench):
    """Measure what has changed: the scan, and the whole increment."""
    scans, whole = [], []
    for _round in range(ROUNDS):
        before = bench.run("change")["snapshot"]
        scans.append(bench.run("scan", before))
        whole.append(bench.run("increment", before))
    if any(run["rows"] != CHANGED for run in (*scans, *whole)):
        raise RuntimeError(f"not {CHANGED} rows: {[run['rows'] for run in (*scans, *whole)]}")
    figures.add(
        "export.watermark_scan_s",
        [run["seconds"] for run in scans],
        goal=Goal("ours", "<=", 0.5),
        n=ITEMS,
        note=f"s to find {CHANGED} changed items by every watched table",
    )
    figures.add(
        "export.increment_s",
        [run["seconds"] for run in whole],
        n=ITEMS,
        note=f"s to write them as CSV, with the scan; {CHANGED} rows",
    )


def peers(figures, bench, rates):
    """Measure how others do it; one that can't run is null with the reason."""
    query = bench.run("query")["query"]
    for name in ("connectorx", "adbc"):
        with printed(figures, name, rates["parquet"]):
            ours, found = alternate(
                ROUNDS,
                lambda _n: bench.run("parquet", "/dev/null"),
                lambda _n, name=name: export_peers.arrow_rate(name, OURS, query, bench.environment),
            )
            add_peer(figures, name, found, speed(ours), "parquet")
    with printed(figures, "paging", rates["csv"]):
        for name, rate in bench.paging().items():
            add_peer(figures, name, [{"rate": rate}], rates["csv"], "csv")
    with printed(figures, "oca", rates["csv"]):
        add_peer(figures, "OCA general ledger xlsx", [bench.oca()], rates["csv"], "csv")


@contextlib.contextmanager
def printed(figures, name, ours):
    """A peer that can't run is printed with the reason."""
    try:
        yield
    except Exception as failure:  # noqa: BLE001 a peer that can't run has a reason
        figures.add(
            f"export.rows_per_s_{name}",
            ours,
            peer_name=name,
            note=f"peer can't run: {str(failure)[-300:]}",
        )


def add_peer(figures, name, found, ours, format):
    """Print a peer beside ours; found: its runs."""
    most = max((run["mb"] for run in found if "mb" in run), default=None)
    figures.add(
        f"export.rows_per_s_{name.split()[0].lower().replace('-', '')}",
        ours,
        peer=[run["rate"] for run in found],
        peer_name=name,
        n=ITEMS,
        note=f"rows a second of our {format}" + (f"; {most:.0f} MB at most" if most else ""),
    )


if __name__ == "__main__":
    main()
