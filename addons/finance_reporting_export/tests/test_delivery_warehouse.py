"""From entries to a real PostgreSQL warehouse: its table is what a full extract says."""

import os
from uuid import uuid4

import psycopg2

from odoo.tests import new_test_user, tagged

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from tests.door import Door

from .common import ExportCase, examples
from .destinations import destination

COLUMNS = ("id", "period", "gl_account_number", "debit", "credit", "je_line_description")


@tagged("post_install", "-at_install")
class TestWarehouse(ExportCase):
    def setUp(self):
        super().setUp()
        self.database = f"fc_warehouse_{uuid4().hex[:8]}"
        self.cluster(f'CREATE DATABASE "{self.database}" TEMPLATE template0')
        self.addCleanup(self.cluster, f'DROP DATABASE "{self.database}" WITH (FORCE)')
        door = Door(os.path.join(os.environ["PGHOST"], f".s.PGSQL.{os.environ['PGPORT']}"))
        self.addCleanup(door.close)
        self.connector = destination(
            self.env,
            "export_postgres",
            f"postgresql://127.0.0.1:{door.port}/{self.database}",
            user=os.environ["PGUSER"],
            password="made-up-secret",
        )
        self.connector.action_test()
        controller = new_test_user(
            self.env,
            "export_sender",
            groups="account.group_account_user,finance_connector_base.group_controller",
        )
        self.env = self.env(user=controller)
        self.export = self.line("journal_items", mode="incremental", split="whole").export_id
        self.export.write(
            {"connector_id": self.connector.id, "format": "csv.gz", "acknowledged": True}
        )

    def cluster(self, statement):
        self.sql(statement, "postgres")

    def sql(self, statement, database=None):
        connection = psycopg2.connect(
            host=os.environ["PGHOST"], user=os.environ["PGUSER"], dbname=database or self.database
        )
        connection.autocommit = True
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def run_it(self, **options):
        run = self.export._start(why="test", **options)
        drain_jobs(self.env, until_due=True)
        self.assertEqual(run.state, "delivered")
        return run

    def warehouse(self):
        texts = ", ".join(f"coalesce({name}::text, '')" for name in COLUMNS)
        return sorted(self.sql(f"SELECT {texts} FROM odoo.journal_items"))

    def ledger(self):
        reader = self.env
        self.env = reader(user=1)
        rows, _counted = self.rows("journal_items", split="whole", user=reader.user)
        self.env = reader
        return sorted(tuple(row[name] for name in COLUMNS) for row in rows)

    def test_the_warehouse_has_what_the_ledger_has(self):
        move = self.entry()
        first = self.run_it()
        self.assertEqual(self.connector.state, "ready")
        self.assertEqual(self.warehouse(), self.ledger())
        move.button_draft()
        self.entry()
        second = self.run_it()
        self.assertEqual((first.number, second.number), (1, 2))
        self.assertEqual(second.step_ids.mode, "incremental", second.step_ids.reason)
        self.assertEqual(self.warehouse(), self.ledger())
        self.assertFalse(self.sql(f"SELECT id FROM odoo.journal_items WHERE entry_id = {move.id}"))
        self.run_it(everything=True)
        self.assertEqual(self.warehouse(), self.ledger())
        batches = self.sql("SELECT number, run, rows FROM odoo.finance_batches ORDER BY number")
        self.assertEqual([number for number, _run, _rows in batches], [1, 2, 3])
        data = second.file_ids.filtered("feed")
        self.assertEqual(batches[1][1:], (second.uuid, {data.name: data.rows}))

    def test_sent_again_it_is_loaded_once(self):
        run = self.run_it()
        before = self.warehouse()
        run.action_deliver_again()
        drain_jobs(self.env, until_due=True)
        self.assertEqual((run.state, self.warehouse()), ("delivered", before))
        self.assertEqual(self.sql("SELECT count(*) FROM odoo.finance_batches"), [(1,)])

    def test_a_ledger_that_went_back_is_what_the_warehouse_has_in_the_end(self):
        self.entry()
        self.run_it()
        line = self.export.feed_ids.sudo()
        told = line.read(["snapshot", "told_at", "definition", "database", "recorders"])[0]
        told.pop("id")
        gone = self.entry()
        last = self.run_it()
        # as a backup of before knows it: neither the entry, nor the batch that told it
        self.env.cr.execute("DELETE FROM account_move_line WHERE move_id = %s", gone.ids)
        self.env.cr.execute("DELETE FROM finance_export_tombstone")
        line.write({**told, "told_run_id": (self.export.run_ids - last)[0].id})
        last.sudo().unlink()
        self.env.invalidate_all()
        run = self.export._start(why="test")
        drain_jobs(self.env, until_due=True)
        self.assertEqual((run.state, self.export.number_there), ("overtaken", 2))
        self.assertNotEqual(self.warehouse(), self.ledger())
        self.assertEqual(self.run_it().number, 3)
        self.assertEqual(self.warehouse(), self.ledger())

    def test_the_examples_of_the_guides(self):
        self.entry()
        self.run_it()
        asked = [*examples("reporting.md", "PostgreSQL"), *examples("destinations.md")]
        self.assertEqual(len(asked), 2)
        for statement in asked:
            for one in filter(str.strip, statement.split(";")):
                self.assertTrue(self.sql(one.replace("'group'", f"'{self.export.code}'")), one)
