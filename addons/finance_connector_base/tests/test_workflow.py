from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..providers.retry import RetryPolicy
from .vendor import ConnectorCase


@tagged("post_install", "-at_install")
class TestWorkflow(ConnectorCase):
    """Connector × company × flow."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.branch = cls.env["res.company"].create({"name": "Branch", "parent_id": cls.company.id})
        cls.other = cls.env["res.company"].create({"name": "Other company"})
        cls.workflow = (
            cls.env["finance.workflow"]
            .with_user(cls.admin)
            .create({"connector_id": cls.connector.id, "company_id": cls.company.id, "flow": "tax"})
        )

    def option(self, workflow, value):
        workflow.setting_ids.filtered(lambda row: row.environment == "sandbox").value = value

    def test_options_come_from_the_provider(self):
        self.assertEqual(set(self.workflow.setting_ids.mapped("label")), {"Company code"})
        self.option(self.workflow, "MAIN")
        self.assertEqual(self.workflow._company_settings(), {"company_code": "MAIN"})
        self.assertFalse(self.connector.setting_ids.filtered("workflow_id"))

    def test_options_reach_the_provider(self):
        self.enter()
        self.option(self.workflow, "MAIN")
        self.assertEqual(
            self.connector._config(self.company).company_settings, {"company_code": "MAIN"}
        )

    def test_branch_inherits_until_it_has_its_own(self):
        self.assertEqual(self.connector._workflow(self.branch, "tax"), self.workflow)
        own = self.workflow.sudo().copy({"company_id": self.branch.id})
        self.option(own, "BRANCH")
        self.assertEqual(self.connector._workflow(self.branch, "tax"), own)
        self.assertEqual(self.connector._workflow(self.company, "tax"), self.workflow)
        self.enter()
        self.assertEqual(
            self.connector._config(self.branch).company_settings, {"company_code": "BRANCH"}
        )

    def test_none_found_is_an_empty_set_with_the_usual_policy(self):
        self.assertFalse(self.connector._workflow(self.other, "tax"))
        self.assertFalse(self.connector._workflow(self.company, "bank"))
        self.assertEqual(self.env["finance.workflow"]._retry_policy(), RetryPolicy())

    def test_retry_policy(self):
        self.assertEqual(self.workflow._retry_policy(), RetryPolicy())
        self.workflow.write(
            {
                "max_attempts": 3,
                "retry_window_hours": 2,
                "backoff_base_seconds": 1,
                "backoff_cap_seconds": 60,
            }
        )
        self.assertEqual(self.workflow._retry_policy(), RetryPolicy(3, 7200, 1, 60))

    @mute_logger("odoo.sql_db")
    def test_senseless_policy_is_refused(self):
        for vals in ({"max_attempts": 0}, {"backoff_cap_seconds": 1, "backoff_base_seconds": 2}):
            with self.assertRaises(IntegrityError), self.cr.savepoint():
                self.workflow.write(vals)
                self.env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_one_per_connector_company_and_flow(self):
        with self.assertRaises(IntegrityError), self.cr.savepoint():
            self.workflow.copy()
            self.env.flush_all()

    def test_the_nearest_workflow_serves(self):
        others = self.env["finance.connector"].search([("id", "!=", self.connector.id)])
        others.active = False
        serving = self.env["finance.workflow"]._serving
        self.assertEqual(serving(self.company, "tax"), self.workflow)
        self.assertEqual(serving(self.branch, "tax"), self.workflow)
        self.assertFalse(serving(self.other, "tax"))
        own = self.workflow.sudo().copy({"company_id": self.branch.id})
        self.assertEqual(serving(self.branch, "tax"), own)
        self.assertEqual(serving(self.company, "tax"), self.workflow)
        own.active = False
        self.assertEqual(serving(self.branch, "tax"), self.workflow)
        self.connector.sudo().active = False
        self.assertFalse(serving(self.branch, "tax"))

    def test_company_must_be_served(self):
        with self.assertRaises(ValidationError):
            self.workflow.sudo().copy({"company_id": self.other.id})

    def test_companies_see_their_own_and_their_parents(self):
        """Configuration is inherited by branches and hidden from other companies."""
        for company, visible in ((self.company, True), (self.branch, True), (self.other, False)):
            self.user.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
            for record in (
                self.connector,
                self.workflow,
                self.workflow.setting_ids[:1],
                self.connector.setting_ids[:1],
            ):
                found = (
                    record.with_user(self.user)
                    .with_context(allowed_company_ids=company.ids)
                    .search([("id", "=", record.id)])
                )
                self.assertEqual(bool(found), visible, (company.name, record))

    def test_only_administrators_write(self):
        with self.assertRaises(AccessError):
            self.workflow.with_user(self.user).max_attempts = 1
        with self.assertRaises(AccessError):
            self.workflow.setting_ids[:1].with_user(self.user).value = "x"

    def test_options_are_checked_and_stay_in_their_place(self):
        option = self.connector.setting_ids.filtered(
            lambda row: row.name == "account" and row.environment == "sandbox"
        )
        with self.assertRaisesRegex(ValidationError, "Account number"):
            option.value = "not a number"
        with self.assertRaises(UserError):
            option.name = "api_key"
        option.value = "77"
        self.assertTrue(self.events("connector.option"))
