"""The cash position: what counts, what is on the way, what is missing, and what is kept."""

from datetime import datetime, timedelta

import psycopg2

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .cash import CashCase

# A Thursday; the statement of Wednesday is there since noon.
NOW = datetime(2026, 3, 26, 15)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
IBAN = ("DE89370400440532013000", "DE02120300000000202051", "DE02500105170137075030")


class PositionCase(CashCase):
    """Two accounts in euro with numbers, as on a Thursday afternoon."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.partner_id.tz = "UTC"
        cls.bank = cls.new_bank("Giro", "BNKC", number=IBAN[0])
        cls.savings = cls.new_bank("Savings", "BNKD", number=IBAN[1])
        cls.startClassPatcher(freeze_time(NOW))

    def position(self, user=None, **values):
        return self.env["finance.cash.position"].with_user(user or self.preparer).create(values)

    def lines(self, position, *kinds):
        return {
            (line.kind, line.account or "", line.amount)
            for line in position.line_ids
            if not kinds or line.kind in kinds
        }

    def both_told(self, giro=1000.0, savings=500.0, day=YESTERDAY):
        self.told(giro, day, journal=self.bank)
        self.told(savings, day, journal=self.savings)


@tagged("post_install", "-at_install")
class TestCashPosition(PositionCase):
    def test_complete(self):
        self.both_told()
        position = self.position()
        self.assertEqual(position.booked, 1500.0)
        self.assertTrue(position.is_complete)
        self.assertEqual(position.sentence, "Complete: all 2 accounts are up to date.")

    def test_what_was_booked_since_counts(self):
        self.both_told(day=YESTERDAY - timedelta(days=1))
        self.entry(70.0, YESTERDAY, self.bank)
        self.entry(9.0, TODAY + timedelta(days=1), self.bank)
        self.entry(8.0, YESTERDAY, self.bank, state="skipped")
        self.assertEqual(self.position().booked, 1570.0)

    def test_late_stale_and_missing(self):
        self.told(1000.0, TODAY - timedelta(days=2), journal=self.bank)
        third = self.new_bank("Third", "BNKE")
        self.told(5.0, TODAY - timedelta(days=20), journal=third)
        self.env["finance.bank.expectation"].create({"journal_id": self.savings.id, "tz": "UTC"})
        position = self.position()
        self.assertFalse(position.is_complete)
        for words in ("no balance of Savings", "stale: Third (", "late: Giro ("):
            self.assertIn(words, position.sentence)
        missing = position.line_ids.filtered(lambda line: line.account == "Savings")
        self.assertFalse(missing.counted)
        self.assertEqual(position.booked, 1005.0)

    def test_valued_later(self):
        self.both_told()
        self.entry(200.0, YESTERDAY, self.bank, value_date=TODAY + timedelta(days=1))
        position = self.position()
        self.assertEqual((position.booked, position.today), (1500.0, 1300.0))
        self.assertIn(("value", "Giro", 200.0), self.lines(position))

    def test_pending_apart(self):
        self.both_told()
        self.entry(-40.0, TODAY, self.bank, status="pending")
        position = self.position()
        self.assertEqual((position.booked, position.pending), (1500.0, -40.0))

    def test_a_transfer_counts_once_when_it_has_only_left(self):
        """100 have left the giro account and have not arrived: they are ours all the same."""
        self.both_told(900.0, 500.0)
        self.entry(-100.0, YESTERDAY, self.bank, partner_account="DE02 1203 0000 0000 2020 51")
        position = self.position()
        self.assertEqual((position.booked, position.transit), (1500.0, 100.0))
        self.assertIn(("transit", "Savings", 100.0), self.lines(position))

    def test_a_transfer_counts_once_when_it_has_only_arrived(self):
        """It is on the other account, and still on the one whose statement is late."""
        self.told(1000.0, TODAY - timedelta(days=2), journal=self.bank)
        self.told(600.0, YESTERDAY, journal=self.savings)
        self.entry(100.0, YESTERDAY, self.savings, partner_account=IBAN[0])
        position = self.position()
        self.assertEqual((position.booked, position.transit), (1500.0, -100.0))

    def test_a_transfer_that_arrived_is_none(self):
        self.both_told(900.0, 600.0)
        self.entry(-100.0, YESTERDAY, self.bank, partner_account=IBAN[1])
        self.entry(100.0, YESTERDAY, self.savings, partner_account=IBAN[0])
        position = self.position()
        self.assertEqual((position.booked, position.transit), (1500.0, 0.0))

    def test_a_pending_arrival_is_not_counted_again(self):
        self.both_told(900.0, 500.0)
        self.entry(-100.0, YESTERDAY, self.bank, partner_account=IBAN[1])
        self.entry(100.0, TODAY, self.savings, status="pending", partner_account=IBAN[0])
        position = self.position()
        self.assertEqual((position.booked, position.pending), (1500.0, 0.0))

    def test_a_balance_by_hand_has_what_has_arrived(self):
        self.told(900.0, YESTERDAY, journal=self.bank)
        self.told(600.0, TODAY, journal=self.savings, source="hand")
        self.entry(-100.0, YESTERDAY, self.bank, partner_account=IBAN[1])
        self.assertEqual(self.position().booked, 1500.0)

    def test_two_entities_and_what_they_owe_each_other(self):
        other = self.new_company("Cash B")
        self.preparer.company_ids |= other
        self.env = self.env(context={"allowed_company_ids": (self.company | other).ids})
        suspense = self.new_account("Suspense", "asset_current", other)
        theirs = self.new_bank("Theirs", "BNKF", other, number=IBAN[2], suspense=suspense)
        self.both_told(900.0, 500.0)
        self.told(50.0, YESTERDAY, journal=theirs)
        self.entry(-100.0, YESTERDAY, self.bank, partner_account=IBAN[2])
        other.partner_id.property_account_receivable_id = self.receivable
        move = self.posted([(self.receivable, 80.0), (self.income, -80.0)], YESTERDAY)
        move.line_ids.write({"partner_id": other.partner_id.id})
        self.posted([(self.receivable, 20.0), (self.income, -20.0)], YESTERDAY)
        alone = self.position(company_ids=[Command.set(self.company.ids)])
        self.assertEqual((alone.booked, alone.transit), (1400.0, 0.0))
        both = self.position(company_ids=[Command.set((self.company | other).ids)])
        self.assertEqual((both.booked, both.transit), (1550.0, 100.0))
        self.assertEqual(both.expected, 100.0)
        both.with_intercompany = False
        self.assertEqual((both.booked, both.expected), (1550.0, 20.0))

    def test_companies_of_others_are_refused(self):
        other = self.new_company("Cash C")
        with self.assertRaises(AccessError):
            self.position(company_ids=[Command.set(other.ids)])

    def test_a_missing_rate_is_not_one(self):
        dollars = self.new_bank("Dollars", "BNKU", currency=self.dollar)
        self.both_told()
        self.told(125.0, YESTERDAY, journal=dollars)
        self.env["res.currency.rate"].search([("currency_id", "=", self.dollar.id)]).unlink()
        position = self.position()
        self.assertEqual(position.booked, 1500.0)
        self.assertEqual(position.sentence, "Incomplete: no rate for USD.")
        rate = self.env["res.currency.rate"].create(
            {
                "currency_id": self.dollar.id,
                "company_id": self.company.id,
                "name": TODAY + timedelta(days=1),
                "rate": 1.25,
            }
        )
        position.action_ask()
        self.assertFalse(position.is_complete)
        rate.name = YESTERDAY
        position.action_ask()
        self.assertEqual(position.booked, 1600.0)
        line = position.line_ids.filtered(lambda row: row.account == "Dollars")
        self.assertEqual((line.amount, line.rate, line.rate_day), (125.0, 0.8, YESTERDAY))
        self.assertIn("USD", position._rates_words())

    def test_expected_by_value_date(self):
        self.both_told()
        for days, amount in ((-3, 10.0), (0, 20.0), (1, 30.0), (40, 99.0)):
            move = self.posted([(self.receivable, amount), (self.income, -amount)], YESTERDAY)
            move.line_ids.filtered("debit").date_maturity = TODAY + timedelta(days=days)
        self.posted([(self.payable, -5.0), (self.income, 5.0)], TODAY)
        self.payment(-7.0, YESTERDAY)
        self.bank_line(20.0, YESTERDAY)
        position = self.position()
        found = {
            (line.kind, line.bucket): line.amount
            for line in position.line_ids
            if line.kind in ("receivable", "payable", "payment", "unmatched")
        }
        self.assertEqual(
            found,
            {
                ("receivable", "overdue"): 10.0,
                ("receivable", "today"): 20.0,
                ("receivable", "tomorrow"): 30.0,
                ("payable", "overdue"): 7.0,
                ("payable", "today"): -5.0,
                ("payment", "today"): -7.0,
                ("unmatched", "today"): -20.0,
            },
        )
        self.assertEqual(position.expected, 10.0 + 20.0 + 30.0 - 5.0 + 7.0 - 7.0 - 20.0)
        self.assertEqual(position._forecast_rows()[-1][1][-1], 1500.0 + position.expected)

    def test_the_screen_is_rendered(self):
        self.both_told()
        self.posted([(self.receivable, 10.0), (self.income, -10.0)], TODAY)
        position = self.position()
        self.assertIn("1,500.00", position.figures)
        self.assertIn("1,510.00", position.forecast)
        for line in position.line_ids:
            self.assertIn("res_model", line.action_open())

    def test_queries_don_t_grow(self):
        self.both_told()

        def queries():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            facts = self.env["finance.cash.facts"]
            facts._lines(self.company, TODAY, self.currency, self.company)
            return self.env.cr.sql_log_count - before

        for _number in range(2):
            self.entry(-100.0, YESTERDAY, self.bank, partner_account=IBAN[1])
            self.entry(1.0, TODAY, self.bank, status="pending")
            self.posted([(self.receivable, 10.0), (self.income, -10.0)], TODAY)
        queries()
        few = queries()
        for _number in range(8):
            self.entry(-100.0, YESTERDAY, self.bank, partner_account=IBAN[1])
            self.entry(1.0, TODAY, self.bank, status="pending")
            self.posted([(self.receivable, 10.0), (self.income, -10.0)], TODAY)
        self.assertEqual(queries(), few)


@tagged("post_install", "-at_install")
class TestExpectation(PositionCase):
    """The calendar: what is late opens an exception, and what has come closes it."""

    def expected(self, **values):
        return self.env["finance.bank.expectation"].create(
            {"journal_id": self.bank.id, "tz": "UTC", **values}
        )

    def late(self):
        return self.env["finance.exception"].search([("code", "=", "bank.statement_late")])

    def test_late_and_there(self):
        self.told(1.0, TODAY - timedelta(days=2), journal=self.bank)
        expected = self.expected()
        self.assertEqual((expected.standing, expected.due_day), ("late", YESTERDAY))
        expected._cron_check()
        expected._cron_check()
        exception = self.late()
        self.assertEqual((exception.state, exception.occurrences), ("open", 1))
        self.assertIn("Giro", exception.title)
        self.assertIn("03/25/2026", exception.text)
        self.told(1.0, TODAY, "CLBD", self.savings)
        self.assertEqual(exception.state, "open")
        self.told(1.0, YESTERDAY, journal=self.bank)
        self.assertEqual(exception.state, "resolved")
        self.assertEqual(exception.ending, "The statement has come.")

    def test_a_holiday(self):
        self.told(1.0, TODAY - timedelta(days=2), journal=self.bank)
        expected = self.expected(holidays="2026-03-25")
        self.assertEqual(expected.standing, "complete")
        with self.assertRaises(UserError):
            expected.holidays = "yesterday"

    def test_archived(self):
        expected = self.expected()
        expected._cron_check()
        self.assertEqual(self.late().state, "open")
        expected.active = False
        self.assertEqual(self.late().state, "resolved")

    def test_in_the_zone_of_the_bank(self):
        """15:00 UTC is noon in Buenos Aires: what is due at 13:00 there is not due yet."""
        self.told(1.0, TODAY - timedelta(days=2), journal=self.bank)
        expected = self.expected(hour=13.0, tz="America/Argentina/Buenos_Aires")
        self.assertEqual(expected.standing, "complete")
        expected.hour = 11.5
        self.assertEqual(expected.standing, "late")


@tagged("post_install", "-at_install")
class TestSnapshot(PositionCase):
    """What was kept stays as it is."""

    def test_taken_once_a_day(self):
        self.both_told()
        snapshots = self.env["finance.cash.snapshot"]
        snapshots._cron_take()
        snapshots._cron_take()
        kept = snapshots.search([("company_id", "=", self.company.id)])
        self.assertEqual((kept.day, kept.version, kept.booked), (TODAY, 1, 1500.0))
        self.assertTrue(kept.is_complete)
        self.assertTrue(kept._is_authentic())
        event = self.env["finance.audit.event"].sudo().search(
            [("kind", "=", "cash.snapshot"), ("res_id", "=", kept.id)]
        )  # fmt: skip
        self.assertEqual(event.data["digest"], kept.digest)

    def test_never_changed(self):
        self.both_told()
        kept = self.env["finance.cash.snapshot"]._take(self.company)
        for record in (kept, kept.line_ids[:1]):
            for forbidden in (
                lambda row=record: row.sudo().write({"day": YESTERDAY}),
                lambda row=record: row.sudo().unlink(),
                lambda row=record: row.sudo().create({"day": YESTERDAY}),
            ):
                with self.assertRaises(UserError):
                    forbidden()
            for statement in ("UPDATE %s SET day = now()", "DELETE FROM %s", "TRUNCATE %s CASCADE"):
                with (
                    mute_logger("odoo.sql_db"),
                    self.assertRaises(psycopg2.errors.RestrictViolation),
                    self.cr.savepoint(),
                ):
                    self.cr.execute(statement % record._table)

    def test_context_alone_opens_nothing(self):
        with self.assertRaises(UserError):
            self.env["finance.cash.snapshot"].with_user(self.preparer).with_context(
                finance_cash_taking=True
            ).create({"day": TODAY})

    def test_a_controller_keeps_another(self):
        self.both_told()
        self.env["finance.cash.snapshot"]._take(self.company)
        position = self.position()
        with self.assertRaises(AccessError):
            position.action_keep()
        self.position(self.controller).action_keep()
        kept = self.env["finance.cash.snapshot"].search([("company_id", "=", self.company.id)])
        self.assertEqual(kept.mapped("version"), [2, 1])

    def test_people_and_accounts_go_and_it_stays(self):
        self.both_told()
        kept = self.env["finance.cash.snapshot"].with_user(self.controller)._take(self.company)
        self.assertEqual(kept.user_id, self.controller)
        self.env.flush_all()
        self.controller.sudo().unlink()
        read = kept.sudo().web_read({"user_id": {"fields": {"display_name": {}}}, "booked": {}})
        self.assertEqual(read[0]["booked"], 1500.0)


@tagged("post_install", "-at_install")
class TestBalances(PositionCase):
    """Proofs, balances by hand, and the month-end."""

    def proofs(self):
        self.env.flush_all()
        return self.env["finance.bank.balance.proof"].search(
            [("journal_id", "=", self.bank.id)], order="day"
        )

    def test_proof(self):
        first = TODAY - timedelta(days=3)
        self.told(100.0, first, journal=self.bank)
        self.entry_in_books(20.0, YESTERDAY, self.bank)
        self.entry(5.0, YESTERDAY, self.bank)
        self.told(120.0, YESTERDAY, "OPBD", self.bank)
        self.told(130.0, YESTERDAY, journal=self.bank, received_at=datetime(2026, 3, 26))
        self.told(125.0, YESTERDAY, journal=self.bank, received_at=datetime(2026, 3, 27))
        one, two = self.proofs()
        self.assertEqual((one.standing, two.standing), ("first", "broken"))
        self.assertEqual((two.opening, two.moved, two.closing), (100.0, 25.0, 125.0))
        self.assertEqual((two.gap, two.opening_gap), (0.0, 20.0))
        self.assertEqual((two.ledger, two.ledger_gap), (20.0, -105.0))
        self.assertEqual((two.held, two.unmatched, two.entry_count), (5.0, 20.0, 2))
        self.assertEqual((one.is_month_last, two.is_month_last), (False, True))
        self.assertEqual(
            self.env["finance.bank.entry"].search_count(two.action_entries()["domain"]), 2
        )

    def test_written_down(self):
        wizard = (
            self.env["finance.bank.balance.entry"]
            .with_user(self.preparer)
            .create({"journal_id": self.bank.id, "day": YESTERDAY, "amount": 77.0})
        )
        wizard.action_confirm()
        balance = self.env["finance.bank.balance"].search([("journal_id", "=", self.bank.id)])
        self.assertEqual((balance.amount, balance.source), (77.0, "hand"))
        self.assertEqual(balance.create_uid, self.preparer)
        wizard.day = TODAY + timedelta(days=1)
        with self.assertRaisesRegex(UserError, "not known yet"):
            wizard.action_confirm()

    def test_month_end(self):
        self.told(0.0, TODAY - timedelta(days=24), journal=self.bank)
        self.env["finance.bank.expectation"].create({"journal_id": self.bank.id, "tz": "UTC"})
        self.entry_in_books(60.0, YESTERDAY, self.bank)
        self.told(75.0, YESTERDAY, journal=self.bank)
        self.posted([(self.suspense, 3.0), (self.income, -3.0)], YESTERDAY)
        answers = self.asked()
        month = [day for day in range(1, 26) if datetime(2026, 3, day).weekday() < 5]
        self.assertEqual(answers["bank.days"][0], len(month) - 2)
        self.assertEqual(answers["bank.unmatched"], (1, 60.0, YESTERDAY))
        self.assertEqual(answers["bank.suspense"], (1, 3.0, YESTERDAY))
        self.assertEqual(answers["bank.broken"], (1, 15.0, YESTERDAY))
        self.assertEqual(answers["bank.ledger"], (1, -15.0, YESTERDAY))
        self.assertEqual(answers["bank.unreviewed"][0], 1)
        statement = self.statement(fields.Date.to_date("2026-03-31"), self.bank, reason="x")
        statement.action_prepare()
        statement.with_user(self.reviewer).action_review()
        self.assertEqual(self.asked()["bank.unreviewed"][0], 0)

    def asked(self):
        close = self.env["finance.close"].with_user(self.controller).create({"month": "2026-03"})
        return {row.code: (row.count, row.amount, row.oldest) for row in close.check_ids}
