"""The table of rates: what it takes, who may change it, how it is imported, what engines get."""

from decimal import Decimal

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import file_open, mute_logger

GROUPS = "finance_connector_base.group_"


@tagged("post_install", "-at_install")
class TestTaxRate(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Rates Inc."})
        cls.us, cls.texas = cls.env.ref("base.us"), cls.env.ref("base.state_us_44")
        cls.rates = cls.env["finance.tax.rate"]
        cls.state = cls.create_rate(valid_to="2026-06-30")

    @classmethod
    def create_rate(cls, **values):
        return cls.rates.create(
            {
                "company_id": cls.company.id,
                "country_id": cls.us.id,
                "state_id": cls.texas.id,
                "kind": "state",
                "name": "Texas",
                "code": "48",
                "rate": 6.25,
            }
            | values
        )

    def table(self):
        return self.rates._rate_table(self.company)

    def test_the_engine_gets_exact_rates(self):
        self.create_rate(kind="city", name="Houston", code="", rate=1.1185, city="Houston")
        rates = {rate.kind: rate for rate in self.table().rates}
        self.assertEqual(rates["state"].rate, Decimal("0.0625"))
        self.assertEqual(rates["city"].rate, Decimal("0.011185"))
        self.assertEqual((rates["city"].country, rates["city"].region), ("US", "TX"))
        self.assertEqual(str(rates["state"].end), "2026-06-30")

    def test_every_change_makes_another_version(self):
        versions = [self.table().version]
        row = self.create_rate(tax_code="FOOD", rate=0, zero_reason="not_taxable")
        versions.append(self.table().version)
        row.rate = 1
        versions.append(self.table().version)
        row.active = False
        self.assertEqual(self.table().version, versions[0])
        self.assertEqual(len(set(versions)), 3)
        row.unlink()
        self.assertEqual(self.table().version, versions[0])

    def test_one_rate_a_day_for_the_same_place_and_product(self):
        for values in (
            {"valid_from": "2026-06-30"},
            {"city": ""},
            {"name": "State of Texas"},
        ):
            with self.assertRaises(ValidationError) as refused:
                self.create_rate(**values)
            self.assertIn("hold at the same place", str(refused.exception))
        next_rate = self.create_rate(valid_from="2026-07-01", rate=7)
        self.create_rate(tax_code="FOOD", rate=0, zero_reason="not_taxable")
        self.create_rate(zip_from="770", rate=8)
        with self.assertRaises(ValidationError):
            next_rate.valid_from = False
        next_rate.active = False
        self.create_rate(valid_from="2026-07-01", rate=7.5)

    def test_what_makes_no_sense_is_refused(self):
        for values in (
            {"rate": 101, "tax_code": "A"},
            {"rate": -1, "tax_code": "A"},
            {"rate": 0, "tax_code": "A"},
            {"valid_from": "2027-01-01", "valid_to": "2026-01-01"},
        ):
            with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
                self.create_rate(**values)
        with self.assertRaises(ValidationError) as refused:
            self.create_rate(country_id=self.env.ref("base.ca").id)
        self.assertIn("not a state of", str(refused.exception))

    def test_branches_use_the_rates_of_their_company(self):
        branch = self.env["res.company"].create(
            {"name": "Rates Branch", "parent_id": self.company.id}
        )
        self.assertEqual(self.rates._rate_table(branch).version, self.table().version)
        with self.assertRaises(ValidationError) as refused:
            self.create_rate(company_id=branch.id, tax_code="A")
        self.assertIn("choose Rates Inc", str(refused.exception))
        self.assertNotEqual(self.rates._rate_table(self.env.company).version, self.table().version)

    def test_the_template_imports(self):
        [template] = self.rates.get_import_templates()
        with file_open(template["template"].removeprefix("/")) as file:
            names, *rows = [line.strip().split(",") for line in file]
        self.state.unlink()
        rates = self.rates.with_company(self.company)
        result = rates.load(names, rows)
        self.assertFalse(result["messages"])
        made = self.rates.browse(result["ids"])
        self.assertEqual(made.company_id, self.company)
        self.assertEqual(len(made), len(rows))
        self.assertIn("not_taxable", made.mapped("zero_reason"))
        self.assertEqual(made[0].state_id, self.texas)

    def test_who_may_change_rates(self):
        table = {
            "base.group_user": "",
            GROUPS + "user": "r",
            GROUPS + "auditor": "r",
            "account.group_account_invoice": "r",
            "account.group_account_manager": "rwcu",
            GROUPS + "controller": "rwcu",
            GROUPS + "administrator": "rwcu",
        }
        for number, (group, allowed) in enumerate(table.items()):
            user = new_test_user(
                self.env,
                f"rates_{number}",
                f"base.group_user,{group}",
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            rate = self.create_rate(tax_code=f"CODE {number}").with_user(user)
            for right, act in (
                ("r", lambda rate=rate: rate.read(["name"])),
                ("w", lambda rate=rate: rate.write({"rate": 5})),
                ("c", lambda rate=rate: rate.copy({"tax_code": "N"})),
                ("u", rate.unlink),
            ):
                with self.subTest(group=group, right=right):
                    if right in allowed:
                        made = act()
                        if right == "c":
                            made.sudo().unlink()
                        continue
                    with self.assertRaises(AccessError):
                        act()

    def test_rates_of_other_companies_are_out_of_reach(self):
        other = self.env["res.company"].create({"name": "Other"})
        user = new_test_user(
            self.env,
            "rates_other",
            "account.group_account_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        self.assertFalse(self.rates.with_user(user).search([("company_id", "=", self.company.id)]))
        with self.assertRaises(AccessError):
            self.state.with_user(user).rate = 1
