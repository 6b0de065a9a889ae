"""Which line a value is looked up in: the most exact, the one in force, of the right mapping."""

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.finance_personal_mixin import Subject
from .mapping import DAY, MappingMixin
from .vendor import ConnectorCase


@tagged("post_install", "-at_install")
class TestMapping(MappingMixin, ConnectorCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_mapping()
        cls.a = cls.accounts["400100"]

    # === THE MOST EXACT RULE === #

    def test_most_exact_rule_wins_and_is_told(self):
        sales, abroad, rent, clearing = self.accounts.values()
        version = self.approved(
            self.mapping(),
            {"rule": "default", "code": "REST"},
            {"rule": "name", "prefix": "sales", "code": "BY-NAME"},
            {"rule": "code", "prefix": "4", "code": "FOUR"},
            {"rule": "code", "prefix": "4009", "code": "ABROAD"},
            {"rule": "name", "prefix": "RENT", "code": "RENT"},
            {"record": sales, "code": "GOODS", "label": "Goods"},
        )
        answer = self.lookup(sales | abroad | rent | clearing)
        self.assertEqual(
            answer.codes,
            {sales.id: "GOODS", abroad.id: "ABROAD", rent.id: "RENT", clearing.id: "REST"},
        )
        told = {id_: (hit.rule, hit.prefix, hit.label) for id_, hit in answer.found.items()}
        self.assertEqual(told[sales.id], ("record", "", "Goods"))
        self.assertEqual(told[abroad.id], ("code", "4009", ""))
        self.assertEqual(told[clearing.id], ("default", "", ""))
        self.assertEqual((answer.version_id, answer.missing), (version.id, ()))
        line = self.env["finance.mapping.line"].browse(answer.found[abroad.id].line_id)
        self.assertEqual((line.code, line.version_id), ("ABROAD", version))

    def test_codes_of_accounts_are_those_of_the_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.see(other)
        self.a.write(
            {
                "company_ids": [Command.link(other.id)],
                "code_mapping_ids": [
                    Command.create({"company_id": other.id, "code": "700000"}),
                ],
            }
        )
        for company in (self.home, other):
            self.approved(
                self.mapping(name=company.name, company_id=False, scope=company.name),
                {"rule": "code", "prefix": "4", "code": "SALES"},
                {"rule": "code", "prefix": "7", "code": "SEVEN"},
            )
        found = [
            self.lookup(self.a, company=company, scope=company.name).codes
            for company in (self.home, other)
        ]
        self.assertEqual(found, [{self.a.id: "SALES"}, {self.a.id: "SEVEN"}])

    def test_missing_values_and_those_that_are_gone(self):
        self.approved(self.mapping(), {"record": self.a, "code": "X"})
        rent = self.accounts["500000"]
        answer = self.lookup([rent.id, self.a.id, 2**31 - 1])
        self.assertEqual(answer.codes, {self.a.id: "X"})
        self.assertEqual(answer.missing, (rent.id, 2**31 - 1))

    def test_only_an_approved_version_counts(self):
        mapping = self.mapping()
        self.assertEqual(self.lookup(self.a).mapping_id, mapping.id)
        draft = self.draft(mapping, {"record": self.a, "code": "X"})
        self.assertEqual(self.lookup(self.a).missing, (self.a.id,))
        draft.action_submit()
        self.assertIsNone(self.lookup(self.a).version_id)
        draft.with_user(self.approver).action_approve()
        self.assertEqual(self.lookup(self.a).codes, {self.a.id: "X"})

    # === VALIDITY === #

    def test_days_of_validity_are_inclusive(self):
        self.approved(
            self.mapping(),
            {"record": self.a, "code": "OLD", "valid_to": "2026-06-30"},
            {"record": self.a, "code": "NEW", "valid_from": "2026-07-01", "valid_to": "2026-12-31"},
            {"rule": "default", "code": "REST", "valid_from": "2027-01-02"},
        )
        for day, code in (
            ("2020-01-01", "OLD"),
            ("2026-06-30", "OLD"),
            ("2026-07-01", "NEW"),
            ("2026-12-31", "NEW"),
            ("2027-01-01", None),
            ("2027-01-02", "REST"),
        ):
            with self.subTest(day=day):
                self.assertEqual(self.lookup(self.a, day=day).codes.get(self.a.id), code)

    def test_two_lines_at_one_time_are_refused(self):
        mapping = self.mapping()
        for first, second in (
            ({"record": self.a}, {"record": self.a, "valid_from": "2026-01-01"}),
            (
                {"record": self.a, "valid_to": "2026-01-01"},
                {"record": self.a, "valid_from": "2026-01-01"},
            ),
            ({"rule": "default"}, {"rule": "default"}),
            ({"rule": "name", "prefix": "Sales"}, {"rule": "name", "prefix": "sALES"}),
            ({"rule": "code", "prefix": "40"}, {"rule": "code", "prefix": "40 "}),
            (
                {"record": self.a, "direction": "in"},
                {"record": self.accounts["500000"], "direction": "in"},
            ),
        ):
            with self.subTest(first=first), self.refused(IntegrityError):
                self.draft(mapping, {"code": "x", **first}, {"code": "x", **second})
                self.env.flush_all()

    def test_lines_that_make_no_sense_are_refused(self):
        mapping = self.mapping()
        for line in (
            {"rule": "record"},
            {"rule": "code"},
            {"rule": "default", "direction": "in"},
            {"rule": "default", "valid_from": "2026-02-01", "valid_to": "2026-01-31"},
        ):
            with self.subTest(line=line), self.refused(IntegrityError):
                self.draft(mapping, {"code": "x", **line})
                self.env.flush_all()

    def refused(self, error):
        """A block that raises ``error`` and leaves nothing."""
        self.enterContext(mute_logger("odoo.sql_db"))
        return self.assertRaises(error)

    # === WHOSE MAPPING === #

    def test_closer_mapping_goes_first(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.home.id})
        self.connector.sudo().company_ids = self.home
        self.see(branch | self.company)
        of = {
            "everybody": {"company_id": False},
            "home": {},
            "branch": {"company_id": branch.id},
            "connector": {"connector_id": self.connector.id, "company_id": False},
            "feed": {"scope": "ledger", "company_id": False},
        }
        for name, values in of.items():
            self.approved(self.mapping(name=name, **values), {"rule": "default", "code": name})

        def code(company, **of):
            return self.lookup(self.a, company=company, **of).codes[self.a.id]

        self.assertEqual(code(self.company), "everybody")
        self.assertEqual(code(self.home), "home")
        self.assertEqual(code(branch), "branch")
        self.assertEqual(code(self.home, connector=self.connector), "connector")
        self.assertEqual(code(branch, connector=self.connector, scope="ledger"), "feed")
        self.Mapping.search([("name", "=", "branch")]).active = False
        self.assertEqual(code(branch), "home")

    def test_one_mapping_for_the_same(self):
        self.mapping(scope="ledger")
        with self.refused(IntegrityError):
            self.mapping(scope=" ledger ")
        self.mapping(scope="other")

    def test_what_was_approved_for_one_is_not_given_to_another(self):
        mapping = self.mapping()
        self.approved(mapping, {"record": self.a, "code": "X"})
        for values in ({"company_id": False}, {"scope": "x"}, {"kind": "journal"}):
            with self.subTest(values=values), self.assertRaises(UserError):
                mapping.with_user(self.worker).write(values)
        mapping.with_user(self.worker).name = "Renamed"
        with self.assertRaises(AccessError):
            mapping.with_user(self.worker).action_archive()
        mapping.with_user(self.approver).action_archive()
        self.assertFalse(self.lookup(self.a).mapping_id)
        self.assertEqual(self.events("mapping.archived").res_id, mapping.id)
        never_approved = self.mapping(scope="x").with_user(self.worker)
        never_approved.action_archive()
        self.assertFalse(never_approved.active)

    def test_records_of_another_company_do_not_fit(self):
        foreign = self.env["account.journal"].create(
            {"name": "F", "code": "FRGN", "type": "general", "company_id": self.company.id}
        )
        with self.assertRaisesRegex(ValidationError, "can't see"):
            self.draft(self.mapping("journal"), {"record": foreign, "code": "X"})
        draft = self.mapping("journal", scope="x").sudo()._draft()
        with self.assertRaisesRegex(ValidationError, "this mapping is for Home"):
            draft.line_ids = [Command.create({"res_id": foreign.id, "code": "X"})]

    def see(self, companies):
        """Let the people work for more companies."""
        (self.worker | self.approver).company_ids |= companies

    # === HOW MANY QUERIES === #

    def test_two_queries_for_many(self):
        partners = self.env["res.partner"].create([{"name": f"p{i}"} for i in range(300)])
        self.approved(
            self.mapping("partner"),
            *[{"record": partner, "code": f"C{partner.id}"} for partner in partners[:290]],
            {"rule": "name", "prefix": "p299", "code": "LAST"},
        )
        self.env.invalidate_all()
        for some in (partners[:1], partners):
            with self.subTest(count=len(some)), self.assertQueryCount(2):
                answer = self.lookup(some, kind="partner")
        self.assertEqual((len(answer.found), len(answer.missing)), (291, 9))
        codes = [f"C{partner.id}" for partner in partners]
        with self.assertQueryCount(2):
            found = self.Mapping._find("partner", codes, DAY, self.home)
        self.assertEqual((len(found.found), len(found.missing)), (290, 10))

    # === BACK FROM THE EXTERNAL CODE === #

    def test_records_of_external_codes(self):
        sales, abroad, rent, clearing = self.accounts.values()
        self.approved(
            self.mapping(),
            {"record": sales, "code": "S"},
            {"record": abroad, "code": "S"},
            {"record": rent, "code": "R", "direction": "out"},
            {"record": clearing, "code": "C"},
            {"record": abroad, "code": "C2", "direction": "in"},
            {"rule": "default", "code": "REST"},
        )
        found = self.Mapping._find("account", ["S", "R", "C", "C2", "REST"], DAY, self.home)
        self.assertEqual(found.records, {"C": clearing.id, "C2": abroad.id})
        self.assertEqual(found.ambiguous, {"S": sorted((sales | abroad).ids)})
        self.assertEqual(found.missing, ("R", "REST"))
        self.approved(
            self.Mapping.search([("company_id", "=", self.home.id)]),
            {"record": rent, "code": "S", "direction": "in"},
        )
        found = self.Mapping._find("account", ["S"], DAY, self.home)
        self.assertEqual(found.records, {"S": rent.id})

    def test_records_of_another_company_are_no_answer(self):
        journal = self.env["account.journal"].create(
            {"name": "F", "code": "FRGN", "type": "general", "company_id": self.company.id}
        )
        draft = self.mapping("journal", company_id=False).sudo()._draft()
        draft.line_ids = [Command.create({"res_id": journal.id, "code": "X"})]
        self.see(self.company)
        draft.action_submit()
        draft.with_user(self.approver).action_approve()
        self.assertFalse(self.Mapping._find("journal", ["X"], DAY, self.home).found)
        self.assertTrue(self.Mapping._find("journal", ["X"], DAY, self.company).found)

    # === EVERY TYPE === #

    def test_every_type_is_looked_up_and_counted(self):
        types = self.Mapping._fields["kind"].get_values(self.env)
        for kind in types:
            with self.subTest(kind=kind):
                mapping = self.mapping(kind, scope=kind)
                record = self.env[mapping._type.model].sudo().search([], limit=1)
                version = self.approved(mapping, {"rule": "default", "code": "X"})
                answer = self.lookup(record, kind=kind, scope=kind)
                self.assertEqual(answer.codes, {record.id: "X"} if record else {})
                self.Missing._refresh(mapping)
                version.action_try()

    # === DELETED AND MERGED RECORDS === #

    def test_line_of_a_deleted_record_keeps_its_words(self):
        gone = self.env["res.partner"].create({"name": "Soon Gone"})
        mapping = self.mapping("partner")
        version = self.approved(
            mapping, {"record": gone, "code": "G"}, {"record": self.company.partner_id, "code": "K"}
        )
        digest = version._digest()
        gone.unlink()
        self.env.invalidate_all()
        line = version.line_ids.filtered(lambda line: line.code == "G")
        self.assertTrue(line.is_gone)
        self.assertEqual(line.with_user(self.worker).record_name, "Soon Gone (deleted)")
        self.assertEqual(version._digest(), digest)
        self.assertEqual(self.Mapping._find("partner", ["G"], DAY, self.home).missing, ("G",))
        draft = self.draft(mapping)
        self.assertEqual(draft.line_ids.mapped("code"), ["K"])

    def merge(self, gone, into):
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard._merge((gone | into).ids, into)
        self.env.invalidate_all()

    def test_merged_partners_take_their_lines_along(self):
        """Where the kept one has a code, that one counts; the others only lead to it."""
        kept, gone, other = self.env["res.partner"].create(
            [{"name": "Kept"}, {"name": "Gone"}, {"name": "Other"}]
        )
        self.approved(
            self.mapping("partner"),
            {"record": gone, "code": "G", "valid_to": "2025-12-31"},
            {"record": other, "code": "O"},
            {"record": kept, "code": "K", "valid_from": "2026-01-01"},
        )
        self.merge(gone | other, kept)
        for day, code in ((DAY, "K"), ("2025-06-15", "G")):
            self.assertEqual(self.lookup(kept, day=day, kind="partner").codes, {kept.id: code})
        found = self.Mapping._find("partner", ["G", "O", "K"], DAY, self.home)
        self.assertEqual(found.records, {"O": kept.id, "K": kept.id})
        self.assertEqual(self.events("mapping.merged").data["merged_ids"], (gone | other).ids)

    def test_merged_account_takes_its_line_along(self):
        branch = self.env["res.company"].create({"name": "Second"})
        other = (
            self.env["account.account"]
            .with_company(branch)
            .create(
                {
                    "name": "Sales of goods",
                    "code": "410000",
                    "account_type": "income",
                    "company_ids": [Command.set(branch.ids)],
                }
            )
        )
        self.see(branch)
        self.approved(self.mapping(company_id=False), {"record": other, "code": "S"})
        self.env.user.company_ids |= self.home | branch
        accounts = (self.a | other).with_context(
            allowed_company_ids=(self.home | branch).ids, active_model="account.account"
        )
        wizard = self.env["account.merge.wizard"].with_context(
            **accounts.env.context, active_ids=accounts.ids
        )
        wizard = wizard.create({"is_group_by_name": True})
        wizard.action_merge()
        self.env.invalidate_all()
        kept = accounts.exists()
        self.assertEqual(len(kept), 1)
        self.assertEqual(self.lookup(kept, company=branch).codes, {kept.id: "S"})

    # === ERASING === #

    def test_names_of_contacts_are_erased_and_codes_stay(self):
        partner = self.env["res.partner"].create({"name": "Mia Muster"})
        mapping = self.mapping("partner")
        first = self.approved(mapping, {"record": partner, "code": "M", "label": "Mia"})
        second = self.approved(mapping, {"rule": "default", "code": "X"})
        subject = Subject(partner, self.home)
        lines = self.env["finance.mapping.line"].sudo()
        self.assertEqual(len(lines._personal_of(subject)), 2)
        lines._personal_of(subject)._erase_personal("request")
        self.assertFalse(lines._personal_of(subject))
        told = [
            version.line_ids.filtered("res_id").mapped(lambda line: (line.code, line.label))
            for version in (first, second)
        ]
        self.assertEqual(told, [[("M", False)], [("M", "Mia")]])
        self.assertEqual(second._digest(), second.lines_digest)
