"""What a batch is not complete in: counted, valued, and stopping it where the policy says so."""

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from .controls import ControlsCase


class TestFindings(ControlsCase):
    def find(self, code):
        """The findings of a kind of a new run."""
        self.last = self.run_export()
        return self.of(self.last.finding_ids, code=code)

    def test_complete_is_complete(self):
        self.entry(self.a, "2026-01-10", ("bank", 1), ("sales", -1))
        self.run_export()
        self.assertFalse(self.export.run_ids.finding_ids)

    def test_gaps_in_numbers(self):
        moves = [self.entry(self.a, "2026-01-10", ("bank", 1), ("sales", -1)) for _one in range(4)]
        self.entry(self.b, "2026-01-10", ("bank", 1), ("sales", -1))
        moves[1].button_draft()
        moves[1].with_context(force_delete=True).unlink()
        found = self.find("gaps")
        self.assertEqual((found.entity_id, found.count, found.blocks), (self.a, 1, False))
        opened = self.env[found.model].search(found.action_open()["domain"])
        self.assertEqual(opened, moves[2])
        self.assertEqual(self.last.state, "delivered")

    def test_drafts_are_counted_until_the_last_month(self):
        self.entry(self.a, "2026-01-10", ("bank", 30), ("sales", -30), post=False)
        today = fields.Date.today()
        self.entry(self.a, today, ("bank", 7), ("sales", -7), post=False)
        found = self.find("drafts")
        self.assertEqual((found.entity_id, found.count), (self.a, 1))
        self.export.drafts_policy = "ignore"
        self.assertFalse(self.find("drafts"))

    def test_a_policy_that_blocks_sends_nothing(self):
        draft = self.entry(self.a, "2026-01-10", ("bank", 30), ("sales", -30), post=False)
        self.export.drafts_policy = "block"
        self.assertTrue(self.find("drafts").blocks)
        self.assertEqual((self.last.state, self.last.number), ("blocked", 0))
        self.assertFalse(self.last.file_ids.filtered("feed"))
        exception = self.open_exceptions("export.incomplete")
        self.assertEqual(exception.document_id, self.last.id)
        self.assertIn("drafts", exception.text)
        draft.action_post()
        self.assertEqual(self.run_export().state, "delivered")
        self.assertFalse(self.open_exceptions("export.incomplete"))

    def test_a_stopped_batch_is_run_again(self):
        draft = self.entry(self.a, "2026-01-10", ("bank", 30), ("sales", -30), post=False)
        self.export.drafts_policy = "block"
        stopped = self.run_export(period="2026-01")
        clerk, controller = (
            new_test_user(
                self.env,
                f"again_{role}",
                f"account.group_account_user,finance_connector_base.group_{role}",
                company_ids=[Command.set((self.a | self.b).ids)],
            )
            for role in ("user", "controller")
        )
        exception = self.open_exceptions("export.incomplete")
        self.assertTrue(exception.can_export_run_again)
        # it is found by the export; who may not read exports is not led there
        by_name = [("document_name", "ilike", self.export.code), ("id", "=", exception.id)]
        seen = exception.with_user(controller)
        self.assertEqual(seen.search(by_name), exception)
        self.assertTrue(seen.can_open_document)
        seen = exception.with_user(clerk)
        self.assertFalse(seen.search(by_name))
        self.assertFalse(seen.can_open_document)
        with self.assertRaises(AccessError), self.cr.savepoint():
            exception.with_user(clerk).action_export_run_again()
        # still incomplete: the former exception gives way to that of the new run
        action = exception.with_user(controller).action_export_run_again()
        again = self.env["finance.export.run"].browse(action["res_id"])
        self.assertEqual((exception.state, exception.question), ("open", "waiting"))
        self.assertEqual((again.export_id, again.period), (stopped.export_id, "2026-01"))
        self.assertEqual(again.user_id, controller)
        drain_jobs(self.env)
        self.assertEqual((again.state, exception.state), ("blocked", "resolved"))
        self.assertIn("later run", exception.ending)
        self.assertFalse(exception.can_export_run_again)
        newer = self.open_exceptions("export.incomplete")
        self.assertEqual(newer.document_id, again.id)
        # complete: its success settles it
        draft.action_post()
        again.with_user(controller).action_run_again()
        drain_jobs(self.env)
        self.assertEqual(self.export.run_ids.sorted("id")[-1].state, "delivered")
        self.assertEqual(newer.state, "resolved")
        with self.assertRaisesRegex(UserError, "None of the selected"):
            newer.with_user(controller).action_export_run_again()

    def mapping(self):
        """An approved mapping of accounts that knows the bank alone."""
        worker, approver = (
            new_test_user(
                self.env,
                f"export_{role}",
                f"account.group_account_manager,finance_connector_base.group_{role}",
                company_id=self.a.id,
                company_ids=[Command.set((self.a | self.b).ids)],
            )
            for role in ("controller", "approver")
        )
        mapping = self.env["finance.mapping"].create({"name": "Test accounts", "kind": "account",
                                                      "company_id": self.a.id})  # fmt: skip
        version = mapping.with_user(worker)._draft()
        version.line_ids = [
            Command.create(
                {"rule": "record", "res_id": self.accounts[self.a, "bank"].id, "code": "B"}
            )
        ]
        version.action_submit()
        version.with_user(approver).action_approve()
        return mapping

    def test_unmapped_values_are_counted_and_valued(self):
        self.mapping()
        self.entry(self.a, "2026-01-10", ("bank", 30), ("sales", -30))
        self.entry(self.a, "2026-01-10", ("bank", -10), ("sales", 10))
        found = self.find("unmapped")
        self.assertEqual(
            (found.entity_id, found.count, found.amount, found.currency_id),
            (self.a, 1, 40, self.currency["USD"]),
        )
        self.assertEqual(self.last.state, "blocked")
        missing = self.env[found.model].search(found.action_open()["domain"])
        self.assertEqual(missing.res_id, self.accounts[self.a, "sales"].id)
        self.assertEqual((missing.asked_items, missing.asked_amount), (2, 40))
        self.assertTrue(self.open_exceptions("mapping.missing"))

    def test_a_suspense_code_goes_where_the_policy_says_so(self):
        self.mapping()
        self.export.write({"unmapped_policy": "mark", "suspense_code": "SUSPENSE"})
        self.entry(self.a, "2026-01-10", ("bank", 30), ("sales", -30))
        found = self.find("unmapped")
        self.assertEqual((found.count, found.blocks, self.last.state), (1, False, "delivered"))
        files = self.last.file_ids.filtered("feed")
        text = b"".join(file._open().read() for file in files)
        self.assertEqual(text.count(b"SUSPENSE"), 1)

    def test_a_currency_without_rate_is_told(self):
        """Odoo has booked it one to one; nobody may believe that."""
        self.env["res.currency.rate"].search(
            [("currency_id", "=", self.currency["GBP"].id)]
        ).unlink()
        self.entry(self.a, "2026-01-10", ("owed", 30, "GBP", 30), ("sales", -30))
        found = self.find("rates")
        self.assertEqual((found.entity_id, found.count, found.amount), (self.a, 1, 30))
        self.assertIn("GBP", found.title)
        self.assertEqual(self.last.state, "blocked")
        self.export.rates_policy = "mark"
        self.assertFalse(self.find("rates").blocks)
        self.assertEqual(self.last.state, "delivered")

    def test_open_exceptions(self):
        self.env["finance.exception"]._raise("job.rejected", company=self.b)
        found = self.find("exceptions")
        self.assertEqual((found.entity_id, found.count), (self.b, 1))

    def test_a_reader_of_some_journals_does_not_balance(self):
        """Rules of the reader that hide rows are found, not exported as the ledger."""
        self.entry(self.a, "2026-01-10", ("bank", 30), ("sales", -30))
        self.env["ir.rule"].create(
            {
                "name": "No sales",
                "model_id": self.env["ir.model"]._get_id("account.move.line"),
                "domain_force": str([("account_id", "!=", self.accounts[self.a, "sales"].id)]),
            }
        )
        found = self.find("balance")
        self.assertEqual((found.entity_id, found.amount, found.blocks), (self.a, 30, True))
        self.assertEqual(self.last.state, "blocked")

    def test_days_without_a_bank_balance(self):
        days = self.env.get("finance.bank.missing.day")
        if days is None:
            self.skipTest("optional: finance_bank_sync is not installed")
        journal = self.env["account.journal"].create(
            {"name": "Bank", "code": "BNKX", "type": "bank", "company_id": self.a.id}
        )
        fields_of = self.env["finance.bank.expectation"]._fields
        self.env["finance.bank.expectation"].create(
            {"journal_id": journal.id}
            | ({"company_id": self.a.id} if not fields_of["company_id"].related else {})
        )
        first = fields.Date.subtract(fields.Date.today().replace(day=1), months=3)
        self.env["finance.bank.balance"].create(
            {
                "company_id": self.a.id,
                "journal_id": journal.id,
                "type": "CLBD",
                "day": first,
                "amount": 1,
                "currency_id": self.currency["USD"].id,
                "source": "hand",
            }
        )
        found = self.find("bank")
        self.assertEqual(found.entity_id, self.a)
        self.assertGreater(found.count, 10)
        self.assertEqual(self.env[found.model].search_count(found.domain), found.count)

    def test_what_is_found_is_in_the_manifest_in_english(self):
        self.entry(self.a, "2026-01-10", ("bank", 30), ("sales", -30), post=False)
        self.find("drafts")
        [told] = self.last._batch_findings()
        self.assertEqual((told.code, told.count, told.company), ("drafts", 1, "Group Inc"))
        self.assertFalse(told.blocks)


