"""The database of the step before, updated: what was there is there, in its new place.

There is no former code in a clone, so a present database is given the former shape: the columns,
views and versions of ``former/<addon>.json``, as they were written down from a database that the
former code had installed. Then it is updated as any other.
"""

import json
import subprocess
from pathlib import Path

import pytest

from scripts import odoo_cli
from tests.system.work import Table, complaints

FORMER = json.loads((Path(__file__).parent / "former" / "finance_tax_engine.json").read_text())
# Addons of the present that the former suite did not have.
NEWER = "name ~ '^finance_(tax_engine_|bank_|reporting_)'"
OWNED = "module ~ '^finance_(tax_engine|bank|reporting)'"
STORED = f"""
SELECT DISTINCT replace(f.model, '.', '_'), f.name
  FROM ir_model_fields f
  JOIN ir_model_data d ON d.model = 'ir.model.fields' AND d.res_id = f.id AND d.{OWNED}
  JOIN information_schema.columns c
    ON c.table_name = replace(f.model, '.', '_') AND c.column_name = f.name
 WHERE f.name <> 'id' AND f.model NOT LIKE 'finance.tax.%%'
"""
VIEWS = f"""
SELECT v.id, d.module, d.name FROM ir_ui_view v
  JOIN ir_model_data d ON d.model = 'ir.ui.view' AND d.res_id = v.id AND d.{OWNED}
 ORDER BY v.id DESC
"""
COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
   AND c.relname ~ 'finance_|^account_(journal|bank_statement)'
 ORDER BY 1, 2
