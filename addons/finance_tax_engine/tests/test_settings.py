from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import TaxEngineCommon


@tagged("post_install", "-at_install")
class TestSettings(TaxEngineCommon):
    def settings(self, **values):
        return self.env["res.config.settings"].with_company(self.company).create(values)

    def test_shows_and_changes_what_serves_the_company(self):
        shown = self.settings()
        self.assertEqual(shown.finance_tax_connector_id, self.connector)
        self.assertEqual(shown.finance_tax_outage, "refuse")
        self.settings(finance_tax_outage="fallback").execute()
        self.assertEqual(self.workflow.tax_outage, "fallback")

    def test_another_engine_takes_over_and_the_first_can_come_back(self):
        second = self.connector.copy({"name": "Second"})
        self.settings(finance_tax_connector_id=second.id).execute()
        serving = self.env["finance.workflow"]._serving(self.company, "tax")
        self.assertEqual(serving.connector_id, second)
        self.assertFalse(self.workflow.active)
        self.settings(finance_tax_connector_id=self.connector.id).execute()
        serving = self.env["finance.workflow"]._serving(self.company, "tax")
        self.assertEqual(serving, self.workflow)

    def test_no_engine(self):
        self.settings(finance_tax_connector_id=False).execute()
        move = self.create_houston_invoice()
        self.assertFalse(move.finance_tax_applies)
        move.action_post()
        self.assertEqual(self.calls, 0)

    def test_a_branch_uses_the_engine_of_its_parent(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        serving = self.env["finance.workflow"]._serving(branch, "tax")
        self.assertEqual(serving, self.workflow)

    def test_only_connector_administrators_choose(self):
        user = new_test_user(
            self.env,
            "settings_admin",
            groups="base.group_system,account.group_account_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        changed = (
            self.env["res.config.settings"]
            .with_user(user)
            .with_company(self.company)
            .create({"finance_tax_outage": "fallback"})
        )
        with self.assertRaises(AccessError):
            changed.set_values()
