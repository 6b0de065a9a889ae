"""Which documents belong to which engine, to Odoo, or elsewhere; and who records them."""

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import ENGINE, TaxEngineCommon

# What percentages make of the fixture, rounded half up on each line.
FIXED = {"state": 7.99}


class RouteCase(TaxEngineCommon):
    """A company with AvaTax and a table of fixed rates beside it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.us, cls.canada = cls.env.ref("base.us"), cls.env.ref("base.ca")
        cls.env["finance.tax.rate"].create(
            {
                "company_id": cls.company.id,
                "country_id": cls.us.id,
                "state_id": cls.texas.id,
                "kind": "state",
                "name": "Texas",
                "rate": 6.25,
            }
        )
        cls.table = cls.env["finance.connector"].create(
            {
                "name": "The table",
                "provider": "fixed_rates",
                "environment": "sandbox",
                "company_ids": [Command.set(cls.company.ids)],
            }
        )
        cls.table_workflow = cls.env["finance.workflow"].create(
            {"connector_id": cls.table.id, "company_id": cls.company.id, "flow": "tax"}
        )
        cls.table.action_test()

    def rule(self, name="Rule", connector=None, **values):
        """Return a rule of the company for an engine, or for what ``target`` says."""
        if "target" not in values:
            values["connector_id"] = (connector or self.connector).id
        for field in ("country_ids", "journal_ids", "fiscal_position_ids"):
            if field in values:
                values[field] = [Command.set(values[field].ids)]
        company = {"company_id": self.company.id}
        return self.env["finance.tax.route"].create({"name": name} | company | values)

    def elsewhere(self, **values):
        return self.rule(
            "Subscriptions", target="elsewhere", recorder_name="Acme Billing", **values
        )


@tagged("post_install", "-at_install")
class TestRoute(RouteCase):
    def test_without_rules_the_engine_taxes_everything(self):
        move = self.create_houston_invoice()
        self.assertEqual(move._finance_tax_workflow(), self.workflow)
        self.assertEqual(
            move.finance_tax_route_words,
            f"Belongs to {self.connector.name}: it taxes all documents of {self.company.name}.",
        )
        self.assertEqual(
            (move.finance_tax_recorder, move.finance_tax_recorder_name),
            ("engine", self.connector.name),
        )

    def test_the_first_rule_that_fits_decides(self):
        wholesale = self.env["account.fiscal.position"].create(
            {"name": "Wholesale", "company_id": self.company.id}
        )
        web = self.company_data["default_journal_sale"].copy({"name": "Web", "code": "WEB"})
        self.rule("Web", self.table, sequence=1, country_ids=self.us, journal_ids=web)
        self.rule("Wholesale", target="odoo", sequence=2, fiscal_position_ids=wholesale)
        self.rule("America", sequence=3, country_ids=self.us + self.canada)
        rows = (
            ({}, self.workflow, "America"),
            ({"journal_id": web.id}, self.table_workflow, "Web"),
            ({"fiscal_position_id": wholesale.id}, None, "Wholesale"),
            (
                {"fiscal_position_id": wholesale.id, "journal_id": web.id},
                self.table_workflow,
                "Web",
            ),
            ({"partner_shipping_id": self.partner_a.id}, None, "no rule"),
        )
        self.partner_a.country_id = self.env.ref("base.de")
        for values, workflow, word in rows:
            move = self.create_houston_invoice(**values)
            self.assertEqual(move._finance_tax_workflow(), workflow or self.workflow.browse())
            self.assertEqual(move.finance_tax_applies, bool(workflow))
            self.assertIn(word, move.finance_tax_route_words)
        self.assertIn("delivery to Germany", move.finance_tax_route_words)
        self.assertIn("Odoo's own taxes", move.finance_tax_route_words)
        move.action_post()
        self.assertEqual((self.calls, move.finance_tax_recorder), (0, "odoo"))
        self.assertFalse(move.finance_tax_document_ids)

    def test_two_engines_in_one_company_post_together(self):
        web = self.company_data["default_journal_sale"].copy({"name": "Web", "code": "WEB"})
        self.rule("Web", self.table, sequence=1, journal_ids=web)
        self.rule("All")
        avatax = self.create_houston_invoice()
        table = self.create_houston_invoice(journal_id=web.id)
        (avatax | table).action_post()
        self.assert_exact(avatax)
        self.assert_exact(table, FIXED)
        self.drain()
        self.assertEqual(
            [move.finance_tax_document_id.connector_id for move in (avatax, table)],
            [self.connector, self.table],
        )
        self.assertEqual(
            [move.finance_tax_state for move in (avatax, table)], ["committed", "committed"]
        )
        self.assertEqual(self.calls, 2)

    def test_a_fallback_engine_never_serves_by_being_older(self):
        self.table_workflow.active = False
        younger = self.connector.copy({"name": "Younger"})
        workflow = self.workflow.copy({"connector_id": younger.id})
        self.assertEqual(self.create_houston_invoice()._finance_tax_workflow(), self.workflow)
        workflow.write({"tax_outage": "engine", "tax_fallback_connector_id": self.connector.id})
        self.assertEqual(self.create_houston_invoice()._finance_tax_workflow(), workflow)
        settings = self.env["res.config.settings"].with_company(self.company).create({})
        self.assertEqual(settings.finance_tax_connector_id, younger)
        settings.finance_tax_outage_limit = 100
        settings.execute()
        self.assertTrue(self.workflow.active)

    def test_an_estimate_of_another_engine_is_left_behind(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        self.rule("All", self.table)
        move.invalidate_recordset()
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        self.assert_exact(move, FIXED)
        self.drain()
        self.assertEqual(move.finance_tax_document_id.connector_id, self.table)
        states = {row.connector_id: row.state for row in move.finance_tax_document_ids}
        self.assertEqual(states, {self.connector: "estimated", self.table: "committed"})

    def test_branches(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        rules = self.env["finance.tax.route"]._rules
        self.assertEqual([rule.workflow_id for rule in rules(branch)], [self.workflow.id])
        self.rule("All", self.table)
        self.assertEqual([rule.workflow_id for rule in rules(branch)], [self.table_workflow.id])
        own = self.table_workflow.copy({"company_id": branch.id})
        self.assertEqual([rule.workflow_id for rule in rules(branch)], [own.id])
        self.assertFalse(rules(branch)[0].route_id)
        own.active = False
        self.assertEqual([rule.workflow_id for rule in rules(branch)], [self.table_workflow.id])
        self.table.active = False
        self.assertEqual([rule.workflow_id for rule in rules(branch)], [None])

    def test_a_rule_whose_engine_is_given_up(self):
        self.rule("All", self.table)
        self.table_workflow.active = False
        move = self.create_houston_invoice()
        self.assertFalse(move.finance_tax_applies)
        self.assertIn("does not serve", move.finance_tax_route_words)

    def test_many_documents_cost_no_query_each(self):
        self.rule("America", country_ids=self.us)
        moves = self.env["account.move"].union(
            *(self.create_houston_invoice(invoice_date=f"2026-03-0{day}") for day in range(1, 4))
        )
        moves[0]._finance_tax_route()
        self.env.flush_all()
        counts = []
        for some in (moves[:1], moves):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual({move._finance_tax_workflow() for move in some}, {self.workflow})
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])

    def test_what_a_rule_needs(self):
        with self.assertRaises(ValidationError):
            self.table_workflow.active = False
            self.rule("All", self.table)
        for values in (
            {"target": "engine"},
            {"target": "elsewhere"},
            {"target": "odoo", "connector_id": self.connector.id},
        ):
            with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
                with self.env.cr.savepoint():
                    self.rule("x", **values)

    def test_who_may_make_rules(self):
        rule, other = self.rule(), self.setup_other_company()["company"]
        for login, group, may in (
            ("route_clerk", "account.group_account_invoice", False),
            ("route_user", "finance_connector_base.group_user", False),
            ("route_auditor", "finance_connector_base.group_auditor", False),
            ("route_admin", "finance_connector_base.group_administrator", True),
        ):
            user = new_test_user(self.env, login, group, company_id=self.company.id)
            own = rule.with_user(user).with_company(self.company)
            self.assertEqual(own.read(["name"])[0]["name"], "Rule")
            if may:
                own.name = "Renamed"
                own.name = "Rule"
                continue
            with self.assertRaises(AccessError):
                own.name = "Renamed"
        stranger = new_test_user(
            self.env,
            "route_stranger",
            "finance_connector_base.group_administrator",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        self.assertFalse(self.env["finance.tax.route"].with_user(stranger).search([]))

    def test_settings_leave_engines_of_rules_alone(self):
        self.rule("Canada", self.table, country_ids=self.canada, sequence=1)
        america = self.rule("America", country_ids=self.us)
        settings = self.env["res.config.settings"].with_company(self.company)
        settings.create({"finance_tax_outage": "fallback"}).execute()
        self.assertTrue(self.table_workflow.active)
        second = self.connector.copy({"name": "Second"})
        settings.create({"finance_tax_connector_id": second.id}).execute()
        self.assertEqual(america.connector_id, second)
        self.assertEqual((self.workflow.active, self.table_workflow.active), (False, True))


@tagged("post_install", "-at_install")
class TestRecorder(RouteCase):
    """Every document is recorded in one place, and stays there."""

    def test_posted_documents_and_their_credit_notes_stay_with_their_engine(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        self.rule("All", self.table)
        move.invalidate_recordset()
        self.assertEqual(move._finance_tax_workflow(), self.workflow)
        self.assertIn("it was posted so", move.finance_tax_route_words)
        calls = self.calls
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        self.assertIn(move.name, refund.finance_tax_route_words)
        refund.action_post()
        self.assert_exact(refund)
        self.assertEqual(self.calls, calls)
        self.drain()
        self.assertEqual(refund.finance_tax_document_id.connector_id, self.connector)
        move.button_draft()
        self.assertEqual(move._finance_tax_workflow(), self.table_workflow)
        self.drain()
        move.action_post()
        self.drain()
        self.assertEqual(move.finance_tax_document_id.connector_id, self.table)
        self.assertEqual(
            {row.connector_id: row.state for row in move.finance_tax_document_ids},
            {self.connector: "voided", self.table: "committed"},
        )

    def test_a_credit_note_of_an_engine_that_was_given_up_goes_by_the_rules(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        self.workflow.active = False
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        self.assertEqual(refund._finance_tax_workflow(), self.table_workflow)

    def test_a_credit_note_of_an_invoice_of_odoo_is_odoos(self):
        rule = self.rule("All", target="odoo")
        move = self.create_houston_invoice()
        move.action_post()
        rule.unlink()
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        self.assertFalse(refund.finance_tax_applies)
        self.assertIn(move.name, refund.finance_tax_route_words)
        refund.action_post()
        self.assertEqual((refund.amount_total, self.calls), (move.amount_total, 0))
        self.assertEqual(refund.finance_tax_recorder, "odoo")

    def test_elsewhere_by_a_rule(self):
        rule = self.elsewhere()
        move = self.create_houston_invoice()
        self.assertEqual(
            (move.finance_tax_recorder, move.finance_tax_recorder_name),
            ("elsewhere", "Acme Billing"),
        )
        tax = move.amount_tax
        move.action_post()
        self.drain()
        document = move.finance_tax_document_ids
        self.assertEqual(
            (document.recorder, document.recorder_name, document.state, document.route_id),
            ("elsewhere", "Acme Billing", "unrecorded", rule),
        )
        self.assertAlmostEqual(document.amount_tax, tax)
        self.assertIn("Acme Billing", document.display_name)
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}], cancel=True)
        self.assertEqual(refund.finance_tax_recorder, "elsewhere")
        self.assertEqual((self.calls, self.recorded()), (0, {}))
        rule.unlink()
        other = self.create_houston_invoice()
        other.action_post()
        self.assertEqual(other.finance_tax_recorder, "engine")

    def test_a_reset_asks_the_rules_again(self):
        rule = self.elsewhere()
        move = self.create_houston_invoice()
        move.action_post()
        move.button_draft()
        rule.active = False
        self.assertFalse(move.finance_tax_document_ids)
        move.action_post()
        self.assert_exact(move)
        self.assertEqual(move.finance_tax_recorder, "engine")

    def test_a_reset_fallback_goes_by_the_rules(self):
        self.workflow.tax_outage = "fallback"
        move = self.create_houston_invoice()
        self.break_engine()
        move.action_post()
        self.assertEqual(move._finance_tax_workflow(), self.workflow)
        move.button_draft()
        self.elsewhere()
        move.action_post()
        self.assertEqual(move.finance_tax_recorder, "elsewhere")
        self.assertEqual(move.finance_tax_document_id.recorder_name, "Acme Billing")

    def test_what_came_from_a_platform_stays_recorded_there(self):
        move = self.create_houston_invoice()
        move._finance_tax_recorded_at("Acme")
        move._finance_tax_recorded_at("Acme Billing")
        self.assertIn("it came from there", move.finance_tax_route_words)
        move.action_post()
        move.button_draft()
        move.action_post()
        self.drain()
        self.assertEqual((self.calls, move.finance_tax_recorder), (0, "elsewhere"))
        self.assertEqual(len(move.finance_tax_document_ids), 1)
        self.assertFalse(move.finance_tax_stale)

    def test_no_second_recorder(self):
        move = self.create_houston_invoice()
        move.action_post()
        with self.assertRaisesRegex(UserError, "Reset it to draft"):
            move._finance_tax_recorded_at("Acme Billing")
        self.drain()
        row = {
            "move_id": move.id,
            "company_id": self.company.id,
            "currency_id": move.currency_id.id,
            "recorder": "elsewhere",
            "recorder_name": "Acme Billing",
        }
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.env["finance.tax.document"].sudo().create(row)
        self.assertEqual(self.by_kind(move), ENGINE)
