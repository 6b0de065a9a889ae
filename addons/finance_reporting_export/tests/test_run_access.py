"""Who starts, reads and opens runs; whose rows they hold; what can be called over RPC."""

from contextlib import closing

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import NO_ACCESS
from odoo.tests import new_test_user, tagged

from odoo.addons.finance_connector_base.tests.common import drain_jobs
from odoo.addons.finance_connector_base.tests.rpc import public_methods

from .common import ExportCase

ROLES = {
    "nobody": "base.group_user",
    "user": "finance_connector_base.group_user",
    "auditor": "finance_connector_base.group_auditor",
    "controller": "finance_connector_base.group_controller,account.group_account_readonly",
    "administrator": "finance_connector_base.group_administrator",
}
READERS = ("auditor", "controller", "administrator")
WRITTEN = ("finance.export.file", "finance.export.run", "finance.export.run.feed")
PUBLIC = {
    "finance.export.file": {"action_download"},
    "finance.export.run": {
        "action_cancel",
        "action_deliver_again",
        "action_open_exceptions",
        "action_open_restatements",
        "action_run_again",
    },
    "finance.export.run.feed": set(),
    "finance.export.tombstone": set(),
}


@tagged("post_install", "-at_install")
class TestRunAccess(ExportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: new_test_user(cls.env, f"run_{role}", groups) for role, groups in ROLES.items()
        }

    def export(self, **values):
        export = self.line("journal_items", split="whole").export_id
        export.write({"user_id": self.users["controller"].id, **values})
        return export

    def run_it(self, export):
        run = export._start(why="test")
        drain_jobs(self.env)
        self.assertEqual(run.state, "delivered")
        return run

    def test_what_runs_write_people_read(self):
        for model in WRITTEN:
            for role, user in self.users.items():
                for operation in ("read", "write", "create", "unlink"):
                    with self.subTest(model=model, role=role, operation=operation):
                        allowed = operation == "read" and role in READERS
                        found = self.env[model].with_user(user).has_access(operation)
                        self.assertEqual(found, allowed)

    def test_who_presses(self):
        export = self.export()
        for role in ("nobody", "user", "auditor"):
            with self.subTest(role), self.assertRaises(AccessError), self.cr.savepoint():
                export.with_user(self.users[role]).action_run()
        run = export._start(why="test")
        for role in ("nobody", "user", "auditor"):
            for button in ("action_cancel", "action_deliver_again", "action_run_again"):
                with self.subTest(role=role, button=button), self.assertRaises(AccessError):
                    getattr(run.with_user(self.users[role]), button)()
        run.with_user(self.users["controller"]).action_cancel()
        self.assertEqual(run.state, "cancelled")
        export.with_user(self.users["administrator"]).action_run()

    def test_a_run_of_two_companies_is_for_who_has_both(self):
        other = self.env["res.company"].create({"name": "Another one"})
        export = self.export()
        with self.assertRaises(ValidationError):
            export.company_ids |= other
        self.users["controller"].company_ids |= other
        self.users["auditor"].company_ids |= other
        export.company_ids |= other
        run = self.run_it(export)
        self.assertEqual(run.company_ids, self.company | other)
        for user, ids in ((self.users["auditor"], (self.company | other).ids),):
            seen = run.with_user(user).with_context(allowed_company_ids=ids)
            self.assertTrue(seen.search([("id", "=", run.id)]))
            with closing(seen.file_ids[0]._download()) as stream:
                self.assertTrue(stream.read(1))
        half = self.users["administrator"]
        for model in WRITTEN:
            field = "id" if model == "finance.export.run" else "run_id"
            found = self.env[model].with_user(half)
            found = found.with_context(allowed_company_ids=self.company.ids)
            with self.subTest(model):
                self.assertFalse(found.search([(field, "=", run.id)]))
        with self.assertRaises(AccessError):
            run.file_ids[0].with_user(half)._download()

    def test_a_reader_who_lost_a_company_gets_nothing(self):
        other = self.env["res.company"].create({"name": "Another one"})
        reader = self.users["controller"]
        reader.company_ids |= other
        export = self.export()
        export.company_ids |= other
        reader.write({"company_ids": [Command.set(self.company.ids)]})
        run = export._start(why="test")
        with self.assertLogs("odoo.addons.finance_connector_base.lanes.lane"):
            drain_jobs(self.env)
        self.assertEqual(run.state, "failed")
        self.assertFalse(run.file_ids)

    def test_keys_are_out_of_reach(self):
        run = self.run_it(self.export())
        file = run.file_ids[0]
        self.assertEqual(file._fields["file_key_sealed"].groups, NO_ACCESS)
        for user in self.users.values():
            with self.assertRaises(AccessError):
                file.with_user(user).read(["file_key_sealed"])
        self.assertIn("finance.export.file", self.env["finance.vault"]._resealed_models())
        content = file._file_path().read_bytes()
        self.assertNotIn(b"journal_items", content)
        self.assertNotIn(b"debit", content)

    def test_public_methods(self):
        for model, allowed in PUBLIC.items():
            self.assertEqual(public_methods(self.env[model], self.test_module), allowed, model)
