import io
import json
from dataclasses import replace
from decimal import Decimal

import jsonschema

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from odoo.addons.finance_connector_base.tests.mapping import MappingMixin

from ..canonical.publication import json_schema
from ..feeds import FEEDS
from ..models.finance_export_feed import Reading
from . import ledger
from .common import ExportCase


@tagged("post_install", "-at_install")
class TestExtraction(MappingMixin, ExportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.companies = ledger.make(cls.env, 300, partners=5)
        cls.home = cls.companies[0]
        cls.reader, cls.stranger = (
            new_test_user(
                cls.env,
                login,
                groups,
                company_id=cls.home.id,
                company_ids=[Command.set(companies.ids)],
            )
            for login, groups, companies in (
                ("x_reader", "account.group_account_readonly", cls.companies[:2]),
                ("x_stranger", "base.group_user", cls.companies),
            )
        )
        cls.worker, cls.approver = (
            new_test_user(
                cls.env,
                f"x_{role}",
                f"finance_connector_base.group_{role},account.group_account_manager",
                company_id=cls.home.id,
                company_ids=[Command.set(cls.companies.ids)],
            )
            for role in ("controller", "approver")
        )
        cls.Mapping = cls.env["finance.mapping"]

    # === ACCESS === #

    def test_rows_are_those_of_the_companies_that_the_reader_may_read(self):
        rows, counted = self.rows("journal_items", companies=self.companies[1], user=self.reader)
        self.env.cr.execute(
            "SELECT count(*), sum(debit)::text, sum(amount_currency)::text FROM account_move_line"
            " WHERE parent_state = 'posted' AND company_id = %s",
            [self.companies[1].id],
        )
        count, debit, currency = self.env.cr.fetchone()
        self.assertEqual((len(rows), counted), (count, count))
        self.assertEqual({row["entity"] for row in rows}, {self.companies[1].name})
        self.assertEqual(sum(Decimal(row["debit"]) for row in rows), Decimal(debit))
        self.assertEqual(sum(Decimal(row["amount_currency"]) for row in rows), Decimal(currency))

    def test_a_company_that_is_not_the_readers_is_refused(self):
        with self.assertRaises(UserError):
            self.rows("journal_items", companies=self.companies, user=self.reader)

    def test_who_may_not_read_entries_gets_none(self):
        for code in ("journal_items", "trial_balance", "cash_position"):
            with self.subTest(code), self.assertRaises(AccessError):
                self.rows(code, companies=self.home, user=self.stranger)

    def test_nobody_reads_with_the_rights_of_somebody_else(self):
        exports = self.env["finance.export"].with_user(self.worker)
        values = {"name": "Mine", "code": "mine", "company_ids": [Command.set(self.home.ids)]}
        with self.assertRaises(AccessError):
            exports.create(values | {"user_id": self.approver.id})
        exports.create(values | {"user_id": self.worker.id})
        with self.assertRaises(AccessError):
            self.env["finance.feed"].with_user(self.worker).create(
                {
                    "name": "Parameters",
                    "code": "parameters",
                    "model_id": self.env.ref("base.model_ir_config_parameter").id,
                    "column_ids": [Command.create({"name": "value", "source": "value"})],
                }
            )

    def test_what_is_read_with_lent_rights_stays_as_it_is(self):
        feed = self.env["finance.feed"].create(
            {
                "name": "Entries",
                "code": "entries_of_ours",
                "model_id": self.env.ref("account.model_account_move").id,
                "column_ids": [Command.create({"name": "number", "source": "name"})],
            }
        )
        lent = self.export_line("entries_of_ours", companies=self.home, user=self.approver)
        changes = (
            lambda: feed.with_user(self.worker).write({"domain": "[('id', '>', 0)]"}),
            lambda: feed.column_ids.with_user(self.worker).write({"source": "ref"}),
            lambda: feed.column_ids.with_user(self.worker).unlink(),
            lambda: lent.with_user(self.worker).write({"mode": "incremental"}),
            lambda: (
                self.env["finance.export.column"]
                .with_user(self.worker)
                .create({"export_feed_id": lent.id, "name": "number", "privacy": "drop"})
            ),
        )
        for number, change in enumerate(changes):
            with self.subTest(number), self.assertRaises(AccessError):
                change()
        lent.export_id.user_id = self.worker
        for change in changes[:1] + changes[3:]:
            change()

    # === WHAT IS TOLD === #

    def test_codes_of_accounts_are_those_of_the_rows_company(self):
        account = self.env["account.account"].search(
            [("company_ids", "in", self.companies[1].ids), ("account_type", "=", "equity")], limit=1
        )
        account.with_company(self.companies[1]).code = "777777"
        rows, _counted = self.rows("journal_items", companies=self.companies, user=self.env.user)
        codes = {row["gl_account_number"] for row in rows if row["account_id"] == str(account.id)}
        self.assertEqual(codes, {"777777"})

    def test_line_breaks_and_quotes_survive(self):
        rows, _counted = self.rows("journal_items", companies=self.home)
        labels = {row["je_line_description"] for row in rows}
        self.assertIn('Consulting\nMarch, "on site"', labels)
        self.assertIn("Größe; Maße", labels)

    def test_json_lines_are_as_the_published_schema_says(self):
        told = 0
        for code in FEEDS:
            line = self.export_line(code, companies=self.companies)
            extraction = line._extraction(self.run_of(line), "full")
            check = jsonschema.Draft202012Validator(json_schema(extraction.schema))
            target = io.BytesIO()
            for part in extraction.parts:
                extraction.write(part, target, "jsonl")
            for text in target.getvalue().splitlines()[:50]:
                told += 1
                with self.subTest(code):
                    check.validate(json.loads(text))
        self.assertGreater(told, len(FEEDS))

    def test_trial_balance_carries_on(self):
        rows, _counted = self.rows("trial_balance", companies=self.home)
        self.env.cr.execute(
            "SELECT sum(balance)::text FROM account_move_line JOIN account_account AS account"
            " ON account.id = account_id WHERE parent_state = 'posted' AND company_id = %s"
            " AND account_type = 'asset_receivable'",
            [self.home.id],
        )
        [balance] = self.env.cr.fetchone()
        last = max(row["period"] for row in rows)
        closing = sum(
            Decimal(row["amount_ending"])
            for row in rows
            if row["period"] == last and row["gl_account_type"] == "asset_receivable"
        )
        self.assertEqual(closing, Decimal(balance))
        for period in {row["period"] for row in rows}:
            month = [row for row in rows if row["period"] == period]
            self.assertEqual(
                sum(Decimal(row["debit"]) for row in month),
                sum(Decimal(row["credit"]) for row in month),
            )
        january = [
            row
            for row in rows
            if row["period"] == "2025-01" and row["gl_account_type"] in ("income", "expense")
        ]
        self.assertTrue(january)
        self.assertFalse(any(Decimal(row["amount_beginning"]) for row in january))

    # === PRIVACY === #

    def test_names_stay_here_and_numbers_become_digests(self):
        partner = self.env["res.partner"].search([("ref", "=", "P00001")], limit=1)
        partner.vat = "DE136695976"

        def told(**privacy):
            columns = [
                Command.create({"name": name, "privacy": choice})
                for name, choice in privacy.items()
            ]
            rows, _counted = self.rows("customers", companies=self.home, column_ids=columns)
            return next(row for row in rows if row["id"] == str(partner.id))

        row = told()
        self.assertNotIn("partner_name", row)
        self.assertRegex(row["tax_registration_number"], r"^[0-9a-f]{64}$")
        row = told(partner_name="open", tax_registration_number="token")
        self.assertEqual(row["partner_name"], partner.name)
        self.assertEqual(row["tax_registration_number"], f"res.partner/{partner.id}")
        with self.assertRaises(ValidationError):
            told(id="hash")

    def test_a_preview_keeps_the_salt(self):
        line = self.export_line("customers", companies=self.home)
        salt = line._reading(line._reading_env()).choices["salt"]
        preview = line._preview(3)
        self.assertTrue(salt)
        self.assertNotIn(salt, preview["sql"])
        self.assertNotIn("Partner 1", str(preview["rows"]))
        self.assertEqual(len(preview["rows"]), 3)

    # === MAPPINGS === #

    def test_codes_are_those_that_were_approved_for_the_day_of_the_row(self):
        account = self.env["account.account"].search(
            [("company_ids", "in", self.home.ids), ("account_type", "=", "asset_receivable")]
        )
        self.approved(
            self.mapping(),
            {"record": account, "code": "OLD", "valid_to": "2024-12-31"},
            {"record": account, "code": "NEW", "valid_from": "2025-01-01"},
            {"rule": "code", "prefix": "4", "code": "REVENUE"},
        )
        rows, _counted = self.rows("journal_items", companies=self.home, split="whole")
        codes = {
            (row["gl_account_number"][0], row["effective_date"] >= "2025"): row[
                "gl_account_number_mapped"
            ]
            for row in rows
            if row["gl_account_number"] in ("121000", "400000", "600000")
        }
        self.assertEqual(codes["1", False], "OLD")
        self.assertEqual(codes["1", True], "NEW")
        self.assertEqual(codes["4", True], "REVENUE")
        self.assertEqual(codes["6", True], "")

    # === DRIFT, OWN FEEDS === #

    def test_a_field_of_another_type_is_refused_before_it_is_read(self):
        feed = FEEDS["journal_items"]
        wrong = tuple(
            replace(column, type="integer") if column.name == "matching_number" else column
            for column in feed.columns
        )
        with self.assertRaisesRegex(UserError, "matching_number"):
            self.feed("journal_items")._check_drift(replace(feed, columns=wrong))
        gone = (replace(feed.columns[0], name="lost", source="no_such_field", required=True),)
        with self.assertRaisesRegex(UserError, "lost"):
            self.feed("journal_items")._check_drift(replace(feed, columns=gone))

    def test_a_feed_of_ones_own(self):
        feed = self.env["finance.feed"].create(
            {
                "name": "Products",
                "code": "my_journals",
                "model_id": self.env.ref("account.model_account_journal").id,
                "domain": "[('type', '=', 'sale')]",
                "column_ids": [
                    Command.create({"name": "code", "source": "code"}),
                    Command.create({"name": "company", "source": "company_id.name"}),
                    Command.create({"name": "currency", "source": "company_id.currency_id.name"}),
                ],
            }
        )
        rows, _counted = self.rows("my_journals", companies=self.companies)
        self.assertEqual(
            {(row["code"], row["company"], row["currency"]) for row in rows},
            {
                ("XINV", company.name, code)
                for company, code in zip(self.companies, ledger.CURRENCIES, strict=True)
            },
        )
        watched = {
            watch.table
            for watch in Reading(
                self.env(context=dict(allowed_company_ids=self.companies.ids)), feed._definition()
            ).watches()
        }
        self.assertEqual(watched, {"account_journal", "res_company", "res_currency"})
        before = feed.version
        feed.column_ids[0].name = "journal_code"
        self.assertGreater(feed.version, before)
        with self.assertRaises(ValidationError):
            feed.column_ids = [Command.create({"name": "x", "source": "company_id.nothing"})]

    def test_feeds_of_the_suite_are_fixed(self):
        with self.assertRaises(UserError):
            self.feed("journal_items").domain = "[('id', '<', 5)]"