class TestIntercompany(ControlsCase):
    def pairs(self):
        return self.env["finance.intercompany"].search(
            [("company_id", "in", [self.a.id, self.b.id])]
        )

    def test_what_mirrors_and_what_does_not(self):
        """A has lent 100 euros to B, which books 90 as cost."""
        self.entry(
            self.a,
            "2026-01-10",
            ("owed", 110, "EUR", 100),
            ("bank", -110),
            partner=self.b.partner_id,
        )
        contact = self.env["res.partner"].create(
            {"name": "Desk", "parent_id": self.a.partner_id.id}
        )
        self.entry(self.b, "2026-01-10", ("owed", -90), ("cost", 90), partner=contact)
        euros = self.of(self.pairs(), currency_id=self.currency["EUR"], kind="balance")
        self.assertEqual((euros.company_id, euros.other_id), (self.a, self.b))
        self.assertEqual((euros.own, euros.others, euros.difference), (100, -90, 10))
        cost = self.of(self.pairs(), kind="result")
        self.assertEqual((cost.own, cost.others), (0, 90))
        items = self.env["account.move.line"].search(euros.action_open_items()["domain"])
        self.assertEqual(sorted(items.mapped("amount_currency")), [-90, 100])
        run = self.run_export()
        found = self.of(run.finding_ids, code="intercompany")
        self.assertEqual((found.count, found.blocks), (2, False))
        self.entry(self.b, "2026-01-11", ("owed", -10), ("bank", 10), partner=contact)
        until = self.env["finance.intercompany"].with_context(finance_until="2026-01-10")
        domain = [("company_id", "=", self.a.id), ("difference", "=", 10)]
        self.assertTrue(until.search(domain))
        self.assertFalse(self.env["finance.intercompany"].search(domain))
