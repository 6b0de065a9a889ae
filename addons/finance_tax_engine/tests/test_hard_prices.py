"""Prices, quantities and taxes that are not plain; for both ways in which Odoo rounds taxes."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .hard import HardCommon


@tagged("post_install", "-at_install")
class TestPricesPerLine(HardCommon):
    # === THE TAX IS INSIDE THE PRICE === #

    def with_tax_inside(self, *lines, **values):
        rows = [
            {"price_unit": price, "quantity": quantity, "tax_ids": [Command.set(self.inside.ids)]}
            for price, quantity in lines
        ]
        return self.invoice(*rows, **values)

    def test_tax_inside_the_price_is_taken_out_to_the_cent(self):
        move = self.with_tax_inside((115.0, 1), (9.99, 7), (0.05, 1))
        move.action_post()
        self.assert_hard(move)
        self.assertAlmostEqual(move.amount_total, 184.98, 2, "the customer pays the prices")
        self.assertEqual(self.calls, 1)
        self.assertEqual([line.price_total for line in move.invoice_line_ids], [115, 69.93, 0.05])
        self.drain()
        kept = self.recorded()[move.finance_tax_code]
        self.assertTrue(all(line["taxIncluded"] for line in kept["request"]["lines"]))
        self.assertAlmostEqual(float(kept["totalTax"]), move.amount_tax, 2)
        self.assertAlmostEqual(float(kept["totalAmount"]), move.amount_untaxed, 2)

    def test_tax_inside_stays_inside_on_every_way(self):
        move = self.with_tax_inside((115.0, 1), (9.99, 7))
        move.action_finance_compute_tax()
        self.assertFalse(move.finance_tax_stale)
        move.invoice_line_ids[0].quantity = 2
        self.assertAlmostEqual(move.amount_total, 299.93, 2, "percentages, inside too")
        self.assertTrue(move.finance_tax_stale)
        move.invoice_line_ids[0].quantity = 1
        self.assertFalse(move.finance_tax_stale)
        move.action_post()
        self.assertEqual(self.calls, 1)
        self.assert_hard(move)
        move.button_draft()
        move.action_post()
        self.assert_hard(move)
        full = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        full.action_post()
        self.assertEqual(self.calls, 1)
        self.assert_hard(full, untaxed=move.amount_untaxed, tax=move.amount_tax)
        part = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        part.invoice_line_ids[1].quantity = 3
        part.action_post()
        self.assertEqual(self.calls, 2)
        self.assert_hard(part)
        self.assertAlmostEqual(part.amount_total, 115 + 29.97, 2)
        again = move.copy({"invoice_date": "2026-05-01"})
        again.action_post()
        self.assert_hard(again, untaxed=move.amount_untaxed, tax=move.amount_tax)

    def test_tax_inside_beside_tax_on_top_and_in_foreign_currency(self):
        euro = self.other_currency("EUR", 0.8731)
        plain = self.company.account_sale_tax_id
        move = self.invoice(
            {"price_unit": 115, "quantity": 1, "tax_ids": [Command.set(self.inside.ids)]},
            {"price_unit": 19.99, "quantity": 3, "tax_ids": [Command.set(plain.ids)]},
            {"price_unit": 33.33, "quantity": 1, "tax_ids": [Command.set(self.inside.ids)]},
            currency_id=euro.id,
        )
        move.action_post()
        self.assert_hard(move)
        totals = move.invoice_line_ids.mapped("price_total")
        self.assertEqual((totals[0], totals[2]), (115, 33.33))
        self.assertEqual(move.invoice_line_ids[1].price_subtotal, 59.97)

    def test_no_tax_inside_the_price(self):
        self.exempt(entity_use_code="N")
        move = self.with_tax_inside((115.0, 1))
        move.action_post()
        self.assert_hard(move, untaxed=115, tax=0)
        self.assertFalse(move.finance_tax_stale)
        move.button_draft()
        self.assertFalse(move.finance_tax_stale, "the price still includes what tax there may be")
        move.action_post()
        self.assertEqual(self.calls, 1)

    def test_tax_inside_and_another_on_top_of_one_line_are_refused(self):
        move = self.invoice(
            {
                "price_unit": 115,
                "quantity": 1,
                "tax_ids": [Command.set((self.inside | self.percent_tax(2)).ids)],
            }
        )
        with self.assertRaisesRegex(UserError, "what the price includes is not known"):
            move.action_post()
        self.assertEqual(self.calls, 0)

    def test_engine_down_leaves_the_tax_inside(self):
        self.with_tax_inside((115.0, 1)).action_post()
        self.workflow.tax_outage = "fallback"
        self.break_engine()
        move = self.with_tax_inside((230.0, 1))
        move.action_post()
        self.assertAlmostEqual(move.amount_total, 230, 2)
        self.assertAlmostEqual(move.amount_tax, 230 - 230 / 1.083435, delta=0.02)

    # === DISCOUNTS, NEGATIVE AND EMPTY LINES === #

    def test_discounts_negative_lines_and_nothing(self):
        move = self.posted(
            {"price_unit": 19.99, "quantity": 3, "discount": 12.5},
            {"price_unit": 50, "quantity": 2, "discount": 100},
            {"price_unit": -10, "quantity": 1, "name": "Voucher"},
            {"price_unit": 7.77, "quantity": -1, "name": "Returned"},
            {"price_unit": 0, "quantity": 5, "name": "Gift"},
        )
        self.assert_hard(move, untaxed=34.7)
        self.assertEqual(self.calls, 1)
        self.drain()
        lines = self.recorded()[move.finance_tax_code]["request"]["lines"]
        self.assertEqual(
            [float(line["amount"]) for line in lines], [52.47, 0, -10, -7.77, 0], "net amounts"
        )

    def test_everything_for_nothing(self):
        move = self.posted({"price_unit": 50, "quantity": 2, "discount": 100})
        self.assert_hard(move, untaxed=0, tax=0)
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed")

    def test_more_taken_off_than_sold(self):
        move = self.invoice((10, 1), (-25, 1))
        move.action_finance_compute_tax()
        move.action_switch_move_type()
        self.assertEqual(move.move_type, "out_refund")
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        self.assert_hard(move, untaxed=15)

    # === PRICES BELOW A CENT, LARGE NUMBERS, OTHER CURRENCIES === #

    def test_six_digits_of_price(self):
        self.set_digits(6)
        move = self.posted((0.001235, 100_000), (0.333333, 3), (1.005, 1))
        self.assert_hard(move, untaxed=125.51 if self.rounding_method == "round_per_line" else None)

    def test_very_large_quantities(self):
        move = self.posted((0.01, 1_000_000_000), (9_999_999.99, 1000), (0.07, 3))
        self.assert_hard(move, untaxed=10_009_999_990.21)

    def test_currency_without_decimals(self):
        move = self.invoice((1999, 3), (-333, 1), currency_id=self.other_currency("JPY", 151.37).id)
        move.action_post()
        self.assert_hard(move, untaxed=5664)
        self.assertEqual(move.amount_tax % 1, 0)

    def test_currency_with_three_decimals(self):
        move = self.invoice(
            (19.993, 3), (0.005, 1), currency_id=self.other_currency("KWD", 0.30871).id
        )
        move.action_post()
        self.assert_hard(move, untaxed=59.984)
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed")

    def test_rate_edited_then_posted_reset_and_posted_again(self):
        move = self.invoice(
            (19.99, 3), (33.33, 2), (7.77, 1), currency_id=self.other_currency("EUR", 0.8).id
        )
        move.action_finance_compute_tax()
        move.invoice_currency_rate = 0.8731
        move.action_post()
        self.assert_hard(move)
        move.button_draft()
        move.invoice_currency_rate = 1.1111
        move.action_post()
        self.assert_hard(move)
        self.assertEqual(self.calls, 1)
        refund = move._reverse_moves([{"invoice_date": move.invoice_date}])
        refund.action_post()
        self.assert_hard(refund, untaxed=move.amount_untaxed, tax=move.amount_tax)

    # === TAXES BY HAND === #

    def test_a_tax_by_hand_beside_the_engine_stays(self):
        fee = self.fixed_tax(2.5, include_base_amount=False)
        withheld = self.percent_tax(-2, price_include_override="tax_excluded")
        move = self.invoice((19.99, 3), (33.33, 2))
        move.action_finance_compute_tax()
        move.invoice_line_ids[0].tax_ids |= fee | withheld
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        others = {fee: 7.5, withheld: -1.2}
        self.assert_hard(move, untaxed=126.63, others=others)
        self.assertEqual(self.calls, 1, "the engine's answer is the same")
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed")
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        refund.action_post()
        self.assert_hard(refund, untaxed=126.63, others=others)
        self.assertEqual(self.calls, 2, "one question, one recording")

    def test_a_tax_by_hand_where_the_engine_charges_nothing_stays(self):
        self.exempt(entity_use_code="N")
        fee = self.fixed_tax(2.5, include_base_amount=False)
        for by_hand, others in ((fee, {fee: 7.5}), (self.products[0].taxes_id, {})):
            move = self.invoice((19.99, 3))
            move.action_finance_compute_tax()
            self.assertFalse(move.invoice_line_ids.tax_ids, "the product's tax is replaced")
            move.invoice_line_ids.tax_ids = by_hand
            move.action_post()
            self.assert_hard(move, untaxed=59.97, tax=sum(others.values()), others=others)

    def test_a_tax_by_hand_beside_percentages_is_no_difference(self):
        self.workflow.tax_outage = "fallback"
        fee = self.fixed_tax(2.5, include_base_amount=False)
        known, move = self.invoice((10, 1)), self.invoice((19.99, 3), (100, 1))
        (known | move).action_finance_compute_tax()
        (known.invoice_line_ids | move.invoice_line_ids[0]).tax_ids |= fee
        known.action_post()
        move.invoice_line_ids.quantity = 2
        self.break_engine()
        move.action_post()
        self.assertEqual(move.finance_tax_state, "fallback")
        self.assertEqual(self.in_journal(move)[1], {fee: 5})
        other = self.posted((10, 1))
        self.assertEqual(
            len(other.line_ids.tax_line_id), 3, "the authorities known by the last one"
        )
        self.mend_engine()
        move.finance_tax_document_id.action_verify()
        true_up = move.finance_tax_document_id.true_up_ids
        self.assertEqual(len(true_up.line_ids), 3, "the authorities")
        self.assertAlmostEqual(true_up.booked_tax, move.amount_tax - 5, 2)

    def test_a_tax_of_the_engine_removed_by_hand_comes_back(self):
        move = self.invoice((19.99, 3), (33.33, 2))
        move.action_finance_compute_tax()
        line = move.invoice_line_ids[0]
        line.tax_ids -= line.tax_ids[0]
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        self.assert_hard(move)
        self.assertEqual(self.calls, 1)

    def test_another_product_has_no_taxes_by_hand(self):
        move = self.invoice((19.99, 3))
        move.action_finance_compute_tax()
        with Form(move) as form, form.invoice_line_ids.edit(0) as line:
            line.product_id = self.products[1]
        move.action_post()
        self.assert_hard(move)
        self.assertEqual(self.calls, 2)


@tagged("post_install", "-at_install")
class TestPricesGlobally(TestPricesPerLine):
    allow_inherited_tests_method = True
    rounding_method = "round_globally"

    # rounding has no part in these
    test_tax_inside_and_another_on_top_of_one_line_are_refused = None
    test_engine_down_leaves_the_tax_inside = None
    test_everything_for_nothing = None
    test_more_taken_off_than_sold = None
    test_a_tax_of_the_engine_removed_by_hand_comes_back = None
    test_another_product_has_no_taxes_by_hand = None
