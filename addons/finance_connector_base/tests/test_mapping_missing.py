"""What has no code: counted over last month, told to people, mapped, and the work goes on."""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import drain_jobs
from .mapping import DAY, MappingMixin
from .scribe import ScribeCase


@tagged("post_install", "-at_install")
class TestMappingMissing(MappingMixin, ScribeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_mapping()
        cls.sales, cls.abroad, cls.rent, cls.clearing = cls.accounts.values()
        cls.scribe.company_ids = cls.home
        cls.company = cls.home

    def ask(self, records, counts=None, day=DAY):
        """Say that work needs the codes of ``records``."""
        return self.Missing._ask_for(self.lookup(records, day=day), counts)

    def wizard(self, exceptions, user=None, **vals):
        """The wizard that the button of exceptions opens, with one code for each value."""
        action = exceptions.with_user(user or self.worker).action_map()
        wizard = self.env[action["res_model"]].with_user(user or self.worker)
        wizard = wizard.browse(action["res_id"])
        for line in wizard.line_ids:
            line.code = f"E-{line.missing_id.res_id}"
        wizard.write(vals)
        return wizard

    # === LAST MONTH === #

    def test_unmapped_values_of_last_month(self):
        self.post("500000", "400100", 100.0)
        self.post("500000", "400100", 20.5)
        self.post("999000", "400900", 7.0)
        self.post("999000", "400900", 1000.0, day="2020-01-15")
        mapping = self.mapping()
        action = mapping.with_user(self.worker).action_unmapped()
        rows = self.Missing.with_user(self.worker).search(action["domain"])
        self.assertEqual(
            {row.res_id: (row.items, row.turnover) for row in rows},
            {
                self.rent.id: (2, 120.5),
                self.sales.id: (2, 120.5),
                self.clearing.id: (1, 7.0),
                self.abroad.id: (1, 7.0),
            },
        )
        self.assertEqual(mapping.missing_count, 4)
        self.assertFalse(rows.exception_id)
        self.approved(mapping, {"rule": "code", "prefix": "4", "code": "SALES"})
        mapping.action_unmapped()
        rows = self.Missing.search([("mapping_id", "=", mapping.id)])
        self.assertEqual(set(rows.mapped("res_id")), {self.rent.id, self.clearing.id})

    def test_company_with_a_closer_mapping_is_not_counted(self):
        self.post("500000", "400100", 100.0)
        general = self.mapping(company_id=False)
        own = self.mapping()
        self.approved(own, {"rule": "default", "code": "X"})
        (general | own).action_unmapped()
        self.assertFalse(self.Missing.search([("company_id", "=", self.home.id)]))

    # === ASKED FOR === #

    def test_one_exception_per_mapping_and_value(self):
        mapping = self.mapping()
        self.ask(self.sales | self.rent, {self.sales.id: (3, 120.5)})
        self.ask(self.sales, {self.sales.id: (4, 200.0)})
        exceptions = self.home_exceptions()
        self.assertEqual(sorted(exceptions.mapped("occurrences")), [1, 2])
        mine = exceptions.filtered(lambda row: row.document_id == self.sales.id)
        self.assertEqual((mine.amount, mine.params["items"]), (200.0, 4))
        self.assertIn("map", mine.steps)
        self.assertIn("Group", mine.title)
        row = self.Missing.search([("res_id", "=", self.sales.id)])
        self.assertEqual((row.asked, row.asked_items, row.asked_amount), (2, 4, 200.0))
        self.assertEqual(row.exception_id, mine)
        self.assertEqual(mapping.missing_count, 2)

    def home_exceptions(self, state="open"):
        return self.env["finance.exception"].search(
            [
                ("code", "=", "mapping.missing"),
                ("company_id", "=", self.home.id),
                ("state", "=", state),
            ]
        )

    def test_map_and_approve_closes_the_exceptions(self):
        mapping = self.mapping()
        self.ask(self.sales | self.rent)
        wizard = self.wizard(self.home_exceptions(), note="two accounts")
        wizard.action_confirm()
        version = mapping.open_id
        self.assertEqual((version.state, version.note), ("submitted", "two accounts"))
        self.assertEqual(len(self.home_exceptions()), 2)
        version.with_user(self.approver).action_approve()
        self.assertFalse(self.home_exceptions())
        closed = self.home_exceptions("resolved")
        self.assertEqual(set(closed.mapped("close_reason")), {"mapping.approved"})
        self.assertFalse(self.Missing.search([("mapping_id", "=", mapping.id)]))

    def test_into_the_draft_that_is_there_and_not_into_what_waits(self):
        mapping = self.mapping()
        draft = self.draft(mapping, {"rule": "code", "prefix": "9", "code": "NINE"})
        self.ask(self.sales | self.rent)
        wizard = self.wizard(self.home_exceptions()[:1], submit=False)
        wizard.action_confirm()
        self.assertEqual((draft.state, len(draft.line_ids)), ("draft", 2))
        draft.action_submit()
        with self.assertRaisesRegex(UserError, "waits for approval"):
            self.wizard(self.home_exceptions()[1:]).action_confirm()

    def test_a_line_from_later_on_settles_nothing(self):
        mapping = self.mapping()
        self.ask(self.sales)
        self.approved(mapping, {"record": self.sales, "code": "X", "valid_from": "2026-07-01"})
        self.assertTrue(self.home_exceptions())
        self.approved(mapping, {"rule": "code", "prefix": "4", "code": "Y"})
        self.assertFalse(self.home_exceptions())

    def test_who_may_not_map(self):
        self.mapping()
        self.ask(self.sales)
        with self.assertRaises(AccessError):
            self.home_exceptions().with_user(self.auditor).action_map()
        self.auditor.company_ids |= self.home
        rows = self.Missing.search([]).with_user(self.auditor)
        with self.assertRaises(AccessError):
            rows.with_context(allowed_company_ids=self.home.ids).action_map()

    def test_merged_partner_is_one_value(self):
        kept, gone = self.env["res.partner"].create([{"name": "Kept"}, {"name": "Gone"}])
        self.mapping("partner")
        answer = self.lookup(kept | gone, kind="partner")
        self.Missing._ask_for(answer)
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard._merge((kept | gone).ids, kept)
        self.env.invalidate_all()
        row = self.Missing.search([("mapping_id", "=", answer.mapping_id)])
        self.assertEqual(row.res_id, kept.id)
        self.assertEqual(self.home_exceptions().document_id, kept.id)

    # === JOBS === #

    def job_that_needs(self, *records):
        """A job that needs the codes of ``records``, one after the other; run once."""
        mappings = self.Mapping

        def apply(operation, job, result):
            for record in records:
                answer = mappings._lookup("account", record, DAY, job.company_id, job.connector_id)
                mappings._require(answer, {record.id: (2, 50.0)})
                job.env["finance.mapping.use"]._note([answer], job.record, job)
            job.record.comment = ",".join(answer.codes.values())

        self.startPatcher(
            patch.object(self.registry["finance.operation.scribe.stamp"], "_apply", apply)
        )
        partner = self.env["res.partner"].create({"name": "Waits"})
        job = self.enqueue("scribe.stamp", record=partner)
        drain_jobs(self.env)
        return job, partner

    def test_job_waits_and_goes_on_after_the_approval(self):
        mapping = self.mapping()
        job, partner = self.job_that_needs(self.sales)
        self.assertEqual(job.state, "dead")
        [exception] = self.exceptions("mapping.missing")
        self.assertEqual((exception.amount, exception.company_id), (50.0, self.home))
        self.assertFalse(self.exceptions("job.rejected") | self.exceptions("job.dead"))
        row = self.Missing.search([("mapping_id", "=", mapping.id)])
        self.assertEqual(row.job_ids, job)
        self.wizard(exception).action_confirm()
        drain_jobs(self.env)
        self.assertEqual(job.state, "dead")
        version = mapping.open_id
        version.with_user(self.approver).action_approve()
        self.assertEqual((job.state, exception.state), ("pending", "resolved"))
        drain_jobs(self.env)
        self.assertEqual(job.state, "done")
        self.assertIn(f"E-{self.sales.id}", partner.comment)
        use = self.env["finance.mapping.use"].search([("version_id", "=", version.id)])
        self.assertEqual((use.res_model, use.res_id), ("res.partner", partner.id))
        self.assertEqual((use.found, use.missing, use.times), (1, 0, 1))
        self.assertEqual((use.job_key, use.trace_id), (job.key, job.trace_id))

    def test_job_waits_for_all_that_it_lacks(self):
        mapping = self.mapping()
        job, _partner = self.job_that_needs(self.sales, self.rent)
        self.Missing._ask_for(self.lookup(self.rent, connector=self.scribe), job=job)
        self.approved(mapping, {"record": self.sales, "code": "S"})
        self.assertEqual(job.state, "dead")
        self.approved(mapping, {"record": self.rent, "code": "R"})
        drain_jobs(self.env)
        self.assertEqual(job.state, "done")

    def test_no_mapping_at_all(self):
        job, _partner = self.job_that_needs(self.sales)
        self.assertEqual(job.state, "dead")
        exception = self.exceptions("mapping.none")
        self.assertIn("Account", exception.title)
        self.assertIn("retry", exception.steps)
        self.approved(self.mapping(), {"rule": "default", "code": "X"})
        drain_jobs(self.env)
        self.assertEqual((job.state, exception.state), ("done", "resolved"))

    def test_uses_are_counted_on_one_row(self):
        version = self.approved(self.mapping(), {"record": self.sales, "code": "S"})
        uses = self.env["finance.mapping.use"]
        answers = [self.lookup(self.sales | self.rent), self.lookup(self.sales)]
        with self.assertQueryCount(1):
            uses._note(answers, self.partner)
        uses._note(answers[:1], self.partner)
        use = uses.search([("version_id", "=", version.id)])
        self.assertEqual((use.found, use.missing, use.times), (3, 2, 2))
        uses._note([self.lookup(self.sales, kind="journal")], self.partner)
        with self.assertRaises(UserError):
            version.unlink()

    # === CSV === #

    def import_csv(self, mapping, text, user=None):
        """What the import of a CSV says, and the draft."""
        draft = mapping.with_user(user or self.worker)._draft()
        return draft._import(text), draft

    def test_csv_goes_round(self):
        lines = (
            {"rule": "default", "code": "=1+1", "label": "-2"},
            {"rule": "code", "prefix": "4", "code": "@x", "valid_from": "2026-01-01"},
            {"rule": "name", "prefix": "Rent, 'all\"", "code": "'t Hooft"},
            {"record": self.sales, "code": "+4\n9", "valid_to": "2026-12-31"},
            {"record": self.rent, "code": "'=1", "direction": "in"},
        )
        first = self.approved(self.mapping(), *lines)
        text = first.with_user(self.worker)._export()
        for cell in ("'=1+1", "'-2", "'@x", "'+4\n9", "''=1"):
            self.assertIn(cell, text)
        self.assertNotRegex(text, r"(^|[,\"])[=+@-]\d")
        other = self.mapping(scope="copy")
        problems, draft = self.import_csv(other, text)
        self.assertEqual(problems, [])
        self.assertEqual(draft._digest(), first._digest())
        self.assertEqual(draft.with_user(self.worker)._export(), text)
        self.assertEqual(self.events("mapping.imported").data["rows"], 5)
        self.assertEqual(len(self.events("mapping.exported")), 2)

    def test_csv_of_another_database(self):
        text = "rule;record;code\nrecord;400100;A\nrecord;Rent;B\n"
        problems, draft = self.import_csv(self.mapping(), text)
        self.assertEqual(problems, [])
        codes = {line.res_id: line.code for line in draft.line_ids}
        self.assertEqual(codes, {self.sales.id: "A", self.rent.id: "B"})

    def test_csv_is_taken_whole_or_not_at_all(self):
        mapping = self.mapping()
        foreign = self.env["res.company"].create({"name": "Foreign"})
        hidden = (
            self.env["account.account"]
            .with_company(foreign)
            .create(
                {
                    "name": "Hidden",
                    "code": "123456",
                    "account_type": "income",
                    "company_ids": [Command.set(foreign.ids)],
                }
            )
        )
        self.draft(mapping, {"record": self.sales, "code": "KEPT"})
        text = (
            "rule,record_id,record,prefix,code,valid_from,valid_to\n"
            "record,,400100,,OK,,\n"
            "record,,400100,,AGAIN,2026-01-01,\n"
            "record,,404040,,X,,\n"
            f"record,{hidden.id},,,X,,\n"
            f"record,{self.rent.id},400100,,X,,\n"
            "kode,,,,X,,\n"
            "code,,,,X,2026-13-01,\n"
        )
        problems, draft = self.import_csv(mapping, text)
        self.assertEqual(
            [(problem["line"], problem["where"]) for problem in problems],
            [(7, "rule"), (8, "prefix"), (8, "valid_from")],
        )
        text = "\n".join(text.splitlines()[:-2])
        problems, draft = self.import_csv(mapping, text)
        self.assertEqual(
            [(problem["line"], problem["where"]) for problem in problems],
            [(3, "valid_from"), (4, "record"), (5, "record_id"), (6, "record_id")],
        )
        self.assertIn("404040", problems[1]["words"])
        self.assertEqual(draft.line_ids.mapped("code"), ["KEPT"])
        self.assertFalse(self.events("mapping.imported"))
