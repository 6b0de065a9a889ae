"""Amounts in the group's currency, with the rates that people keep in Odoo."""

import csv
import io
from decimal import Decimal

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user

from .controls import ControlsCase


class GroupCase(ControlsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.export.group_currency_id = cls.currency["USD"]
        # one dollar is half a euro, then a quarter: a euro is 2, then 4 dollars
        cls.rate("EUR", "2026-01-01", 0.5)
        cls.rate("EUR", "2026-02-15", 0.25)
        cls.writer, cls.approver = (
            new_test_user(
                cls.env,
                f"historical_{name}",
                f"account.group_account_readonly,finance_connector_base.group_controller{more}",
                company_id=cls.a.id,
                company_ids=[(6, 0, (cls.a | cls.b).ids)],
            )
            for name, more in (
                ("writer", ",finance_connector_base.group_approver"),
                ("approver", ",finance_connector_base.group_approver"),
            )
        )

    def historical(self, amount=-100, group=-180, day="2026-01-05", approve=True):
        row = (
            self.env["finance.historical.amount"]
            .with_user(self.writer)
            .create(
                {
                    "company_id": self.b.id,
                    "account_id": self.accounts[self.b, "capital"].id,
                    "day": day,
                    "amount": amount,
                    "group_currency_id": self.currency["USD"].id,
                    "group_amount": group,
                    "note": "Deed of foundation",
                }
            )
        )
        if approve:
            row.with_user(self.approver).action_approve()
        return row

    def table(self, run):
        """{(account name, month): closing} of the group's trial balance of B."""
        run._group_rates()
        self.env.cr.execute(
            "SELECT account_id, period, closing::text FROM finance_group_balance"
            " WHERE company_id = %s",
            [self.b.id],
        )
        names = {account.id: name for (_company, name), account in self.accounts.items()}
        return {
            (names.get(account, "difference"), period): closing and Decimal(closing)
            for account, period, closing in self.env.cr.fetchall()
        }


class TestGroupCurrency(GroupCase):
    def test_closing_average_historical_and_the_difference(self):
        self.entry(self.b, "2026-01-05", ("bank", 100), ("capital", -100))
        self.entry(self.b, "2026-02-10", ("bank", 50), ("sales", -50))
        self.historical()
        run = self.run_export()
        self.assertEqual(run.state, "delivered")
        self.assertFalse(run.finding_ids)
        # average of February: 14 days at 2, 14 at 4
        self.assertEqual(
            self.table(run),
            {
                ("bank", "2026-01"): 200,
                ("capital", "2026-01"): -180,
                ("difference", "2026-01"): -20,
                ("bank", "2026-02"): 600,
                ("capital", "2026-02"): -180,
                ("sales", "2026-02"): -150,
                ("difference", "2026-02"): -270,
            },
        )
        self.env.cr.execute(
            "SELECT rate::text FROM finance_group_balance WHERE company_id = %s AND account_id = %s"
            " AND period = '2026-01'",
            [self.b.id, self.accounts[self.b, "capital"].id],
        )
        self.assertEqual(self.env.cr.fetchone(), ("1.8",))

    def test_the_file_of_the_group_adds_up_to_nothing(self):
        self.entry(self.b, "2026-01-05", ("bank", 100.10), ("sales", -100.10))
        self.entry(self.a, "2026-02-05", ("bank", 7), ("cost", -7))
        self.export.feed_ids.write({"feed_id": self.feed("group_balances").id, "split": "whole"})
        run = self.run_export()
        self.assertEqual(run.state, "delivered")
        text = io.TextIOWrapper(run.file_ids.filtered("feed")._open(), "utf-8", newline="")
        rows = list(csv.DictReader(text))
        self.assertEqual({row["amount_group_currency"] for row in rows}, {"USD"})
        sums = {}
        for row in rows:
            key = (row["entity"], row["period"])
            sums[key] = sums.get(key, 0) + Decimal(row["amount_ending"])
        self.assertEqual(sums, {("Filiale SA", "2026-01"): 0, ("Group Inc", "2026-02"): 0})
        euros = {row["gl_account_number"]: row for row in rows if row["entity"] == "Filiale SA"}
        self.assertEqual(Decimal(euros["1010"]["amount_ending"]), Decimal("200.20"))
        self.assertEqual(euros["4000"]["rate_kind"], "average")
        self.assertEqual(Decimal(euros["CTA"]["amount_ending"]), 0)

    def test_rates_and_their_source_are_told(self):
        self.entry(self.b, "2026-01-05", ("bank", 100), ("sales", -100))
        run = self.run_export()
        told = {(rate.kind, str(rate.day)): rate for rate in run._rates()}
        closing = told["closing", "2026-01-01"]
        self.assertEqual((closing.currency, closing.to, closing.rate), ("EUR", "USD", 2))
        self.assertEqual(closing.source, "Odoo, currency rates of Group Inc")
        self.assertIn(("average", "2026-01-31"), told)
        self.assertFalse({rate.currency for rate in told.values()} - {"EUR"})

    def test_the_groups_own_company_is_as_booked(self):
        self.entry(self.a, "2026-01-05", ("bank", 0.10), ("capital", -0.10))
        run = self.run_export()
        self.assertFalse(run.finding_ids)
        run._group_rates()
        self.env.cr.execute(
            "SELECT closing::text FROM finance_group_balance WHERE company_id = %s"
            " ORDER BY account_id",
            [self.a.id],
        )
        closings = [Decimal(closing) for (closing,) in self.env.cr.fetchall()]
        self.assertEqual(sorted(closings), [Decimal("-0.1"), 0, Decimal("0.1")])

    def test_a_missing_rate_blocks_and_is_never_one(self):
        self.entry(self.b, "2025-12-31", ("bank", 100), ("sales", -100))
        run = self.run_export()
        self.assertEqual(run.state, "blocked")
        found = self.of(run.finding_ids, code="rates")
        self.assertEqual((found.entity_id, found.amount), (self.b, 100))
        self.assertIn("2025-12", found.title)
        missing = self.env[found.model].search(found.domain)
        self.assertEqual(set(missing.mapped("kind")), {"closing", "average"})
        self.assertFalse(any(missing.mapped("rate")))
        self.export.rates_policy = "mark"
        run = self.run_export()
        self.assertEqual(run.state, "delivered")
        self.assertEqual(set(self.table(run).values()), {None})

    def test_equity_without_what_was_paid_in(self):
        self.entry(self.b, "2026-01-05", ("bank", 100), ("capital", -100))
        draft = self.historical(approve=False)
        self.export.historical_policy = "block"
        run = self.run_export()
        found = self.of(run.finding_ids, code="historical")
        self.assertEqual((run.state, found.count, found.amount), ("blocked", 1, 100))
        draft.with_user(self.approver).action_approve()
        self.assertEqual(self.run_export().state, "delivered")

    def test_rates_of_another_company_do_not_count(self):
        self.rate("EUR", "2026-01-20", 1, company=self.b)
        self.entry(self.b, "2026-01-05", ("bank", 100), ("sales", -100))
        self.assertEqual(self.table(self.run_export())["bank", "2026-01"], 200)


class TestHistoricalAmount(GroupCase):
    def test_another_person_approves_on_the_server(self):
        row = self.historical(approve=False)
        with self.assertRaises(UserError):
            row.with_user(self.writer).action_approve()
        with self.assertRaises(AccessError):
            row.with_user(self.writer).write({"state": "approved"})
        with self.assertRaises(AccessError):
            row.with_user(self.writer).create({"state": "approved"})
        alone = new_test_user(self.env, "controller_alone", "finance_connector_base.group_controller",
                              company_id=self.b.id)  # fmt: skip
        with self.assertRaises(AccessError):
            row.with_user(alone).action_approve()
        row.with_user(self.approver).action_approve()
        self.assertEqual((row.state, row.approved_by_id), ("approved", self.approver))
        event = self.env["finance.audit.event"].search(
            [("kind", "=", "historical.approved"), ("res_id", "=", row.id)]
        )
        self.assertEqual(event.user_id, self.approver)

    def test_who_has_changed_it_does_not_approve_it(self):
        row = self.historical(approve=False)
        row.with_user(self.approver).group_amount = -1
        with self.assertRaises(UserError):
            row.with_user(self.approver).action_approve()

    def test_what_is_approved_stays(self):
        row = self.historical()
        for attempt in ({"amount": -1}, {"note": "else"}):
            with self.assertRaises(UserError):
                row.with_user(self.writer).write(attempt)
        with self.assertRaises(UserError):
            row.with_user(self.writer).unlink()
        row.with_user(self.approver).action_withdraw()
        self.assertEqual(row.state, "withdrawn")
        self.entry(self.b, "2026-01-05", ("bank", 100), ("capital", -100))
        self.assertTrue(self.of(self.run_export().finding_ids, code="historical"))

    def test_equity_alone_and_one_side(self):
        with self.assertRaises(ValidationError):
            self.historical(group=180)
        with self.assertRaises(ValidationError):
            self.historical(approve=False).account_id = self.accounts[self.b, "bank"]
