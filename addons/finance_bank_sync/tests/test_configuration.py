import json

from odoo import Command
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.finance_connector_base.configuration.text import dump
from odoo.addons.finance_connector_base.tests.configuration import unsaid_fields

# Stored, but decided by people and no part of what a file may say.
NOT_IN_FILES = {
    "finance.bank.policy.proposed_by_id",
    "finance.bank.policy.proposed_at",
    "finance.bank.policy.decided_by_id",
    "finance.bank.policy.decided_at",
}


@tagged("post_install", "-at_install")
class TestConfiguration(TransactionCase):
    """What the bank adds to the configuration file."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.configuration = cls.env["finance.configuration"]
        cls.companies = cls.env["res.company"].create([{"name": "Bank A"}, {"name": "Bank B"}])
        # one code, two journals: each company has its own
        cls.journals = cls.env["account.journal"].create(
            [
                {"name": "House", "code": "HOUSE", "type": "bank", "company_id": company.id}
                for company in cls.companies
            ]
        )
        cls.journal = cls.journals[0]
        cls.account = (
            cls.env["account.account"]
            .with_company(cls.companies[0])
            .create(
                {
                    "name": "Rounding",
                    "code": "658900",
                    "account_type": "expense",
                    "company_ids": [Command.set(cls.companies[0].ids)],
                }
            )
        )
        role = "finance_connector_base.group_"
        cls.approver = new_test_user(
            cls.env, "bank_file_approver", f"{role}approver,{role}controller",
            company_ids=[Command.set(cls.companies.ids)], company_id=cls.companies[0].id,
        )  # fmt: skip
        cls.policies = cls.env["finance.bank.policy"]
        cls.policy = cls.policies.create(
            {
                "journal_id": cls.journal.id,
                "threshold": 95,
                "tolerance": 0.05,
                "writeoff_account_id": cls.account.id,
            }
        )
        cls.policy.with_user(cls.approver).action_approve()
        cls.map = cls.env["finance.bank.column.map"].create(
            {
                "name": "House Bank Export",
                "company_id": cls.companies[0].id,
                "journal_ids": [Command.set(cls.journal.ids)],
                "order": "DMY",
                "mark": ",",
                "column_ids": [
                    Command.create({"head": head, "meaning": meaning})
                    for head, meaning in (
                        ("Buchungstag", "date"),
                        ("Betrag", "amount"),
                        ("Zweck", "text"),
                    )
                ],
            }
        )
        cls.calendar = cls.env["finance.bank.expectation"].create(
            {
                "journal_id": cls.journal.id,
                "friday": False,
                "hour": 9.5,
                "tz": "Europe/Berlin",
                "holidays": "2026-12-24\n2026-12-31",
            }
        )

    # === FILES === #

    def present(self):
        return json.loads(self.configuration._export())

    def entry(self, document, section):
        """The entry of the first company."""
        return next(row for row in document["sections"][section] if row["company"] == "Bank A")

    def load(self, document, complete=False):
        """Review a document and apply it."""
        text = dump(document)
        review = self.configuration._review(text, complete)
        self.assertEqual(review.problems, [])
        self.configuration._load(text, complete)
        self.assertEqual(self.configuration._export(), review.after)
        return review

    def problems(self, document):
        problems = self.configuration._review(dump(document)).problems
        return {row["where"]: row["words"] for row in problems}

    # === TESTS === #

    def test_what_is_in_the_file(self):
        document = self.present()
        policy = self.entry(document, "bank_policies")
        self.assertEqual(
            (policy["journal"], policy["state"], policy["threshold"], policy["writeoff_account"]),
            ("HOUSE", "active", 95, "658900"),
        )
        columns = self.entry(document, "bank_column_maps")
        self.assertEqual((columns["key"], columns["journals"]), ("house-bank-export", ["HOUSE"]))
        self.assertEqual(columns["columns"][1], {"column": "Betrag", "meaning": "amount"})
        calendar = self.entry(document, "expected_statements")
        self.assertEqual((calendar["friday"], calendar["hour"]), (False, 9.5))
        self.assertEqual(calendar["holidays"], "2026-12-24\n2026-12-31")

    def test_every_field_is_in_the_file(self):
        self.assertEqual(unsaid_fields(self.env, "finance_bank_sync", NOT_IN_FILES), set())

    def test_there_and_back(self):
        text = self.configuration._export()
        self.calendar.unlink()
        self.map.unlink()
        self.load(json.loads(text))
        self.assertEqual(self.configuration._export(), text)
        calendar = self.env["finance.bank.expectation"].search(
            [("company_id", "=", self.companies[0].id)]
        )
        self.assertEqual((calendar.journal_id, calendar.tz), (self.journal, "Europe/Berlin"))
        found = self.env["finance.bank.column.map"].search([("name", "=", "House Bank Export")])
        self.assertEqual(found._map().columns, {"date": "Buchungstag", "amount": "Betrag",
                                                "text": "Zweck"})  # fmt: skip

    def test_a_policy_is_proposed_and_never_in_force_by_a_file(self):
        document = self.present()
        self.entry(document, "bank_policies")["threshold"] = 60
        review = self.load(document)
        proposed = self.policies.search(
            [("journal_id", "=", self.journal.id), ("state", "=", "proposed")]
        )
        self.assertEqual((proposed.threshold, proposed.proposed_by_id), (60, self.env.user))
        self.assertEqual((self.policy.state, self.policy.threshold), ("active", 95))
        self.assertEqual(self.policies._of(self.journal), self.policy)
        [step] = self.configuration._steps(review.before, review.after)
        self.assertIn("HOUSE", step)
        # the same file once more changes nothing, another one the same proposal
        self.assertEqual(self.load(self.present()).after, review.after)
        document = self.present()
        self.entry(document, "bank_policies")["threshold"] = 70
        self.load(document)
        self.assertEqual(proposed.threshold, 70)
        proposed.with_user(self.approver).action_approve()
        self.assertEqual(self.entry(self.present(), "bank_policies")["threshold"], 70)
        self.assertEqual(self.entry(self.present(), "bank_policies")["state"], "active")

    def test_a_proposal_of_somebody_else_stays(self):
        theirs = self.policies.with_user(self.approver).create(
            {"journal_id": self.journal.id, "threshold": 80}
        )
        document = self.present()
        self.assertEqual(self.entry(document, "bank_policies")["threshold"], 80)
        self.entry(document, "bank_policies")["threshold"] = 85
        self.load(document)
        self.assertEqual((theirs.threshold, theirs.state), (80, "proposed"))
        self.assertEqual(self.entry(self.present(), "bank_policies")["threshold"], 85)

    def test_a_new_policy_of_a_file_that_says_it_is_in_force(self):
        document = self.present()
        row = dict(self.entry(document, "bank_policies"), company="Bank B", threshold=77)
        row |= {"tolerance": 0, "writeoff_account": None}
        document["sections"]["bank_policies"].append(row)
        self.load(document)
        made = self.policies.search([("journal_id", "=", self.journals[1].id)])
        self.assertEqual((made.state, made.threshold), ("proposed", 77))

    def test_columns_are_changed_as_a_whole_and_in_words(self):
        document = self.present()
        entry = self.entry(document, "bank_column_maps")
        entry["columns"].insert(1, {"column": "Wertstellung", "meaning": "value_date"})
        review = self.load(document)
        self.assertEqual(
            self.map.column_ids.mapped("head"), ["Buchungstag", "Wertstellung", "Betrag", "Zweck"]
        )
        [group] = self.configuration._changes(review.before, review.after)
        [value] = group["changes"][0]["values"]
        self.assertIn("Wertstellung: Value date", value["new"])

    def test_what_a_file_can_not_say(self):
        document = self.present()
        self.entry(document, "bank_policies")["threshold"] = 10
        self.entry(document, "expected_statements")["holidays"] = "Christmas"
        columns = self.entry(document, "bank_column_maps")
        columns["columns"][0] = {"column": "Buchungstag", "meaning": "weekday"}
        columns["journals"] = ["NOPE"]
        told = self.problems(document)
        self.assertIn("between 50 and 100", told["Bank Policies › Bank A, HOUSE"])
        self.assertIn("Christmas", told["Expected Statements › Bank A, HOUSE"])
        place = "Column Maps › House Bank Export › "
        self.assertIn("There is no journal", told[f"{place}journals"])
        self.assertIn("weekday", told[f"{place}columns › 0 › meaning"])
        columns["columns"], columns["journals"] = [{"column": "Betrag"}], ["HOUSE"]
        self.assertIn('"meaning": "…"', self.problems(document)[f"{place}columns"])

    def test_a_complete_file_archives_maps_and_calendars_only(self):
        document = self.present()
        for section in ("bank_policies", "bank_column_maps", "expected_statements"):
            document["sections"][section] = []
        self.load(document, complete=True)
        self.assertFalse(self.map.active or self.calendar.active)
        self.assertEqual(self.policy.state, "active")
