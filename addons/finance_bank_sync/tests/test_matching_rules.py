"""Reconciliation models carried out; currencies, discounts, transfers; what others got wrong."""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from .matching import IBAN, MatchingCase


@tagged("post_install", "-at_install")
class TestReconcileModels(MatchingCase):
    def rule(self, *lines, approved=True, **values):
        rule = self.env["account.reconcile.model"].create(
            {
                "name": "Rule",
                "trigger": "auto_reconcile",
                "company_id": self.company.id,
                "line_ids": [Command.create({"account_id": self.expense.id} | row) for row in lines or ({},)],
                **values,
            }
        )  # fmt: skip
        if approved:
            rule.with_user(self.approver).action_finance_approve()
        return rule

    def booked(self, line):
        """{account: balance} of what stands instead of suspense."""
        balances = {}
        for item in line.move_id.line_ids - line._seek_for_lines()[0]:
            account = item.account_id
            balances[account] = round(balances.get(account, 0) + item.balance, 2)
        return balances

    def test_label(self):
        self.rule(match_label="contains", match_label_param="account FEE")
        line = self.line(-8.0, "Monthly account fee 03")
        match = self.matched(line)
        self.assertEqual((match.kind, match.automatic), ("rule", True))
        self.assertEqual(self.booked(line), {self.expense: 8.0})
        self.assertFalse(self.matched(self.line(-8.0, "Monthly rent")))

    def test_label_regex_and_not_contains(self):
        self.rule(match_label="match_regex", match_label_param=r"^CARD \d{4}")
        self.assertTrue(self.matched(self.line(-8.0, "card 1234 fuel")))
        self.assertFalse(self.matched(self.line(-8.0, "my card 1234")))
        self.env["account.reconcile.model"].search([]).unlink()
        self.rule(match_label="not_contains", match_label_param="salary")
        self.assertFalse(self.matched(self.line(-8.0, "SALARY March")))
        self.assertTrue(self.matched(self.line(-8.0, "other")))

    def test_amount_between_whichever_way_round(self):
        rule = self.rule(match_amount="between", match_amount_min=20, match_amount_max=10)
        self.assertTrue(self.matched(self.line(-15.0, "x")))
        for amount in (-9.99, -20.01):
            self.assertFalse(self.matched(self.line(amount, "x")))
        for amount in (-10.0, -20.0, 20.0):
            self.assertTrue(self.matched(self.line(amount, "x")))
        self.assertTrue(rule)

    def test_partner_and_journal(self):
        self.rule(match_partner_ids=[Command.set(self.other.ids)])
        self.assertTrue(self.matched(self.line(-5.0, "x", partner_name="Birch Supplies SA")))
        self.assertFalse(self.matched(self.line(-5.0, "x", partner_name="Birch")))
        elsewhere = self.journal.copy()
        self.rule(match_label="contains", match_label_param="fee",
                  match_journal_ids=[Command.set(elsewhere.ids)])  # fmt: skip
        self.assertFalse(self.matched(self.line(-5.0, "fee")))

    def test_rows_fixed_percentage_and_from_the_label(self):
        revenue = {"account_id": self.revenue.id}
        self.rule(
            {"amount_type": "regex", "amount_string": r"fee ([\d.,]+)"} | revenue,
            {"amount_type": "fixed", "amount_string": "-10"},
            {"amount_type": "percentage", "amount_string": "100"},
            match_label="contains",
            match_label_param="payout",
        )
        line = self.line(1000.0, "payout fee 12,50")
        self.assertTrue(self.matched(line))
        self.assertEqual(self.booked(line), {self.revenue: -12.5, self.expense: -987.5})

    def test_percentage_of_the_line(self):
        revenue = {"account_id": self.revenue.id}
        self.rule(
            {"amount_type": "percentage_st_line", "amount_string": "30"} | revenue,
            {"amount_type": "percentage", "amount_string": "100"},
            match_label="contains",
            match_label_param="split",
        )
        line = self.line(-200.0, "split")
        self.matched(line)
        self.assertEqual(self.booked(line), {self.revenue: 60.0, self.expense: 140.0})

    def test_taxes_are_in_the_amount(self):
        tax = self.company_data["default_tax_purchase"]
        self.rule(
            {"tax_ids": [Command.set(tax.ids)]}, match_label="contains", match_label_param="fuel"
        )
        line = self.line(-115.0, "fuel")
        before = self.items(line)
        self.assertTrue(self.matched(line))
        made = line.move_id.line_ids
        base = made.filtered(lambda item: item.tax_ids)
        taxed = made.filtered("tax_line_id")
        self.assertEqual(
            (base.balance, taxed.balance, base.account_id), (100.0, 15.0, self.expense)
        )
        line._finance_undo()
        self.assertEqual(_without_ids(self.items(line)), _without_ids(before))
        self.assertTrue(self.matched(line))

    def test_analytic(self):
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        account = self.env["account.analytic.account"].create({"name": "A", "plan_id": plan.id})
        self.rule(
            {"analytic_distribution": {str(account.id): 100}},
            match_label="contains",
            match_label_param="fee",
        )
        line = self.line(-9.0, "fee")
        self.matched(line)
        made = line.move_id.line_ids.filtered(lambda item: item.account_id == self.expense)
        self.assertEqual(made.analytic_distribution, {str(account.id): 100})

    def test_unapproved_rule_is_only_proposed(self):
        rule = self.rule(match_label="contains", match_label_param="fee", approved=False)
        line = self.line(-8.0, "fee")
        self.assertFalse(self.matched(line))
        self.assertIn("doubt.rule_unapproved", self.codes(line.finance_proposal_ids[0]))
        with self.assertRaises(AccessError):
            rule.action_finance_approve()
        with self.assertRaises(AccessError):
            rule.with_user(self.accountant).action_finance_approve()
        with self.assertRaises(AccessError):
            rule.with_user(self.accountant).write({"finance_approved_digest": "x"})
        rule.with_user(self.approver).action_finance_approve()
        rule.line_ids[0].account_id = self.revenue
        self.assertTrue(rule.finance_needs_approval, "another content is not approved")

    def test_two_rules_of_one_sequence_are_a_doubt(self):
        self.rule(match_label="contains", match_label_param="fee")
        self.rule({"account_id": self.revenue.id}, match_label="contains", match_label_param="fee")
        line = self.line(-8.0, "fee")
        self.assertFalse(self.matched(line))

    def test_rule_that_asks_for_nothing_fits_nothing(self):
        self.rule()
        self.assertEqual(self.best(self.line(-8.0, "fee")).kind, "none")

    def test_rule_that_tells_a_partner(self):
        self.env["account.reconcile.model"].create(
            {
                "name": "Partner",
                "match_label": "contains",
                "match_label_param": "ALD-77",
                "line_ids": [Command.create({"partner_id": self.customer.id, "account_id": False})],
            }
        )
        self.invoice(100.0)
        proposal = self.best(self.line(100.0, "ald-77"))
        self.assertIn("partner.set", self.codes(proposal))
        self.assertEqual(proposal.partner_id, self.customer)

    # === CURRENCIES, DISCOUNTS, TRANSFERS === #

    def test_foreign_invoice_paid_in_the_company_currency(self):
        """EUR 100 was 50 in the books, and came as 45: the exchange difference is 5."""
        invoice = self.invoice(100.0, currency_id=self.dollar.id)
        self.assertEqual(self.receivable(invoice).balance, 50.0)
        line = self.line(
            45.0, invoice.name, foreign_currency_id=self.dollar.id, amount_currency=100.0,
            day="2026-02-20",
        )  # fmt: skip
        before = self.items(invoice, line)
        match = self.matched(line)
        self.assertTrue(match.automatic)
        self.assertEqual(
            (invoice.amount_residual, invoice.payment_state in ("paid", "in_payment")), (0, True)
        )
        self.assertEqual(self.receivable(invoice).amount_residual, 0)
        exchange = self.receivable(invoice).matched_credit_ids.exchange_move_id
        self.assertEqual(exchange.state, "posted")
        account = self.company.expense_currency_exchange_account_id
        self.assertEqual(exchange.line_ids.filtered(lambda i: i.account_id == account).balance, 5.0)
        line._finance_undo()
        self.assertEqual(self.items(invoice, line), before)

    def test_the_bank_tells_no_currency(self):
        invoice = self.invoice(100.0, currency_id=self.dollar.id)
        line = self.line(49.0, invoice.name, account_number=IBAN)
        self.assertFalse(self.matched(line))
        proposal = line.finance_proposal_ids[0]
        self.assertEqual(proposal.kind, "converted")
        line._finance_accept(proposal)
        self.assertEqual(self.receivable(invoice).amount_residual_currency, 0)

    def test_journal_in_another_currency(self):
        journal = self.env["account.journal"].create(
            {"name": "EUR bank", "type": "bank", "code": "EURB", "currency_id": self.dollar.id}
        )
        invoice = self.invoice(100.0, currency_id=self.dollar.id)
        line = self.line(100.0, invoice.name, journal=journal, day="2026-02-20")
        before = self.items(invoice, line)
        self.assertTrue(self.matched(line))
        self.assertEqual(self.receivable(invoice).amount_residual_currency, 0)
        line._finance_undo()
        self.assertEqual(self.items(invoice, line), before)

    def test_early_payment_discount_with_its_tax(self):
        tax = self.company_data["default_tax_sale"]
        term = self.env["account.payment.term"].create(
            {
                "name": "2/10",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "early_pay_discount_computation": "included",
                "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})],
            }
        )  # fmt: skip
        invoice = self.invoice(
            100.0, tax_ids=tax.ids, invoice_payment_term_id=term.id, day="2026-01-15"
        )
        self.assertEqual(invoice.amount_total, 115.0)
        line = self.line(112.7, invoice.name, account_number=IBAN, day="2026-01-20")
        before = self.items(invoice, line)
        match = self.matched(line)
        self.assertEqual(match.kind, "discount")
        self.assertEqual(invoice.amount_residual, 0)
        self.assertEqual(line.move_id.line_ids.filtered("tax_line_id").balance, 0.3)
        line._finance_undo()
        self.assertEqual(self.items(invoice, line), before)
        late = self.line(112.7, invoice.name, account_number=IBAN, day="2026-02-20")
        self.assertFalse(self.matched(late))

    def test_payment_on_its_way(self):
        invoice = self.invoice(100.0)
        method = self.journal.inbound_payment_method_line_ids[0]
        method.payment_account_id = self.inbound_payment_method_line.payment_account_id or (
            self.env["account.account"].create(
                {"name": "Outstanding", "code": "OUT1", "account_type": "asset_current",
                 "reconcile": True}
            )
        )  # fmt: skip
        payment = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"payment_method_line_id": method.id, "journal_id": self.journal.id})
            ._create_payments()
        )
        line = self.line(100.0, f"x {payment.memo}", account_number=IBAN)
        match = self.matched(line)
        self.assertEqual(match.kind, "payment")
        self.assertTrue(payment.is_matched)
        self.assertIn(payment.move_id.line_ids.filtered("payment_id")[0].move_id, payment.move_id)

    def test_transfer_between_own_accounts(self):
        bank = self.env["res.partner.bank"]
        second = self.env["account.journal"].create(
            {"name": "Second", "type": "bank", "code": "SEC"}
        )
        for journal, number in ((self.journal, "DE02120300000000202051"),
                                (second, "DE02500105170137075030")):  # fmt: skip
            journal.bank_account_id = bank.create(
                {"acc_number": number, "partner_id": self.company.partner_id.id}
            )
        out = self.line(-500.0, "to the other", account_number="DE02500105170137075030")
        waits = self.best(out)
        self.assertEqual((waits.kind, self.codes(waits)), ("none", ["why.transfer"]))
        into = self.line(500.0, "from the other", journal=second, day="2026-01-21",
                         account_number="DE02120300000000202051")  # fmt: skip
        before = self.items(out, into)
        matches = self.matched(into)
        self.assertEqual(matches.line_id, into | out)
        self.assertTrue(out.is_reconciled and into.is_reconciled)
        self.assertEqual(
            (out | into).move_id.line_ids.account_id & self.company.transfer_account_id,
            self.company.transfer_account_id,
        )
        out._finance_undo()
        self.assertEqual(self.items(out, into), before)
        self.assertFalse(into.is_reconciled)
        self.assertTrue(all(matches.mapped("undone_at")))

    def test_refund_paid_back(self):
        credit = self.invoice(30.0, kind="out_refund")
        self.assertTrue(self.matched(self.line(-30.0, credit.name)))
        self.assertEqual(credit.amount_residual, 0)

    def test_only_what_is_posted(self):
        draft = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "invoice_date": "2026-01-05",
                "invoice_line_ids": [
                    Command.create({"name": "x", "price_unit": 55.0, "tax_ids": False})
                ],
            }
        )
        self.assertEqual(self.best(self.line(55.0, draft.name or "x")).kind, "none")

    # === WHAT OTHERS GOT WRONG (facts/bank.md 3.2, 3.11 to 3.13) === #

    def test_creating_lines_matches_nothing(self):
        """3.2: import time must not depend on what is open."""
        invoice = self.invoice(100.0)
        line = self.line(100.0, invoice.name)
        self.assertFalse(line.is_reconciled)
        self.assertFalse(line.finance_proposal_ids)

    def test_reference_inside_a_label(self):
        """3.11: "Payment INV/…" is found; "/" and "1" are not everything."""
        invoice = self.invoice(100.0)
        for text in ("/", "1", "INV", invoice.name[:-1]):
            self.assertFalse(self.matched(self.line(100.0, text)), text)
        self.assertTrue(self.matched(self.line(100.0, f"Payment {invoice.name} thanks")))

    def test_partner_is_not_a_piece_of_a_name(self):
        """3.13: no substring, no first of several; the account number comes first."""
        self.env["res.partner"].create({"name": "Alder", "is_company": True})
        self.invoice(100.0)
        line = self.line(100.0, "x", partner_name="Alder Trading")
        self.assertFalse(self.matched(line))
        self.assertFalse(line.partner_id)
        both = self.env["res.partner"].create({"name": "Twin SA", "is_company": True})
        both |= self.env["res.partner"].create({"name": "Twin SA", "is_company": True})
        self.invoice(200.0, both[0])
        proposal = self.best(self.line(200.0, "x", partner_name="Twin SA"))
        self.assertIn("partner.candidate", self.codes(proposal))
        by_account = self.line(100.0, "x", partner_name="Birch Supplies SA", account_number=IBAN)
        self.assertEqual(self.best(by_account).partner_id, self.customer)

    def test_a_renamed_document_is_found_by_its_new_number(self):
        bill = self.invoice(80.0, self.other, kind="in_invoice", ref="OLD-4711-1")
        line = self.line(-80.0, "NEW-4712-9", partner_name="Birch Supplies SA")
        self.assertFalse(self.matched(line))
        bill.ref = "NEW-4712-9"
        self.assertTrue(self.matched(line))

    def test_run_in_words_and_counts(self):
        invoice = self.invoice(100.0)
        lines = self.line(100.0, invoice.name) | self.line(31.0, "unknown")
        run = self.env["finance.bank.run"]._start(self.journal)
        self.assertEqual(self.env["finance.bank.run"]._start(self.journal), run)
        drain_jobs(self.env)
        self.assertEqual(
            (run.state, run.automatic_count, run.proposed_count, run.unknown_count),
            ("done", 1, 0, 1),
        )
        words = lines[1].finance_proposal_ids.reason_words
        self.assertIn("No number of an open document", words)
        exception = self.env["finance.exception"].sudo().search([("code", "=", "bank.unmatched")])
        self.assertEqual(len(exception), 1)

    def test_button_and_jobs_in_chunks(self):
        invoices = [self.invoice(100.0 + number) for number in range(5)]
        lines = self.env["account.bank.statement.line"].union(
            *(self.line(invoice.amount_total, invoice.name) for invoice in invoices)
        )
        with patch("odoo.addons.finance_bank_sync.models.finance_bank_run.CHUNK", 2):
            self.journal.with_user(self.accountant).action_finance_match()
            drain_jobs(self.env)
        run = self.env["finance.bank.run"].search([("journal_id", "=", self.journal.id)])
        self.assertEqual((run.state, run.line_count, run.automatic_count, run.rounds),
                         ("done", 5, 5, 3))  # fmt: skip
        self.assertTrue(all(line.is_reconciled for line in lines))
        self.assertEqual(lines.finance_match_ids.user_id, self.accountant)
        with self.assertRaises(AccessError):
            self.journal.with_user(self._user("auditor")).action_finance_match()

    def test_search_for_a_choice_by_hand(self):
        invoice = self.invoice(123.45)
        line = self.line(1.0, "x")
        for text in (invoice.name, "alder", "123.45", "123,45"):
            self.assertIn(self.receivable(invoice), line._finance_search_items(text), text)
        self.assertFalse(line._finance_search_items("nothing like it"))


def _without_ids(items):
    """An item with taxes is a new one: what counts is what it says."""
    return [row[1:] for row in items.values()]