"""
BANK_LINES = (
    "SELECT id, journal_id, amount, is_reconciled FROM account_bank_statement_line ORDER BY 1"
)


@pytest.fixture
def table(database, afterwards):
    """SQL on a fresh copy of the template."""
    table = Table(database)
    afterwards.callback(table.close)
    return table


def test_the_suite_of_the_steps_before(table, databases):
    """Destinations, exemptions, documents and answers survive; the schema is that of today.

    Bank lines that were there before the bank addon stay as they were.
    """
    wanted = table.rows(COLUMNS)
    make_former(table)
    before = write_former_rows(table)
    lines = table.rows(BANK_LINES)
    newer = ",".join(table.column(f"SELECT name FROM ir_module_module WHERE {NEWER}"))
    table.close()
    command = ("-d", table.database, "-u", "finance_connector_base", "-i", newer)
    done = subprocess.run(
        odoo_cli.odoo(*command, "--stop-after-init", "--no-http"),
        env=databases.environment,
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert complaints(done.stderr) == []
    table = Table(table.database)
    assert table.rows(COLUMNS) == wanted
    check_rules(table)
    check_the_rest(table, before)
    assert lines and table.rows(BANK_LINES) == lines
    table.close()


def make_former(table):
    """Take away what is new, and put back what was there."""
    for name in table.column(
        "SELECT relname FROM pg_class WHERE relkind = 'r'"
        " AND relname ~ '^finance_(tax|vat|bank|cash|mapping|export|feed|historical|statutory)'"
    ):
        if name not in FORMER["tables"]:
            table.rows(f"DROP TABLE {name} CASCADE")
    for name, column in table.rows(STORED):
        if column not in FORMER["columns"].get(name, {}):
            table.rows(f'ALTER TABLE {name} DROP COLUMN "{column}" CASCADE')
    for name, columns in (FORMER["columns"] | FORMER["tables"]).items():
        present = table.column(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s", name
        )
        if not present:
            table.rows(f"CREATE TABLE {name} ()")
        if name in FORMER["tables"]:
            for column in set(present) - set(columns):
                table.rows(f"ALTER TABLE {name} DROP COLUMN {column} CASCADE")
        for column, of_type in columns.items():
            if column not in present:
                table.rows(f"ALTER TABLE {name} ADD {column} {of_type}")
            elif of_type.endswith("NOT NULL"):
                table.rows(f"ALTER TABLE {name} ALTER {column} SET NOT NULL")
    for view, module, name in table.rows(VIEWS):
        arch = FORMER["views"].get(name) if module == FORMER["addon"] else None
        if arch is None:
            table.rows("UPDATE ir_ui_view SET inherit_id = NULL WHERE inherit_id = %s", view)
            table.rows("DELETE FROM ir_ui_view WHERE id = %s", view)
            continue
        table.rows(
            "UPDATE ir_ui_view SET arch_db = jsonb_build_object('en_US', %s::text) WHERE id = %s",
            arch,
            view,
        )
    table.rows(
        f"UPDATE ir_module_module SET state = 'uninstalled', latest_version = NULL WHERE {NEWER}"
    )
    table.rows(
        "UPDATE ir_module_module SET latest_version = %s WHERE name = %s",
        FORMER["version"],
        FORMER["addon"],
    )


def write_former_rows(table):
    """Rows as the former code wrote them; returns (exempt customer, invoice)."""
    invoice, customer = table.rows(
        "SELECT id, commercial_partner_id FROM account_move"
        " WHERE move_type = 'out_invoice' AND state = 'posted' ORDER BY id LIMIT 1"
    )[0]
    table.rows(
        "UPDATE res_partner SET finance_tax_exemption_number = 'EX-4711' WHERE id = %s", customer
    )
    table.rows("UPDATE finance_workflow SET tax_seconds = 10 WHERE flow = 'tax'")
    table.rows(
        """
        WITH connector AS (
            INSERT INTO finance_connector (name, config_key, provider, environment, state, active)
            SELECT 'Former ' || n, 'former-' || n, 'avatax', 'sandbox', 'draft', true
              FROM generate_series(1, 2) n RETURNING id)
        INSERT INTO finance_workflow (
            connector_id, company_id, flow, active, direction, mode, system_of_record,
            tax_outage, tax_seconds, max_attempts, retry_window_hours, backoff_base_seconds,
            backoff_cap_seconds, freshness_hours)
        SELECT connector.id, company.id, 'tax', true, 'out', 'event', 'odoo',
               'refuse', 7.5, 5, 24, 1, 60, 24
          FROM connector, (SELECT max(id) AS id FROM res_company) company
        """
    )
    table.rows("DELETE FROM finance_workflow_res_country_rel")
    table.rows(
        """
        INSERT INTO finance_workflow_res_country_rel (finance_workflow_id, res_country_id)
        SELECT w.id, c.id FROM finance_workflow w, res_country c
         WHERE w.flow = 'tax' AND c.code IN ('US', 'MX')
        """
    )
    table.rows(
        """
        INSERT INTO finance_tax_document (
            move_id, connector_id, company_id, currency_id, revision, recording, state, uuid,
            trace_id, document_code, content_hash, applied_hash, request, result, amount_tax)
        SELECT m.id, c.id, m.company_id, m.currency_id, 2, true, 'committed', 'former-uuid',
               'former-trace', 'INV-1-former', 'content', 'applied', '{}', '{}', 10.64
          FROM account_move m, finance_connector c
         WHERE m.id = %s AND c.name = 'Former 1'
        """,
        invoice,
    )
    return customer, invoice


def check_rules(table):
    """Each workflow's destinations are a rule; only the workflow that served has one that counts."""
    rules = table.rows(
        """
        SELECT c.name, t.active, t.target, array_agg(k.code ORDER BY k.code)
          FROM finance_tax_route t
          JOIN finance_connector c ON c.id = t.connector_id
          JOIN finance_tax_route_res_country_rel r ON r.finance_tax_route_id = t.id
          JOIN res_country k ON k.id = r.res_country_id
         GROUP BY t.id, c.name ORDER BY t.active DESC, c.name
        """
    )
    serving = [rule for rule in rules if rule[1]]
    assert {tuple(rule[3]) for rule in rules} == {("MX", "US")}
    assert {rule[2] for rule in rules} == {"engine"}
    companies = table.value("SELECT count(DISTINCT company_id) FROM finance_tax_route")
    assert (len(rules), len(serving)) == (3, companies)
    assert table.rows("SELECT to_regclass('finance_workflow_res_country_rel')") == [(None,)]
    assert sorted(table.column("SELECT tax_seconds FROM finance_workflow WHERE flow = 'tax'")) == [
        5.0,
        7.5,
        7.5,
    ]
    assert table.column(
        "SELECT DISTINCT tax_calculates AND tax_records FROM finance_workflow WHERE flow = 'tax'"
    ) == [True]


def check_the_rest(table, before):
    """Exemptions have rows of their own; a recorded document is what it was, by its engine."""
    exempt, invoice = before
    rows = table.rows(
        "SELECT partner_id, number, state FROM finance_tax_exemption WHERE number <> ''"
    )
    assert rows == [(exempt, "EX-4711", "valid")]
    document = table.rows(
        "SELECT state, recorder, recording, revision, document_code, content_hash, request,"
        " amount_tax::text FROM finance_tax_document WHERE move_id = %s",
        invoice,
    )
    assert document == [("committed", "engine", True, 2, "INV-1-former", "content", "{}", "10.64")]
