"""Posted without the engine: what it says later, and how the difference is settled."""

from decimal import Decimal
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common import ENGINE, TaxEngineCommon

# What the percentages of the table make of the fixture, rounded half up on each line.
FIXED = {"state": 7.99, "county": 1.24, "city": 1.43}


class TrueUpCase(TaxEngineCommon):
    """Invoices that were posted while the engine was silent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.workflow.tax_outage = "fallback"
        cls.expense = cls.company_data["default_account_expense"]
        cls.low, cls.high = cls.env["account.tax"].create(
            [
                {
                    "name": f"Own {rate}",
                    "amount": rate,
                    "country_id": cls.env.ref("base.us").id,
                    "invoice_repartition_line_ids": cls.repartition(),
                    "refund_repartition_line_ids": cls.repartition(),
                }
                for rate in (5, 20)
            ]
        )

    @classmethod
    def repartition(cls):
        """The values of repartition lines with the account of sales tax."""
        return [
            Command.create({"repartition_type": "base"}),
            Command.create(
                {
                    "repartition_type": "tax",
                    "account_id": cls.company_data["default_account_tax_sale"].id,
                }
            ),
        ]

    def policy(self, way, **values):
        """A policy of the company for all countries."""
        return self.env["finance.tax.true.up.policy"].create({"way": way, **values})

    def posted_in_outage(self, tax=None, **values):
        """A document posted while the engine was silent, with a tax of its own or the last rates."""
        move = self.create_houston_invoice(**values)
        if tax is not None:
            move.invoice_line_ids.tax_ids = tax
        self.break_engine()
        move.action_post()
        self.mend_engine()
        self.assertEqual(move.finance_tax_state, "fallback")
        return move

    def asked(self, move):
        """The true-up of a document, after the engine was asked again."""
        move.finance_tax_document_id.action_verify()
        return move.finance_tax_document_id.true_up_ids[:1]

    def settle(self, true_up, way=None, **values):
        """The drafts of a way of settling, by default the proposed one."""
        action = true_up.action_settle()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        wizard.write(({"way": way} if way else {}) | values)
        wizard.action_draft()
        self.assertEqual(set(true_up.correction_ids.mapped("state")), {"draft"})
        return true_up.correction_ids

    def owed(self, moves):
        """What moves owe together, {kind of authority or name of tax: amount}."""
        totals = {}
        for move in moves:
            # `by_kind` is positive on invoices and on credit notes, and on what an entry debits
            sign = 1 if move.move_type == "out_invoice" else -1
            for kind, amount in self.by_kind(move).items():
                totals[kind] = round(totals.get(kind, 0.0) + sign * amount, 2)
        return {kind: amount for kind, amount in totals.items() if amount}

    def engine_tax(self):
        """The tax that the engine has recorded in all."""
        return round(sum(float(row["totalTax"]) for row in self.recorded().values()), 2)

    def compared(self, month):
        """The reconciliation of a month."""
        others = self.env["finance.connector"].sudo().search([("id", "!=", self.connector.id)])
        others.active = False
        self.drain()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE finance_tax_document SET committed_at = committed_at - interval '1 minute'"
        )
        self.env.invalidate_all()
        period = self.env["finance.tax.reconciliation"]._ensure(self.workflow, [month])
        period._start()
        self.drain()
        return period

    def assert_settled(self, true_up, moves, expected=ENGINE):
        """Ledger and engine say the same, and nothing is left to decide."""
        self.drain()
        self.assertEqual(self.owed(moves), expected)
        self.assertEqual(self.engine_tax(), round(sum(expected.values()), 2))
        self.assertEqual(true_up.state, "settled")
        self.assertFalse(self.exceptions(true_up.move_id))
        self.assertFalse(
            self.env["finance.exception"]
            .search([("code", "=", "tax.mismatch")])
            .filtered(lambda row: row.state == "open")
        )


@tagged("post_install", "-at_install")
class TestFallbackEngine(TrueUpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        texas = {"country_id": cls.env.ref("base.us").id, "state_id": cls.texas.id}
        cls.rates = cls.env["finance.tax.rate"].create(
            [
                {**texas, "company_id": cls.company.id, "kind": kind, "name": name, "rate": rate}
                for kind, name, rate in (
                    ("state", "Texas", 6.25),
                    ("county", "Harris", 0.975),
                    ("city", "Houston", 1.1185),
                )
            ]
        )
        cls.fixed = cls.env["finance.connector"].create(
            {
                "name": "Table",
                "provider": "fixed_rates",
                "company_ids": [Command.set(cls.company.ids)],
            }
        )
        cls.fixed.action_test()
        cls.workflow.write({"tax_outage": "engine", "tax_fallback_connector_id": cls.fixed.id})

    def test_posted_with_the_tax_of_another_engine(self):
        move = self.posted_in_outage()
        self.assert_exact(move, FIXED)
        document = move.finance_tax_document_id
        self.assertEqual(
            (document.source, document.fallback_connector_id), ("fallback_engine", self.fixed)
        )
        self.assertEqual(move.finance_tax_source, "Calculated by the fallback engine: Table")
        self.assertEqual(len(move.finance_tax_line_ids), 3)
        self.assertTrue(self.exceptions(move, "tax.fallback"))
        self.drain()
        self.assertFalse(self.recorded())

    def test_a_fallback_engine_without_an_answer_refuses(self):
        self.rates.unlink()
        self.break_engine()
        with self.assertRaises(UserError) as refused:
            self.create_houston_invoice().action_post()
        for part in (self.connector.name, "Table", "no row", "Nothing was changed"):
            self.assertIn(part, str(refused.exception))

    def test_the_limit_is_before_tax_and_always_refuses(self):
        self.workflow.tax_outage_limit = 127.72
        self.break_engine()
        move = self.create_houston_invoice()
        with self.assertRaisesRegex(UserError, "too large"):
            move.action_post()
        self.workflow.tax_outage_limit = 127.73
        move.action_post()
        self.assertEqual(move.finance_tax_state, "fallback")

    def test_the_fallback_engine_is_another_one_of_the_company(self):
        for engine in (self.connector, self.env["finance.connector"]):
            with self.assertRaises(ValidationError):
                self.workflow.tax_fallback_connector_id = engine


@tagged("post_install", "-at_install")
class TestTrueUp(TrueUpCase):
    # === ASKED === #

    def test_the_difference_is_said_by_authority_with_a_proposal(self):
        self.policy("tax_only")
        self.create_houston_invoice().action_post()
        move = self.posted_in_outage(invoice_date="2026-03-05")
        self.assertEqual(move.finance_tax_source, "Last known rates")
        true_up = self.asked(move)
        self.assertFalse(self.exceptions(move, "tax.fallback"))
        exception = self.exceptions(move, "tax.true_up")
        for words in ("138.39", "10.66", "10.64", "7.99 → 7.96 (-0.03)", "for the tax alone"):
            self.assertIn(words, exception.text)
        self.assertEqual((true_up.proposal, true_up.difference), ("tax_only", -0.02))
        self.assertEqual(exception.amount, 0.02)
        self.drain()
        self.assertEqual(len(self.recorded()), 1, "only what was posted before the outage")

    def test_the_scheduled_action_asks_once_and_in_order(self):
        same = self.posted_in_outage(
            self.low,
            invoice_line_ids=[Command.clear()]
            + [Command.create({"product_id": self.products[0].id, "price_unit": 0.0})],
        )
        other = self.posted_in_outage(self.low)
        calls = self.calls
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_: 99):
            self.env["finance.tax.document"]._cron_true_up()
            self.assertEqual(self.calls, calls + 2)
            self.env["finance.tax.document"]._cron_true_up()
        self.assertEqual(self.calls, calls + 2, "what is to be decided is not asked again")
        self.assertEqual((same.finance_tax_state, other.finance_tax_state), ("posted", "fallback"))
        self.assertTrue(self.exceptions(other, "tax.true_up"))

    def test_a_silent_engine_is_left_alone(self):
        for _number in range(3):
            self.posted_in_outage(self.low)
        self.break_engine()
        with (
            patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_: 99),
            patch("odoo.addons.finance_tax_engine.models.finance_tax_document_true_up.BATCH", 1),
        ):
            calls = self.calls
            self.env["finance.tax.document"]._cron_true_up()
        self.assertLessEqual(self.calls, calls + 1)

    def test_an_invoice_credited_whole_is_never_recorded(self):
        move = self.posted_in_outage(self.low)
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}], cancel=True)
        calls = self.calls
        move.finance_tax_document_id.action_verify()
        self.assertEqual(self.calls, calls)
        self.assertEqual((move.finance_tax_state, refund.finance_tax_state), ("settled", "settled"))
        self.assertFalse(self.exceptions(move) | self.exceptions(refund))
        self.drain()
        self.assertFalse(self.recorded())

    def test_a_credit_note_waits_for_its_invoice(self):
        move = self.posted_in_outage(self.low)
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        refund.invoice_line_ids[0].unlink()
        refund.action_post()
        with self.assertRaisesRegex(UserError, "Settle that one first"):
            refund.finance_tax_document_id.action_verify()
        self.settle(self.asked(move), "tax_only").action_post()
        true_up = self.asked(refund)
        # the lamps and the cable: state 3.74 + 0.48, county 0.58 + 0.10, city 0.67 + 0.08
        self.assertEqual((true_up.engine_tax, true_up.booked_tax), (5.65, 3.39))
        correction = self.settle(true_up, "tax_only")
        self.assertEqual(correction.move_type, "out_refund")
        correction.action_post()
        self.assert_settled(
            true_up,
            move + refund + move.finance_tax_document_id.true_up_ids.correction_ids + correction,
            {"state": 3.74, "county": 0.58, "city": 0.67},
        )

    # === (a) CREDIT NOTE AND NEW INVOICE === #

    def test_credit_note_and_new_invoice(self):
        move = self.posted_in_outage(self.high)
        true_up = self.asked(move)
        drafts = self.settle(true_up)
        credit, invoice = drafts.sorted(lambda row: row.move_type == "out_invoice")
        self.assertEqual((true_up.way, credit.reversed_entry_id), ("reissue", move))
        self.assertAlmostEqual(credit.amount_total, move.amount_total)
        self.assertIn(move.name, invoice.ref)
        self.assertTrue(self.exceptions(move, "tax.true_up"), "drafts settle nothing")
        drafts.action_post()
        self.assertEqual(move.finance_tax_state, "settled")
        self.assertFalse(credit.finance_tax_document_id)
        self.assert_exact(invoice)
        self.assertEqual((move.amount_residual, credit.amount_residual), (0.0, 0.0))
        self.assert_settled(true_up, move + drafts)
        [kept] = self.recorded().values()
        self.assertEqual(kept["code"], invoice.finance_tax_code)
        self.assertEqual(kept["request"]["taxOverride"]["taxDate"], "2026-03-02")

    def test_credit_note_of_a_paid_invoice_stays_open(self):
        move = self.posted_in_outage(self.high)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({"payment_date": "2026-03-10"})._create_payments()
        self.assertEqual(move.amount_residual, 0.0)
        true_up = self.asked(move)
        drafts = self.settle(true_up, "reissue")
        drafts.action_post()
        credit, invoice = drafts.sorted(lambda row: row.move_type == "out_invoice")
        self.assertAlmostEqual(credit.amount_residual, move.amount_total)
        self.assertAlmostEqual(invoice.amount_residual, 138.37)
        self.assertIn(move.payment_state, ("paid", "in_payment"), "the payment stays")
        self.assert_settled(true_up, move + drafts)

    # === (b) THE TAX ALONE === #

    def test_an_invoice_for_the_tax_alone(self):
        move = self.posted_in_outage(self.low)
        true_up = self.asked(move)
        self.assertEqual((true_up.booked_tax, true_up.difference), (6.39, 4.25))
        correction = self.settle(true_up, "tax_only")
        self.assertEqual((correction.move_type, correction.amount_untaxed), ("out_invoice", 0.0))
        self.assertAlmostEqual(correction.amount_total, 4.25)
        self.assertEqual(self.by_kind(correction), ENGINE | {"Own 5": -6.39})
        correction.action_post()
        self.assertAlmostEqual(correction.amount_residual, 4.25)
        self.assert_settled(true_up, move + correction)
        [kept] = self.recorded().values()
        self.assertEqual((kept["code"], kept["date"]), (move.finance_tax_code, "2026-03-02"))
        self.assertEqual(move.finance_tax_state, "committed")
        self.assertFalse(correction.finance_tax_document_id)

    def test_a_credit_note_for_the_tax_alone_of_an_invoice_paid_in_part(self):
        self.policy("bear", account_id=self.expense.id, threshold=100)
        move = self.posted_in_outage(self.high)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({"payment_date": "2026-03-10", "amount": 100})._create_payments()
        true_up = self.asked(move)
        self.assertEqual(true_up.proposal, "reissue", "what was charged too much is not kept")
        with self.assertRaisesRegex(UserError, "theirs"):
            self.settle(true_up, "bear")
        correction = self.settle(true_up, "tax_only")
        self.assertEqual(correction.move_type, "out_refund")
        self.assertAlmostEqual(correction.amount_total, 14.9)
        residual = move.amount_residual
        correction.action_post()
        self.assertAlmostEqual(move.amount_residual, residual - 14.9)
        self.assertEqual(correction.amount_residual, 0.0)
        self.assert_settled(true_up, move + correction)

    def test_a_refund_of_the_corrected_invoice_is_the_engines(self):
        move = self.posted_in_outage(self.low)
        true_up = self.asked(move)
        self.settle(true_up, "tax_only").action_post()
        self.drain()
        refund = move._reverse_moves([{"invoice_date": "2026-05-01"}], cancel=True)
        self.assert_exact(refund)
        self.drain()
        self.assertEqual((refund.finance_tax_state, self.engine_tax()), ("committed", 0.0))

    def test_a_changed_draft_is_refused(self):
        move = self.posted_in_outage(self.low)
        true_up = self.asked(move)
        correction = self.settle(true_up, "tax_only")
        with self.assertRaisesRegex(UserError, "nobody corrects"):
            self.asked(move)
        correction.invoice_line_ids.tax_ids = self.high
        with self.assertRaises(UserError) as refused:
            correction.action_post()
        self.assertIn("the draft was changed", str(refused.exception))
        correction.unlink()
        self.assertEqual(true_up.state, "open")
        self.settle(true_up, "tax_only").action_post()
        self.assertEqual(true_up.state, "settled")

    def test_foreign_currency(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        move = self.posted_in_outage(self.low, currency_id=euro.id, invoice_currency_rate=0.8731)
        true_up = self.asked(move)
        correction = self.settle(true_up, "tax_only")
        self.assertEqual(correction.currency_id, euro)
        correction.action_post()
        self.assert_settled(true_up, move + correction)
        company = {}
        for line in (move + correction).line_ids.filtered(lambda row: row.display_type == "tax"):
            name = line.tax_line_id.tax_group_id.name
            company[name] = round(company.get(name, 0.0) - line.balance, 2)
        expected = {"State Tax": 9.12, "County Tax": 1.44, "City Tax": 1.63}
        self.assertEqual({name: company[name] for name in expected}, expected)
        self.assertAlmostEqual(sum(company.values()), sum(expected.values()), 2)

    # === (c) BORNE BY THE COMPANY === #

    def test_the_company_bears_small_differences(self):
        self.policy("tax_only", account_id=self.expense.id, threshold=5)
        move = self.posted_in_outage(self.low)
        true_up = self.asked(move)
        self.assertEqual(true_up.proposal, "bear")
        entry = self.settle(true_up)
        self.assertEqual((entry.move_type, str(entry.date)), ("entry", "2026-03-02"))
        items = {
            (line.account_id, line.tax_line_id.tax_group_id.name or ""): line.balance
            for line in entry.line_ids
        }
        account = self.company_data["default_account_tax_sale"]
        groups = {"State Tax": -7.96, "County Tax": -1.26, "City Tax": -1.42}
        for group, balance in groups.items():
            self.assertAlmostEqual(items[account, group], balance)
        self.assertAlmostEqual(items[account, self.low.tax_group_id.name], 6.39)
        self.assertAlmostEqual(items[self.expense, ""], 4.25)
        entry.action_post()
        self.assert_settled(true_up, move + entry)
        self.assertAlmostEqual(move.amount_residual, 134.12, msg="the customer owes what was sent")

    def test_the_credit_note_of_what_was_borne(self):
        move = self.posted_in_outage(self.low)
        true_up = self.asked(move)
        entry = self.settle(true_up, "bear", account_id=self.expense.id)
        entry.action_post()
        self.drain()
        refund = move._reverse_moves([{"invoice_date": "2026-05-01"}], cancel=True)
        self.assertAlmostEqual(refund.amount_total, move.amount_total, msg="not more than was paid")
        self.assertEqual(refund.finance_tax_state, "fallback")
        again = self.asked(refund)
        back = self.settle(again, "bear", account_id=self.expense.id)
        back.action_post()
        self.assert_settled(again, move + entry + refund + back, {})
        cost = (entry + back).line_ids.filtered(lambda line: line.account_id == self.expense)
        self.assertAlmostEqual(sum(cost.mapped("balance")), 0.0)

    def test_the_reconciliation_counts_corrections_with_their_original(self):
        moves = self.posted_in_outage(self.low) + self.posted_in_outage(
            self.low, invoice_date="2026-03-03"
        )
        for move, way in zip(moves, ("tax_only", "bear"), strict=True):
            true_up = self.asked(move)
            true_up._draft(way, fields.Date.to_date("2026-03-31"), self.expense).action_post()
        march = self.compared("2026-03")
        self.assertEqual(
            {line.move_id: line.bucket for line in march.line_ids}, dict.fromkeys(moves, "matched")
        )
        overall = march.total_ids.filtered(lambda total: not total.key)
        self.assertAlmostEqual(overall.here, 21.28)
        self.assertEqual(overall.gap, 0)

    # === WHO, AND WHAT IS LEFT OF IT === #

    def new_user(self, login, groups):
        """A user of the company."""
        return new_test_user(
            self.env,
            login,
            groups=groups,
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_accountants_settle_and_nobody_writes_by_hand(self):
        clerk = self.new_user(
            "true_up_clerk", "account.group_account_invoice,finance_connector_base.group_user"
        )
        move = self.posted_in_outage(self.low).with_user(clerk).with_company(self.company)
        true_up = self.asked(move)
        action = self.exceptions(move, "tax.true_up").with_user(clerk).action_tax_settle()
        with Form(self.env[action["res_model"]].with_user(clerk).browse(action["res_id"])) as form:
            form.way = "bear"
            self.assertEqual(str(form.day), "2026-03-02")
            form.way = "tax_only"
        form.record.action_draft()
        true_up.correction_ids.with_user(clerk).action_post()
        self.assertEqual(true_up.state, "settled")
        policies = self.env["finance.tax.true.up.policy"].with_user(clerk)
        for attempt in (
            lambda: true_up.write({"state": "open"}),
            lambda: true_up.line_ids.write({"engine": 0}),
            lambda: true_up.read(["result"]),
            lambda: policies.create({"way": "bear"}),
        ):
            with self.assertRaises(AccessError):
                attempt()
        controller = self.new_user(
            "true_up_controller",
            "account.group_account_invoice,finance_connector_base.group_controller",
        )
        policies.with_user(controller).create({"way": "tax_only", "company_id": self.company.id})
        with self.assertRaisesRegex(ValidationError, "choose the account"):
            self.policy("bear", country_id=self.env.ref("base.us").id)

    def test_erased_customers_are_in_no_true_up(self):
        move = self.posted_in_outage(self.low)
        true_up = self.asked(move)
        self.assertIn("77002", true_up.sudo().request)
        self.settle(true_up, "tax_only").action_post()
        self.drain()
        true_up.document_id.sudo()._erase_personal("test")
        self.assertNotIn("77002", true_up.sudo().request)
        self.assertEqual(true_up._result().total_tax, Decimal("10.64"))

    # === DATES, AND TAKEN BACK === #

    def test_a_locked_period_is_left_alone(self):
        move = self.posted_in_outage(self.low)
        self.company.tax_lock_date = "2026-06-30"
        true_up = self.asked(move)
        with self.assertRaisesRegex(UserError, "locked period"):
            true_up._draft("bear", fields.Date.to_date("2026-06-30"), self.expense)
        entry = self.settle(true_up, "bear", account_id=self.expense.id)
        self.assertEqual(entry.date, fields.Date.context_today(entry))
        self.assertIn(move.name, entry.ref)
        entry.action_post()
        self.assert_settled(true_up, move + entry)
        [kept] = self.recorded().values()
        self.assertEqual(kept["date"], str(entry.date))
        self.assertEqual(kept["request"]["taxOverride"]["taxDate"], "2026-03-02")
        line = self.compared(f"{entry.date:%Y-%m}").line_ids
        self.assertEqual((line.move_id, line.bucket), (move, "matched"))

    def test_the_same_tax_for_a_locked_period_is_recorded_in_an_open_one(self):
        self.exempt(entity_use_code="N")
        move = self.posted_in_outage(self.env["account.tax"])
        self.company.tax_lock_date = "2026-06-30"
        self.assertFalse(self.asked(move))
        self.drain()
        [kept] = self.recorded().values()
        self.assertEqual(kept["date"], str(fields.Date.context_today(move)))
        self.assertEqual(kept["request"]["taxOverride"]["taxDate"], "2026-03-02")

    def test_a_correction_is_taken_back_before_its_original(self):
        move = self.posted_in_outage(self.low)
        true_up = self.asked(move)
        correction = self.settle(true_up, "tax_only")
        correction.action_post()
        self.drain()
        with self.assertRaisesRegex(UserError, "is corrected by"):
            move.button_draft()
        correction.button_draft()
        self.assertEqual((true_up.state, move.finance_tax_state), ("drafted", "fallback"))
        self.assertTrue(self.exceptions(move, "tax.true_up"))
        self.drain()
        self.assertFalse(self.recorded())
        correction.action_post()
        self.assert_settled(true_up, move + correction)
        correction.button_draft()
        correction.button_cancel()
        self.assertEqual(true_up.state, "open")
        move.button_draft()
        self.assertFalse(self.exceptions(move))
        move.action_post()
        self.drain()
        self.assert_exact(move)
        self.assertEqual(self.engine_tax(), 10.64)
        self.assertEqual(true_up.state, "withdrawn")

    def test_prices_with_tax_take_a_new_invoice(self):
        self.policy("tax_only")
        self.low.price_include_override = "tax_included"
        move = self.posted_in_outage(self.low)
        self.assertAlmostEqual(move.amount_total, 127.73)
        true_up = self.asked(move)
        self.assertEqual(true_up._possible_ways(), ["reissue"])
        drafts = self.settle(true_up)
        drafts.action_post()
        invoice = drafts.filtered(lambda row: row.move_type == "out_invoice")
        self.assertAlmostEqual(invoice.amount_total, 127.73, msg="the customer pays the same")
        self.drain()
        self.assertEqual(self.engine_tax(), invoice.amount_tax)
        self.assertEqual(true_up.state, "settled")
