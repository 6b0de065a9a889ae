import json

from odoo import Command
from odoo.tests import TransactionCase, tagged

from odoo.addons.finance_connector_base.configuration.text import dump
from odoo.addons.finance_connector_base.tests.configuration import unsaid_fields


@tagged("post_install", "-at_install")
class TestConfiguration(TransactionCase):
    """What tax adds to the configuration file."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.configuration = cls.env["finance.configuration"]
        cls.companies = cls.env["res.company"].create([{"name": "Tax A"}, {"name": "Tax B"}])
        cls.accounts = cls.env["account.account"]
        for number, company in enumerate(cls.companies):
            # one code, two accounts: each company has its own
            cls.accounts |= (
                cls.env["account.account"]
                .with_company(company)
                .create(
                    {
                        "name": f"Sales Tax {number}",
                        "code": "251900",
                        "account_type": "liability_current",
                        "company_ids": [Command.set(company.ids)],
                    }
                )
            )
        cls.connector = cls.env["finance.connector"].create(
            {
                "name": "Engine",
                "provider": "avatax",
                "company_ids": [Command.set(cls.companies.ids)],
            }
        )
        cls.workflows = cls.env["finance.workflow"].create(
            [
                {
                    "connector_id": cls.connector.id,
                    "company_id": company.id,
                    "flow": "tax",
                    "tax_account_id": account.id,
                }
                for company, account in zip(cls.companies, cls.accounts, strict=True)
            ]
        )
        cls.journal, cls.position = cls.place_of_rules(cls.companies[0])
        cls.route = cls.env["finance.tax.route"].create(
            {
                "name": "North America",
                "company_id": cls.companies[0].id,
                "connector_id": cls.connector.id,
                "country_ids": [Command.set((cls.env.ref("base.us") + cls.env.ref("base.ca")).ids)],
                "journal_ids": [Command.set(cls.journal.ids)],
                "fiscal_position_ids": [Command.set(cls.position.ids)],
            }
        )
        cls.category = cls.env["product.category"].create(
            {"name": "Books", "finance_tax_code": "PB100000"}
        )

    @classmethod
    def place_of_rules(cls, company):
        """Return a journal and a fiscal position of a company, named as one of another company."""
        for one in cls.companies - company + company:
            journal = cls.env["account.journal"].create(
                {"name": "Web", "code": "WEB", "type": "sale", "company_id": one.id}
            )
            position = cls.env["account.fiscal.position"].create(
                {"name": "Wholesale", "company_id": one.id}
            )
        return journal, position

    def load(self, document, complete=False):
        """Review a document and apply it."""
        text = dump(document)
        review = self.configuration._review(text, complete)
        self.assertEqual(review.problems, [])
        self.configuration._load(text, complete)
        self.assertEqual(self.configuration._export(), review.after)

    def test_round_trip(self):
        text = self.configuration._export()
        document = json.loads(text)
        mine = [row for row in document["sections"]["workflows"] if row["connector"] == "engine"]
        self.assertEqual({row["tax_account"] for row in mine}, {"251900"})
        [rule] = [
            row for row in document["sections"]["tax_routes"] if row["name"] == self.route.name
        ]
        self.assertEqual(
            (rule["countries"], rule["journals"], rule["fiscal_positions"]),
            (["CA", "US"], ["WEB"], ["Wholesale"]),
        )
        self.connector.unlink()
        self.category.finance_tax_code = False
        self.load(document)
        self.assertEqual(self.configuration._export(), text)
        again = self.env["finance.workflow"].search([("company_id", "in", self.companies.ids)])
        self.assertEqual(
            {row.company_id: row.tax_account_id for row in again},
            dict(zip(self.companies, self.accounts, strict=True)),
        )
        self.assertEqual(self.category.finance_tax_code, "PB100000")
        route = self.env["finance.tax.route"].search([("name", "=", "North America")])
        self.assertEqual(
            (route.journal_ids, route.fiscal_position_ids), (self.journal, self.position)
        )

    def test_every_field_is_in_the_file(self):
        for addon in ("finance_tax_engine", "finance_tax_engine_sale"):
            self.assertEqual(unsaid_fields(self.env, addon), set())

    def test_data_is_left_out(self):
        partner = self.env["res.partner"].create({"name": "X"})
        self.env["finance.tax.exemption"].create({"partner_id": partner.id, "number": "EX-4711"})
        self.env["product.template"].create({"name": "Y", "finance_tax_code": "PX-4711"})
        self.assertNotIn("X-4711", self.configuration._export())

    def test_unknown_accounts_countries_and_categories(self):
        document = json.loads(self.configuration._export())
        row = next(row for row in document["sections"]["workflows"] if row["company"] == "Tax A")
        row |= {"tax_account": "999999", "tax_outage": "hope"}
        rules = document["sections"]["tax_routes"]
        rule = next(row for row in rules if row["name"] == "North America")
        rule |= {"countries": ["AUT"], "journals": ["NOPE"]}
        document["sections"]["category_tax_codes"].append({"category": "Nope", "tax_code": "P"})
        problems = self.configuration._review(dump(document)).problems
        told = {problem["where"].split(" › ")[-1]: problem["words"] for problem in problems}
        self.assertEqual(
            told.keys(), {"tax_account", "countries", "journals", "tax_outage", "Nope"}
        )
        self.assertIn("999999", told["tax_account"])
        self.assertIn("two letters", told["countries"])
        self.assertIn("fallback", told["tax_outage"])

    def test_files_from_before_there_were_rules(self):
        document = json.loads(self.configuration._export())
        for row in document["sections"]["workflows"]:
            row["tax_countries"] = ["US"] if row["company"] == "Tax A" else []
        del document["sections"]["tax_routes"]
        review = self.configuration._review(dump(document))
        self.assertEqual((review.problems, review.before), ([], review.after))
        [note] = review.notes
        self.assertIn("Tax A", note["place"])
        self.assertIn("Tax Routing", note["words"])

    def test_policies_of_fiscal_positions(self):
        first, second = self.env["account.fiscal.position"].create(
            [{"name": name, "company_id": self.companies[0].id} for name in ("Intra", "Export")]
        )
        first.write({"finance_vat_policy": "block", "finance_transport_days": 40})
        document = json.loads(self.configuration._export())
        entries = [
            row for row in document["sections"]["fiscal_positions"] if row["company"] == "Tax A"
        ]
        self.assertEqual([row["name"] for row in entries], ["Intra"])
        first.finance_vat_policy = "warn"
        second.finance_transport_proof = True
        self.load(document, complete=True)
        self.assertEqual((first.finance_vat_policy, first.finance_transport_days), ("block", 40))
        self.assertFalse(second.finance_transport_proof)

    def test_a_complete_file_takes_codes_away(self):
        document = json.loads(self.configuration._export())
        document["sections"]["category_tax_codes"] = []
        self.load(document)
        self.assertEqual(self.category.finance_tax_code, "PB100000")
        self.load(document, complete=True)
        self.assertFalse(self.category.finance_tax_code)
