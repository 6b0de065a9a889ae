"""Who may do what with totals, findings, periods, restatements; what can be called over RPC."""

from odoo import Command
from odoo.tests import new_test_user

from odoo.addons.finance_connector_base.tests.rpc import public_methods

from .controls import ControlsCase

GROUP = "finance_connector_base.group_"
# What runs write, people read.
WRITTEN = (
    "finance.export.total",
    "finance.export.finding",
    "finance.export.rate",
    "finance.export.period",
    "finance.export.period.version",
    "finance.export.restatement.line",
    "finance.export.close",
    "finance.intercompany",
)
READERS = ("controller", "auditor", "administrator")
PUBLIC = {
    "finance.export.total": {"action_open_items"},
    "finance.export.finding": {"action_open"},
    "finance.export.restatement": {"action_explain", "action_open_items"},
    "finance.export.close": {"action_open"},
    "finance.intercompany": {"action_open_items"},
    "finance.historical.amount": {"action_approve", "action_withdraw"},
}


class TestControlsAccess(ControlsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: new_test_user(
                cls.env,
                f"controls_{role}",
                f"{GROUP}{role}",
                company_id=cls.b.id,
                company_ids=[Command.set(cls.b.ids)],
            )
            for role in ("user", "approver", "controller", "auditor", "administrator")
        }

    def test_what_runs_write_people_read(self):
        for model in WRITTEN:
            for role, user in self.users.items():
                for operation in ("read", "write", "create", "unlink"):
                    with self.subTest(model=model, role=role, operation=operation):
                        found = self.env[model].with_user(user).has_access(operation)
                        self.assertEqual(found, operation == "read" and role in READERS)

    def test_a_restatement_is_explained_by_controllers(self):
        rights = {
            role: self.env["finance.export.restatement"].with_user(user).has_access("write")
            for role, user in self.users.items()
        }
        self.assertEqual([role for role, may in rights.items() if may], ["controller"])

    def test_nobody_sees_another_company(self):
        self.export.group_currency_id = self.currency["USD"]
        self.export.rates_policy = "mark"
        self.entry(self.a, "2026-01-10", ("bank", 1), ("sales", -1), partner=self.b.partner_id)
        self.entry(self.b, "2026-01-10", ("bank", 1), ("sales", -1))
        self.entry(self.a, "2026-01-11", ("bank", 1), ("sales", -1), post=False)
        run = self.run_export()
        self.assertEqual(run.state, "delivered")
        mine = self.env(user=self.users["controller"], context={"allowed_company_ids": self.b.ids})
        both = self.env(context={"allowed_company_ids": (self.a | self.b).ids})
        self.env.cr.execute("UPDATE finance_export SET create_date = '2026-01-05'")
        for model in WRITTEN[:-3]:
            with self.subTest(model):
                self.assertTrue(both[model].search([]))
                found = mine[model].search([])
                owner = "company_id" if model.startswith("finance.export.period") else "run_id"
                if owner == "company_id":
                    self.assertEqual(found.company_id, self.b)
                else:
                    self.assertFalse(found)
        self.assertFalse(mine["finance.intercompany"].search([]))
        self.assertTrue(both["finance.intercompany"].search([("company_id", "=", self.a.id)]))
        self.assertFalse(mine["finance.export.close"].search([("company_id", "=", self.a.id)]))

    def test_public_methods(self):
        for model in (*WRITTEN, "finance.export.restatement", "finance.historical.amount"):
            self.assertEqual(
                public_methods(self.env[model], self.test_module), PUBLIC.get(model, set()), model
            )
