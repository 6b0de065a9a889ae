"""A payment term that reduces the tax in advance (*Always (upon invoice)*), read from the journal."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import GROUPS
from .hard import HardCommon

# What the engine says of 58.77, 58.79 and 7.61: two percent less, line by line.
REDUCED = {"state": 7.81, "county": 1.24, "city": 1.38}


@tagged("post_install", "-at_install")
class TestHardEarlyPayment(HardCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.term = cls.discount_term("mixed")

    def reduced(self, **values):
        """Return the fixture, posted with the payment term."""
        move = self.create_houston_invoice(invoice_payment_term_id=self.term.id, **values)
        move.action_post()
        return move

    def journal(self, move):
        """Return the items but those of products: (kind, amount, company amount, base of the tax).

        The kind of a discount item says how many taxes it has.
        """
        self.env.flush_all()
        self.env.invalidate_all()
        rows = []
        for item in move.line_ids.filtered(lambda item: item.display_type != "product"):
            kind = item.display_type
            if kind == "tax":
                kind = GROUPS.get(item.tax_line_id.tax_group_id.name, item.tax_line_id.name)
            if kind == "epd":
                kind = f"discount of {len(item.tax_ids)} taxes"
            amounts = item.amount_currency, item.balance, item.tax_base_amount
            rows.append((kind, *(round(amount, 2) for amount in amounts)))
        return sorted(rows)

    def paid(self, move, date):
        """Pay by the wizard; returns the entry's items by account."""
        payment = self._register_payment(move, payment_date=date)
        self.assertEqual(move.payment_state, move._get_invoice_in_payment_state())
        self.assertEqual(move.amount_residual, 0)
        items = payment.move_id.line_ids
        self.assertFalse(items.filtered("tax_line_id") | items.filtered("tax_ids"))
        return {item.account_id: round(item.amount_currency, 2) for item in items}

    # === INVOICES === #

    def each_rounding(self):
        """Yield once for each way to round that a company may have."""
        for method in ("round_per_line", "round_globally"):
            with self.subTest(method):
                self.company.tax_calculation_rounding_method = method
                yield

    def test_the_engine_taxes_what_is_left_of_the_price(self):
        for _ in self.each_rounding():
            move = self.reduced()
            self.assert_exact(move, REDUCED)
            self.assert_hard(move, untaxed=127.73, tax=10.43)
            self.assertEqual(
                self.journal(move),
                [
                    ("city", -1.38, -1.38, -125.17),
                    ("county", -1.24, -1.24, -125.17),
                    ("discount of 0 taxes", -2.56, -2.56, 0),
                    ("discount of 3 taxes", 2.56, 2.56, 0),
                    ("payment_term", 138.16, 138.16, 0),
                    ("state", -7.81, -7.81, -125.17),
                ],
            )
        self.drain()
        kept = self.recorded()[move.finance_tax_code]
        amounts = [float(line["amount"]) for line in kept["request"]["lines"]]
        self.assertEqual(amounts, [58.77, 58.79, 7.61])
        self.assertAlmostEqual(float(kept["totalTax"]), 10.43, 2)
        self.assertEqual(self.calls, 3, "one question, two recorded")

    def test_in_foreign_currency(self):
        euro = self.other_currency("EUR", 0.8731)
        for _ in self.each_rounding():
            move = self.reduced(currency_id=euro.id)
            self.assert_hard(move, untaxed=127.73, tax=10.43)
            self.assertEqual(
                self.journal(move),
                [
                    ("city", -1.38, -1.58, -143.36),
                    ("county", -1.24, -1.42, -143.36),
                    ("discount of 0 taxes", -2.56, -2.93, 0),
                    ("discount of 3 taxes", 2.56, 2.93, 0),
                    ("payment_term", 138.16, 158.25, 0),
                    ("state", -7.81, -8.95, -143.36),
                ],
            )
        self.paid(move, "2026-03-03")

    def test_tax_inside_the_price(self):
        inside = {"price_unit": 115, "quantity": 1, "tax_ids": [Command.set(self.inside.ids)]}
        for _ in self.each_rounding():
            move = self.invoice(inside, (7.77, 3), invoice_payment_term_id=self.term.id)
            move.action_post()
            # of 115.00 the engine gets 112.70, takes out 8.68, and 104.02 are 98 % of 106.14
            self.assert_hard(move, untaxed=129.45, tax=10.60)
            self.assertEqual(move.invoice_line_ids.mapped("price_subtotal"), [106.14, 23.31])
            self.assertEqual(
                [row for row in self.journal(move) if row[0] in ("state", "discount of 3 taxes")],
                [
                    ("discount of 3 taxes", 0.47, 0.47, 0),
                    ("discount of 3 taxes", 2.12, 2.12, 0),
                    ("state", -6.51, -6.51, -104.02),
                    ("state", -1.42, -1.42, -22.84),
                ],
            )

    def test_an_edited_draft_goes_by_percentages_until_it_is_asked(self):
        move = self.create_houston_invoice(invoice_payment_term_id=self.term.id)
        move.action_finance_compute_tax()
        self.assert_exact(move, REDUCED)
        line = move.invoice_line_ids[0]
        line.quantity = 4
        self.assertTrue(move.finance_tax_stale)
        # of the other two 3.66 + 0.49 and of this one 98 % of 79.96, in percent
        state = dict(row[:2] for row in self.journal(move))["state"]
        self.assertAlmostEqual(state, -3.67 - 0.47 - 78.36 * 0.0625, delta=0.02)
        line.quantity = 3
        self.assertFalse(move.finance_tax_stale)
        self.assert_exact(move, REDUCED)
        move.invoice_payment_term_id = False
        self.assertTrue(move.finance_tax_stale, "the engine was asked about less")
        move.action_post()
        self.assert_exact(move)
        self.assertEqual(self.calls, 2)

    def test_a_tax_by_hand_is_reduced_by_its_percentage(self):
        move = self.create_houston_invoice(invoice_payment_term_id=self.term.id)
        move.action_finance_compute_tax()
        by_hand = self.company.account_sale_tax_id.copy({"name": "By hand 10%", "amount": 10})
        move.invoice_line_ids[0].tax_ids |= by_hand
        move.action_post()
        self.env.invalidate_all()
        engine, others = self.in_journal(move)
        self.assertEqual(engine, self.said(move))
        self.assertEqual({tax: float(amount) for tax, amount in others.items()}, {by_hand: 5.88})
        self.assertAlmostEqual(move.amount_total, 138.16 + 5.88, 2)
        self.assertFalse(self.exceptions(move))

    def test_a_discount_of_everything_is_refused(self):
        term = self.discount_term("mixed", 100)
        move = self.create_houston_invoice(invoice_payment_term_id=term.id)
        with self.assertRaisesRegex(UserError, "nothing is left to be taxed"):
            move.action_post()
        self.assertEqual(self.calls, 0)

    def test_percentages_while_the_engine_is_silent(self):
        self.workflow.tax_outage = "fallback"
        self.reduced()
        self.break_engine()
        move = self.reduced(invoice_date="2026-03-09")
        self.assertEqual(move.finance_tax_state, "fallback")
        # 6.25 %, 0.975 % and 1.1185 % of 125.17
        self.assertAlmostEqual(move.amount_tax, 7.82 + 1.22 + 1.40, delta=0.02)
        self.mend_engine()
        move.finance_tax_document_id.action_verify()
        [true_up] = self.env["finance.tax.true.up"].search([("move_id", "=", move.id)])
        self.assertAlmostEqual(true_up.engine_tax, 10.43, 2)

    # === PAYMENT === #

    def test_paid_within_the_discount_days(self):
        move = self.reduced()
        items = self.paid(move, "2026-03-03")
        loss = self.company.account_journal_early_pay_discount_loss_account_id
        self.assertEqual(items[loss], 2.55, "2 % of 127.73, and nothing of the tax")
        self.assertEqual(sorted(items.values()), [-138.16, 2.55, 135.61])
        self.assert_exact(move, REDUCED)
        self.assertEqual(self.calls, 1)

    def test_paid_later(self):
        move = self.reduced()
        items = self.paid(move, "2026-03-20")
        self.assertEqual(sorted(items.values()), [-138.16, 138.16])
        self.assert_exact(move, REDUCED)

    # === CREDIT NOTES === #

    def reversal(self, move):
        """Take a move back by the wizard, which keeps such a term; returns the draft."""
        context = {"active_model": "account.move", "active_ids": move.ids}
        wizard = self.env["account.move.reversal"].with_context(**context)
        action = wizard.create({"date": "2026-03-12", "journal_id": move.journal_id.id})
        return move.browse(action.reverse_moves()["res_id"])

    def test_a_whole_credit_note_needs_no_question(self):
        move = self.reduced()
        refund = self.reversal(move)
        self.assertEqual(refund.invoice_payment_term_id, self.term)
        refund.action_post()
        self.assert_exact(refund, REDUCED)
        turned = sorted((kind, *(-x for x in amounts)) for kind, *amounts in self.journal(move))
        self.assertEqual(self.journal(refund), turned)
        self.drain()
        kept = self.recorded()[refund.finance_tax_code]
        self.assertAlmostEqual(float(kept["totalTax"]), -10.43, 2)
        self.assertEqual(self.calls, 3, "one question, two recorded")

    def test_a_credit_note_without_the_term_mirrors_too(self):
        refund = self.reversal(self.reduced())
        refund.invoice_payment_term_id = False
        refund.action_post()
        self.assert_exact(refund, REDUCED)
        self.assertFalse([row for row in self.journal(refund) if row[0].startswith("discount")])
        self.assertEqual(self.calls, 1)

    def test_a_credit_note_of_a_part(self):
        move = self.reduced()
        for term in (self.term, self.term.browse()):
            refund = self.reversal(move)
            refund.invoice_payment_term_id = term
            refund.invoice_line_ids = [
                Command.update(refund.invoice_line_ids[0].id, {"quantity": 2}),
                *(Command.delete(line.id) for line in refund.invoice_line_ids[1:]),
            ]
            refund.action_post()
            self.assert_hard(refund, untaxed=39.98)
            [asked] = refund.finance_tax_document_id._request().lines
            self.assertEqual(float(asked.amount), 39.18)
