from datetime import date, datetime
from unittest.mock import patch

from freezegun import freeze_time
from lxml import html

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged

from ..models.finance_close_check import CloseRow, Period
from .evidence import GROUP, EvidenceCase

MARCH = "2026-03"


@tagged("post_install", "-at_install")
class TestPeriod(TransactionCase):
    def test_a_month_of_a_time_zone(self):
        period = Period.month("2026-03", "America/New_York")
        self.assertEqual((period.first, period.last), (date(2026, 3, 1), date(2026, 3, 31)))
        # winter time at its beginning, summer time at its end
        self.assertEqual(period.begin, datetime(2026, 3, 1, 5))
        self.assertEqual(period.end, datetime(2026, 4, 1, 4))
        self.assertEqual(period.key, "2026-03")

    def test_a_december_and_a_february(self):
        self.assertEqual(Period.month("2026-12").end, datetime(2027, 1, 1))
        self.assertEqual(Period.month("2028-02").last, date(2028, 2, 29))


@tagged("post_install", "-at_install")
class TestCloseCheck(EvidenceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        accounting = "account.group_account_invoice"
        cls.controller, cls.reader = (
            new_test_user(cls.env, login, groups, company_id=cls.company_a.id)
            for login, groups in (
                ("f_controller", f"{GROUP}controller,{accounting}"),
                ("f_reader", f"{GROUP}auditor,account.group_account_readonly"),
            )
        )

    def setUp(self):
        super().setUp()
        clock = freeze_time("2026-04-10 12:00:00")
        clock.start()
        self.addCleanup(clock.stop)

    def look(self, user=None, month=MARCH, company=None, **values):
        """The month-end as somebody sees it."""
        company = company or self.company_a
        closes = self.env["finance.close"].with_user(user or self.accountant)
        closes = closes.with_context(allowed_company_ids=company.ids)
        return closes.create({"month": month, "company_id": company[:1].id} | values)

    def check(self, close, code):
        return close.check_ids.filtered(lambda check: check.code == f"base.{code}")

    def opened(self, check):
        """The records that the button lists."""
        action = check.action_open()
        return check.env[action["res_model"]].search(action["domain"])

    def work(self, **values):
        """An unfinished job of March."""
        return self.make_job(**({"state": "dead", "period": MARCH} | values))

    def assert_agrees(self, check):
        """What is counted, summed and oldest is what is opened."""
        rows = self.opened(check)
        self.assertEqual(len(rows), check.count)
        return rows

    # === EXCEPTIONS === #

    def test_exceptions_that_block(self):
        close = self.look()
        self.assertEqual(self.check(close, "exceptions").standing, "order")
        exception = self.raised("job.dead", amount=40.0, currency=self.company_a.currency_id)
        other = self._invoice()
        with freeze_time("2026-04-02"):
            self.raised("job.dead", document=other, amount=2.0, currency=self.company_a.currency_id)
        self.raised("job.held", document=self._invoice())  # blocks nothing
        close.action_ask()
        check = self.check(close, "exceptions")
        self.assertEqual((check.standing, check.count, check.amount), ("blocking", 2, 42.0))
        self.assertEqual(check.oldest, date(2026, 4, 2))
        self.assertIn(exception, self.assert_agrees(check))

    def test_an_exception_of_april_is_not_of_march(self):
        april = self._invoice()
        april.write({"invoice_date": "2026-04-05", "date": "2026-04-05"})
        self.raised("job.dead", document=april)
        self.raised("connector.auth", document=None)
        self.assertEqual(self.check(self.look(), "exceptions").count, 0)
        self.assertEqual(self.check(self.look(month="2026-04"), "exceptions").count, 2)
        self.assertEqual(self.check(self.look(month="2026-04"), "exceptions").standing, "blocking")

    def test_what_was_left_of_february_counts_in_march(self):
        february = self._invoice()
        february.write({"invoice_date": "2026-02-05", "date": "2026-02-05"})
        self.raised("job.dead", document=february)
        self.assertEqual(self.check(self.look(), "exceptions").count, 1)

    def test_foreign_currency(self):
        foreign = self.env["res.currency"].create(
            {"name": "ZZA", "symbol": "a", "rounding": 0.01, "active": True}
        )
        self.env["res.currency.rate"].create(
            {
                "currency_id": foreign.id,
                "company_id": self.company_a.id,
                "name": "2026-03-31",
                "rate": 4.0,
            }
        )
        unrated = self.env["res.currency"].create(
            {"name": "ZZB", "symbol": "b", "rounding": 0.01, "active": True}
        )
        for currency, amount in (
            (self.company_a.currency_id, 1.0),
            (foreign, 40.0),
            (unrated, 999.0),
        ):
            self.raised("job.dead", document=self._invoice(), amount=amount, currency=currency)
        check = self.check(self.look(), "exceptions")
        self.assertEqual((check.count, check.amount, check.unrated), (3, 11.0, "ZZB"))
        self.assertEqual(check.currency_id, self.company_a.currency_id)
        self.assert_agrees(check)

    # === JOBS, EVENTS === #

    def test_held_and_unfinished_work(self):
        held, unfinished = self.work(held_reason="restored"), self.work()
        self.work(period="2026-04")
        self.work(state="done")
        self.work(effect="question")
        self.work(company=self.company_b)
        close = self.look()
        for code, job in (("held", held), ("unfinished", unfinished)):
            check = self.check(close, code)
            self.assertEqual((check.count, check.standing), (1, "blocking"))
            self.assertEqual(self.assert_agrees(check), job)

    def test_jobs_belong_to_the_month_of_their_document(self):
        self.assertEqual(self.env["finance.job"]._facts_of(self.invoice)["period"], MARCH)
        self.assertEqual(self.env["finance.job"]._facts_of(self.partner)["period"], "2026-04")

    def test_unsealed_events(self):
        with freeze_time("2026-03-31"):
            close = self.look(self.reader)
        before = self.check(close, "unsealed").count
        self.env.cr.execute(
            """INSERT INTO finance_audit_event (at, kind, company_id)
               VALUES ('2026-03-31 23:59:59', 'x', %(a)s), ('2026-04-01', 'x', %(a)s),
                      ('2026-03-01', 'x', NULL), ('2026-02-28 23:59:59', 'x', NULL)""",
            {"a": self.company_a.id},
        )
        self.env.cr.execute(
            """INSERT INTO finance_audit_event (at, kind, company_id, seal_id)
               VALUES ('2026-03-31', 'x', %s, 1)""",
            [self.company_a.id],
        )
        close.action_ask()
        check = self.check(close, "unsealed")
        self.assertEqual((check.count - before, check.oldest), (2, date(2026, 3, 1)))
        self.assert_agrees(check)

    # === WHO AND WHERE === #

    def test_everybody_counts_the_same_and_opens_what_he_may(self):
        self.work()
        self.env.cr.execute(
            "INSERT INTO finance_audit_event (at, kind, company_id) VALUES ('2026-03-07', 'x', %s)",
            [self.company_a.id],
        )
        counts = {}
        for user in (self.accountant, self.controller, self.reader, self.user, self.auditor):
            close = self.look(user)
            counts[user.login] = close._counts()
            may = self.check(close, "unsealed").may_open
            self.assertEqual(may, user not in (self.accountant, self.user), user.login)
        self.assertEqual(len({str(answer) for answer in counts.values()}), 1, counts)

    def test_companies_are_apart(self):
        self.work(company=self.company_b)
        self.assertEqual(self.check(self.look(), "unfinished").count, 0)
        with self.assertRaises(UserError):
            self.look().company_id = self.company_b

    def test_branches(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company_a.id})
        self.accountant.company_ids += branch
        self.work(company=branch)
        both = self.company_a | branch
        self.assertEqual(self.check(self.look(company=both), "unfinished").count, 1)
        alone = self.look(company=both, with_branches=False)
        self.assertEqual(self.check(alone, "unfinished").count, 0)
        self.assertFalse(alone.left_out)
        self.assertEqual(self.look().left_out, "Branch")

    def test_somebody_elses_look_is_not_readable(self):
        close = self.look()
        with self.assertRaises(AccessError):
            close.with_user(self.colleague).read(["verdict"])
        with self.assertRaises(AccessError):
            close.check_ids[0].count = 0

    # === THE SCREEN === #

    def test_the_verdict(self):
        quiet = [
            CloseRow("t.a", "A?", "Do", "finance.job", [("id", "=", 0)], "created_at", blocks=True)
        ]
        loud = [
            CloseRow(
                "t.b", "B?", "Do", "res.company", [("id", "in", self.company_a.ids)], "create_date"
            )
        ]
        blocks = [
            CloseRow(
                "t.c", "C?", "Do", "res.company", [("id", "in", self.company_a.ids)], "create_date",
                blocks=True,
            )
        ]  # fmt: skip
        checks = type(self.env["finance.close.check"])
        for rows, words in (
            (quiet, "Everything is in order: 1 questions asked."),
            (quiet + loud, "Nothing blocks closing: 1 open, 1 in order."),
            (quiet + loud + blocks, "Not ready to close: 1 blocking, 1 open, 1 in order."),
        ):
            with patch.object(checks, "_rows", lambda self, company, period, rows=rows: rows):
                self.assertEqual(self.look().verdict, words)

    def test_blocking_comes_first(self):
        self.work()
        standings = self.look().check_ids.mapped("standing")
        order = ["blocking", "open", "order"]
        self.assertEqual(standings, sorted(standings, key=order.index))

    def test_it_is_asked_again_with_another_month(self):
        self.work(period="2026-04")
        close = self.look()
        close.action_next_month()
        self.assertEqual((close.month, close.shown_month), ("2026-04", "2026-04"))
        self.assertEqual(self.check(close, "unfinished").count, 1)
        close.action_previous_month()
        self.assertEqual(self.check(close, "unfinished").count, 0)

    def test_the_menu_asks_about_last_month(self):
        action = self.env.ref("finance_connector_base.action_finance_close")
        for user in (self.accountant, self.reader):
            opened = action.with_user(user).run()
            close = self.env["finance.close"].with_user(user).browse(opened["res_id"])
            self.assertEqual((close.month, close.company_id), (MARCH, self.company_a))
            self.assertTrue(close.check_ids)
        with self.assertRaises(AccessError):
            action.with_user(new_test_user(self.env, "f_clerk", "base.group_user")).run()

    def test_printed(self):
        self.work()
        close = self.look(self.reader)
        report = close.env["ir.actions.report"]
        body, _kind = report._render_qweb_html("finance_connector_base.report_close", close.ids)
        text = " ".join(html.fromstring(body).text_content().split())
        for part in ("Month-end March 2026", close.verdict, "Work that is held", "In order"):
            self.assertIn(part, text)
        self.assertEqual(close.action_print()["type"], "ir.actions.report")

    # === CLOSED AS OF === #

    def test_recorded_as_closed(self):
        self.work()
        close = self.look(self.controller)
        self.assertFalse(close.recorded)
        before = self.events("close.recorded")
        close.action_record()
        event = self.events("close.recorded") - before
        self.assertEqual(event.user_id, self.controller)
        self.assertEqual((event.res_model, event.res_id), ("res.company", self.company_a.id))
        self.assertEqual(event.data["counts"]["base.unfinished"], 1)
        self.assertEqual((event.data["period"], event.data["blocking"]), (MARCH, 1))
        self.assertIn("by f_controller", close.recorded)
        self.assertIn("with 1 blocking", close.recorded)
        self.assertNotIn("changed", close.recorded)
        self.work()
        seen = self.look(self.reader)
        self.assertIn("Since then the numbers have changed.", seen.recorded)
        self.assertFalse(self.look(self.reader, month="2026-02").recorded)

    def test_only_controllers_record(self):
        before = self.events("close.recorded")
        for user in (self.accountant, self.reader, self.admin):
            with self.assertRaises(AccessError):
                self.look(user).action_record()
        self.assertEqual(self.events("close.recorded"), before)

    # === MANY === #

    def test_as_many_queries_for_three_as_for_300(self):
        counts = []
        for jobs in (3, 297):
            for _number in range(jobs):
                self.work()
            close = self.look(self.controller)
            self.env.flush_all()
            self.env.invalidate_all()
            checks, period = self.env["finance.close.check"], close._period()
            checks = checks.with_user(self.controller)
            for _time in range(2):
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                answers = checks._answered(self.company_a, period)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(*counts)
        found = {answer["code"]: answer["count"] for answer in answers}
        self.assertEqual(found["base.unfinished"], 300)

    def test_months_to_choose(self):
        months = self.env["finance.close"]._months()
        self.assertEqual(months[0], ("2026-04", "April 2026"))
        self.assertEqual(len(months), 24)
        self.assertEqual(fields.Date.to_date(f"{months[-1][0]}-01"), date(2024, 5, 1))
