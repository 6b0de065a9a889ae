"""How others get journal items out of Odoo, each on a part that it can read in a minute."""

import json
import os
import subprocess
import sys
import time
import xmlrpc.client
from pathlib import Path

import requests

from benchmarks.lib import bench_odoo
from scripts.console import Failure
from scripts.paths import ROOT

PAGE = 1000
PAGES = int(os.environ.get("BENCH_PAGES", 10))
FIELDS = (
    "id", "company_id", "move_id", "date", "journal_id", "account_id", "name", "debit", "credit",
    "balance", "currency_id", "amount_currency", "amount_residual", "partner_id", "date_maturity",
    "matching_number", "tax_line_id", "product_id", "quantity", "create_uid", "create_date",
    "write_date",
)  # fmt: skip
OCA = tuple(
    f"odoo-addon-{name}==19.0.*"
    for name in ("account-financial-report", "date-range", "report-xlsx")
)
OCA_MODULE = "account_financial_report"
ARROW = ("connectorx", "adbc-driver-manager", "adbc-driver-postgresql")


def xmlrpc_rate(url, database, login, password, companies):
    """Rows a second over XML-RPC, paged by offset as connectors do."""
    common = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/common")
    uid = common.authenticate(database, login, password, {})
    models = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/object", allow_none=True)
    domain = [["parent_state", "=", "posted"], ["company_id", "in", companies]]
    context = {"allowed_company_ids": companies}

    def page(number):
        options = {
            "fields": FIELDS,
            "offset": number * PAGE,
            "limit": PAGE,
            "order": "id",
            "context": context,
        }
        arguments = (database, uid, password, "account.move.line", "search_read", [domain], options)
        return len(models.execute_kw(*arguments))

    return _paged(page)


def json2_rate(url, database, key, companies):
    """Rows a second over the JSON-2 interface, paged by the last id."""
    session = requests.Session()
    session.headers.update({"Authorization": f"bearer {key}", "X-Odoo-Database": database})
    last = [0]

    def page(_number):
        body = {
            "domain": [
                ["parent_state", "=", "posted"],
                ["company_id", "in", companies],
                ["id", ">", last[0]],
            ],
            "fields": list(FIELDS),
            "limit": PAGE,
            "order": "id",
            "context": {"allowed_company_ids": companies},
        }
        answer = session.post(f"{url}/json/2/account.move.line/search_read", json=body, timeout=300)
        answer.raise_for_status()
        rows = answer.json()
        last[0] = rows[-1]["id"]
        return len(rows)

    return _paged(page)


def _paged(page):
    page(0)
    started = time.monotonic()
    rows = sum(page(number) for number in range(1, PAGES + 1))
    return rows / (time.monotonic() - started)


def arrow_rate(name, database, query, environment):
    """{"rate": rows a second, "mb"} of "connectorx" or "adbc", in a process of its own."""
    folder = bench_odoo.fetched("export_arrow", *ARROW)
    done = subprocess.run(
        [sys.executable, "-m", __name__, name, str(folder), database],
        input=query,
        env=environment,
        cwd=ROOT,
        text=True,
        capture_output=True,
    )
    if done.returncode:
        raise Failure(f"{name}: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout.splitlines()[-1])


def oca_rate(env, company, first, last):
    """(items, seconds) of OCA's general ledger as a spreadsheet, inside Odoo."""
    wizard = env["general.ledger.report.wizard"].create(
        {"company_id": company.id, "date_from": first, "date_to": last, "target_move": "posted"}
    )
    started = time.monotonic()
    data = wizard._prepare_report_data()
    report = env["ir.actions.report"]
    report._render_xlsx("a_f_r.report_general_ledger_xlsx", wizard.ids, data)
    seconds = time.monotonic() - started
    items = env["account.move.line"].search_count(
        [
            ("company_id", "=", company.id),
            ("date", ">=", first),
            ("date", "<=", last),
            ("parent_state", "=", "posted"),
        ]
    )
    return items, seconds


def main(name, *arguments):
    """Measure in this process and print."""
    if name in ("oca", "person"):
        return print(json.dumps((_oca if name == "oca" else _person)(*arguments)))
    folder, database = arguments
    sys.path.insert(0, folder)
    query = sys.stdin.read()
    host, port, user = (os.environ[key] for key in ("PGHOST", "PGPORT", "PGUSER"))
    started = time.monotonic()
    rows = (_connectorx if name == "connectorx" else _adbc)(query, host, port, user, database)
    print(json.dumps({"rate": rows / (time.monotonic() - started), "mb": _peak()}))


def _connectorx(query, host, port, user, database):
    import connectorx
    from pyarrow import parquet

    place = f"postgresql://{user}@localhost:{port}/{database}?host={host.replace('/', '%2F')}"
    table = connectorx.read_sql(place, query, return_type="arrow")
    parquet.write_table(table, "/dev/null", compression="zstd")
    return table.num_rows


def _adbc(query, host, port, user, database):
    from adbc_driver_postgresql import dbapi
    from pyarrow import parquet

    rows = 0
    with dbapi.connect(f"host={host} port={port} user={user} dbname={database}") as connection:
        with connection.cursor() as cursor:
            cursor.execute(query)
            reader = cursor.fetch_record_batch()
            with parquet.ParquetWriter("/dev/null", reader.schema, compression="zstd") as writer:
                for batch in reader:
                    writer.write_batch(batch)
                    rows += batch.num_rows
    return rows


def _person(name, path):
    """Let the administrator in by password and by key; return both, and whose items are read."""
    here = bench_odoo.Here(name, path)
    with here.transaction() as env:
        admin = env.ref("base.user_admin")
        admin.password = "bench"
        key = env["res.users.apikeys"].with_user(admin)._generate("rpc", "Benchmark", None)
        companies = env["res.company"].search([("name", "=like", "Ledger %")]).ids
        env.cr.commit()
        return {
            "login": admin.login,
            "password": "bench",
            "key": key,
            "companies": companies,
        }


def _oca(name, path, company, first, last):
    here = bench_odoo.Here(name, path)
    with here.transaction() as env:
        company = env["res.company"].browse(int(company))
        env = env(context={"allowed_company_ids": company.ids})
        items, seconds = oca_rate(env, company.with_env(env), first, last)
    return {"rate": items / seconds, "rows": items, "mb": _peak()}


def _peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
