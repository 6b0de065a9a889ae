"""Reading a ledger of a million items, in a process of its own: seconds, rows and memory.

``python -m benchmarks.lib.export_run DATABASE ADDONS_PATH WHAT [FILE]`` prints one JSON object. What is
a format of an export, "limit" (the same query copied to nowhere by PostgreSQL itself), "query" (its
text), "scan" (what changed since a snapshot), "increment", "change" or "make".
"""

import json
import os
import sys
import time
from pathlib import Path

from benchmarks.lib import bench_odoo

ITEMS = int(os.environ.get("BENCH_ITEMS", 1_000_000))
CHANGED = 1000


def main(name, path, what, file="/dev/null"):
    """Measure and print."""
    here = bench_odoo.Here(name, path)
    with here.transaction() as env:
        if what == "make":
            found = make(env)
        else:
            found = measured(env, what, file)
    print(json.dumps(found))


def make(env):
    """Make the ledger and an export of it."""
    from odoo.addons.finance_reporting_export.tests import ledger

    admin = env.ref("base.user_admin")
    companies = ledger.make(env, ITEMS, unchecked=True)
    admin.company_ids |= companies
    env.ref("account.group_account_manager").user_ids |= admin
    env.cr.commit()
    feed = env["finance.feed"].search([("code", "=", "journal_items")])
    env["finance.export"].create(
        {
            "name": "Benchmark",
            "code": "bench",
            "company_ids": [(6, 0, companies.ids)],
            "user_id": admin.id,
            "feed_ids": [(0, 0, {"feed_id": feed.id, "split": "whole", "mode": "incremental"})],
        }
    )
    env.cr.commit()
    return {"companies": companies.ids}


def measured(env, what, file):
    """Return what was asked for."""
    line = env["finance.export"].search([("code", "=", "bench")]).feed_ids
    env = line._reading_env()
    run = env["finance.export.run"].new({"export_id": line.export_id.id})
    if what == "change":
        env.cr.execute(
            "UPDATE account_move_line SET matching_number = matching_number WHERE id IN ("
            " SELECT id FROM account_move_line WHERE parent_state = 'posted'"
            " AND company_id = %s ORDER BY id DESC LIMIT %s)",
            [line.sudo().export_id.company_ids[0].id, CHANGED],
        )
        env.cr.execute("SELECT pg_current_snapshot()::text")
        [snapshot] = env.cr.fetchone()
        env.cr.commit()
        return {"snapshot": snapshot}
    reading = line._reading(env)
    if what == "scan":
        # every table that the columns are from, with the ways to the items
        watches, line = reading.watches(), line.with_env(env)
        started = time.monotonic()
        table = line._changed(watches, file)
        seconds = time.monotonic() - started
        env.cr.execute(f'SELECT count(*) FROM "{table}"')
        return {"seconds": seconds, "rows": env.cr.fetchone()[0]}
    mode, since = ("incremental", file) if what == "increment" else ("full", None)
    started = time.monotonic()
    extraction = line._extraction(run, mode, since)
    [part] = extraction.parts
    text = extraction.text(part.sql)
    if what == "query":
        return {"query": text, "columns": len(extraction.schema.columns)}
    if what == "limit":
        started = time.monotonic()
        env.cr.execute(f"COPY ({text}) TO '/dev/null' (FORMAT csv, HEADER true)")
        return {"seconds": time.monotonic() - started, "rows": env.cr.rowcount}
    # the peak of what follows, not of starting Odoo (proc(5))
    Path("/proc/self/clear_refs").write_text("5")
    memory = status("VmRSS")
    if what != "increment":
        started = time.monotonic()
    with open("/dev/null" if what == "increment" else file, "wb") as target:
        written = extraction.write(part, target, "csv" if what == "increment" else what)
    return {
        "seconds": time.monotonic() - started,
        "rows": written.rows,
        "bytes": written.bytes,
        "mb": (status("VmHWM") - memory) / 1024,
    }


def status(field):
    """Return a line of this process's status in kB: VmRSS now, VmHWM at its highest."""
    return int(Path("/proc/self/status").read_text().partition(f"{field}:")[2].split()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
