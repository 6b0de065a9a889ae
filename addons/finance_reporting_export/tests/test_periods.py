"""Months: published, final under a lock date, and told anew only as another version."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from odoo.addons.finance_connector_base.models.finance_close_check import Period

from .controls import FEBRUARY, JANUARY, ControlsCase


class PeriodsCase(ControlsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.controller = new_test_user(
            cls.env,
            "export_controller",
            "account.group_account_readonly,finance_connector_base.group_controller",
            company_id=cls.a.id,
            company_ids=[(6, 0, (cls.a | cls.b).ids)],
        )

    def month(self, period, company=None):
        domain = [
            ("export_id", "=", self.export.id),
            ("company_id", "=", (company or self.a).id),
            ("period", "=", period),
        ]
        return self.env["finance.export.period"].search(domain)

    def books(self):
        self.entry(self.a, "2026-01-10", ("bank", 100), ("sales", -100))
        self.entry(self.a, "2026-02-10", ("bank", 50), ("sales", -50))
        self.entry(self.b, "2026-01-10", ("bank", 7), ("sales", -7))

    def restated(self):
        """January was final with 100; somebody opens it, books a refund of 30, and locks again."""
        self.books()
        self.lock(self.a, JANUARY)
        self.run_export()
        self.lock(self.a, False)
        self.entry(self.a, "2026-01-20", ("sales", 30), ("bank", -30))
        self.lock(self.a, JANUARY)
        self.last = self.run_export()
        return self.month("2026-01").restatement_ids


class TestPeriods(PeriodsCase):
    def test_final_only_under_the_lock_date_of_the_company(self):
        self.books()
        self.lock(self.a, JANUARY)
        before = self.a.fiscalyear_lock_date
        run = self.run_export()
        january = self.month("2026-01")
        self.assertEqual((january.state, january.version, january.lock_date), ("final", 1, JANUARY))
        self.assertEqual(january.version_ids.debit, 100)
        self.assertEqual(self.month("2026-02").state, "published")
        self.assertEqual(self.month("2026-01", self.b).state, "published")
        self.assertEqual(run._lock_dates(), {"Group Inc": JANUARY, "Filiale SA": None})
        self.assertEqual(run._final_periods(), ())
        # no export moves a lock date
        self.assertEqual(self.a.fiscalyear_lock_date, before)
        self.lock(self.b, FEBRUARY, "hard_lock_date")
        again = self.run_export()
        self.assertEqual(self.month("2026-01", self.b).state, "final")
        self.assertEqual(again._final_periods(), ("2026-01",))
        self.assertFalse(self.env["finance.export.restatement"].search([]))

    def test_an_exception_from_the_lock_is_no_lock(self):
        self.books()
        self.lock(self.a, JANUARY)
        self.env["account.lock_exception"].create(
            {
                "company_id": self.a.id,
                "user_id": self.controller.id,
                "fiscalyear_lock_date": False,
                "end_datetime": False,
            }
        )
        self.run_export()
        self.assertEqual(self.month("2026-01").state, "published")

    def test_a_branch_has_the_lock_of_its_parent(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.a.id})
        self.lock(self.a, JANUARY)
        periods = self.env["finance.export.period"]
        self.assertEqual(periods._lock_dates(branch), {branch: JANUARY})

    def test_what_was_published_and_not_final_is_written_over(self):
        self.books()
        self.run_export()
        self.entry(self.a, "2026-01-20", ("bank", 1), ("sales", -1))
        self.run_export()
        january = self.month("2026-01")
        self.assertEqual((january.version, january.version_ids.debit), (1, 101))
        self.assertFalse(january.restatement_ids)

    def test_what_was_final_is_restated(self):
        found = self.restated()
        january = self.month("2026-01")
        self.assertEqual((january.state, january.version), ("final", 2))
        versions = {row.version: (row.debit, row.credit) for row in january.version_ids}
        self.assertEqual(versions, {1: (100, 100), 2: (130, 130)})
        self.assertEqual((found.former_debit, found.debit, found.debit_difference), (100, 130, 30))
        self.assertEqual((found.rows_difference, found.state), (2, "pending"))
        lines = {line.account: (line.former_balance, line.balance, line.difference)
                 for line in found.line_ids}  # fmt: skip
        self.assertEqual(lines, {"1010": (100, 70, -30), "4000": (-100, -70, 30)})
        self.assertEqual(found.writer_ids, self.env.user)
        self.assertFalse(self.month("2026-02").restatement_ids)
        exception = self.open_exceptions("export.restated")
        self.assertEqual((exception.document_id, exception.amount), (found.id, 30))
        # told once: the next run has nothing new
        self.run_export()
        self.assertEqual(self.month("2026-01").version, 2)

    def test_a_controller_gives_the_reason(self):
        found = self.restated()
        reader = new_test_user(self.env, "export_auditor", "finance_connector_base.group_auditor",
                               company_id=self.a.id)  # fmt: skip
        with self.assertRaises(AccessError):
            found.with_user(reader).action_explain()
        theirs = found.with_user(self.controller)
        with self.assertRaises(UserError):
            theirs.action_explain()
        for attempt in ({"state": "explained"}, {"debit": 1}, {"reason": "x", "version": 9}):
            with self.assertRaises(AccessError):
                theirs.write(attempt)
        theirs.reason = "A refund that the customer was promised in January"
        theirs.action_explain()
        self.assertEqual((found.state, found.explained_by_id), ("explained", self.controller))
        self.assertFalse(self.open_exceptions("export.restated"))
        with self.assertRaises(AccessError):
            theirs.reason = "another one"
        event = self.env["finance.audit.event"].search(
            [("kind", "=", "export.explained"), ("res_id", "=", found.id)]
        )
        self.assertNotIn("refund", str(event.data))

    def test_an_increment_that_touches_a_final_month(self):
        self.books()
        self.export.feed_ids.mode = "incremental"
        self.lock(self.a, JANUARY)
        self.run_export()
        self.assertEqual(self.month("2026-01").state, "final")
        self.lock(self.a, False)
        self.entry(self.a, "2026-01-20", ("bank", 1), ("sales", -1))
        # in one transaction nothing is new for a snapshot: the watermark is put back by hand
        self.export.feed_ids.snapshot = "3:3:"
        run = self.run_export()
        self.assertEqual(run.step_ids.mode, "incremental")
        restated = self.month("2026-01").restatement_ids
        self.assertEqual((restated.former_debit, restated.debit), (100, 101))

    def test_nobody_publishes_by_hand(self):
        self.books()
        self.run_export()
        january = self.month("2026-01").with_user(self.controller)
        with self.assertRaises(AccessError):
            january.write({"state": "final"})


class TestClose(PeriodsCase):
    def rows(self, period="2026-01", company=None):
        self.env.flush_all()
        self.env.cr.execute("UPDATE finance_export SET create_date = '2026-01-05' WHERE id = %s",
                            self.export.ids)  # fmt: skip
        domain = [
            ("export_id", "=", self.export.id),
            ("period", "=", period),
            ("company_id", "=", (company or self.a).id),
        ]
        self.env.invalidate_all()
        rows = self.env["finance.export.close"].with_user(self.controller)
        rows = rows.with_context(allowed_company_ids=(self.a | self.b).ids)
        return rows.search(domain)

    def test_published_final_late_and_blocked(self):
        self.books()
        self.assertEqual(self.rows().standing, "late")
        self.assertIn("2026", self.rows().why)
        self.export.close_days = 10_000
        self.assertEqual(self.rows().standing, "open")
        self.export.drafts_policy = "block"
        draft = self.entry(self.a, "2026-01-10", ("bank", 1), ("sales", -1), post=False)
        self.run_export()
        self.assertEqual(self.rows().standing, "blocked")
        self.assertIn("drafts", self.rows().why)
        draft.unlink()
        self.lock(self.b, JANUARY)
        self.run_export()
        self.assertEqual(self.rows().standing, "published")
        self.assertEqual(self.rows(company=self.b).standing, "final")
        self.assertEqual(self.rows().action_open()["res_model"], "finance.export.run")

    def test_close_checks(self):
        checks = self.env["finance.close.check"]
        self.books()
        self.rows()
        period = Period.month("2026-01")

        def counts():
            answers = checks._answered(self.a, period)
            return {
                row["code"]: (row["count"], row["standing"])
                for row in answers
                if row["code"].startswith("export.")
            }

        self.assertEqual(counts()["export.unpublished"], (1, "open"))
        self.restated()
        self.assertEqual(counts()["export.unpublished"], (0, "order"))
        self.assertEqual(counts()["export.restated"], (1, "blocking"))
        row = self.rows()
        self.assertEqual(row.standing, "restated")
        domain = row.action_open()["domain"]
        found = self.env["finance.export.restatement"].search(domain)
        theirs = found.with_user(self.controller)
        theirs.reason = "known"
        theirs.action_explain()
        self.assertEqual(counts()["export.restated"], (0, "order"))
