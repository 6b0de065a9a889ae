"""Discounts and down payments of orders: booked, recorded, and found again at the engine."""

from odoo import Command, fields
from odoo.tests import tagged

from odoo.addons.finance_tax_engine.tests.hard import HardCommon
from odoo.addons.finance_tax_engine.tests.test_reconciliation import age

from .common import OrderCommon


@tagged("post_install", "-at_install")
class TestHardOrders(HardCommon, OrderCommon):
    rounding_method = "round_globally"

    def invoiced(self, order, **values):
        """Invoice an order by the wizard and post."""
        known = order.invoice_ids
        wizard = self.env["sale.advance.payment.inv"].create(
            {"sale_order_ids": [Command.set(order.ids)], **values}
        )
        wizard.create_invoices()
        move = order.invoice_ids - known
        move.action_post()
        return move

    def differences(self):
        """Compare this month with the engine; what does not agree."""
        others = self.env["finance.connector"].sudo().search([("id", "!=", self.connector.id)])
        others.active = False
        month = fields.Date.to_string(fields.Date.today())[:7]
        period = self.env["finance.tax.reconciliation"]._ensure(self.workflow, [month])
        age(self.env)
        period._start()
        self.drain()
        found = period.line_ids.filtered(lambda line: line.bucket != "matched")
        return [(line.move_id.name, line.bucket, line.reason) for line in found], period

    def discounted(self, order, **values):
        wizard = self.env["sale.order.discount"].create({"sale_order_id": order.id, **values})
        wizard.action_apply_discount()

    def test_a_discount_on_the_whole_order(self):
        order = self.create_houston_order()
        order.action_finance_compute_tax()
        self.discounted(order, discount_type="so_discount", discount_percentage=0.1)
        self.assertTrue(order.finance_tax_stale)
        order.action_confirm()
        self.assertEqual(self.calls, 2)
        self.assertAlmostEqual(order.amount_untaxed, 114.96, 2)
        discount = order.order_line[-1]
        self.assertTrue(discount._is_global_discount(), "Odoo still knows it as one")
        invoice = self.invoiced(order, advance_payment_method="delivered")
        self.assertEqual(self.calls, 2, "the order's answer")
        self.assert_hard(invoice, untaxed=114.96, tax=order.amount_tax)
        self.drain()
        lines = self.recorded()[invoice.finance_tax_code]["request"]["lines"]
        self.assertEqual([float(line["amount"]) for line in lines], [59.97, 59.99, 7.77, -12.77])

    def test_a_payment_term_that_reduces_the_tax_in_advance(self):
        term = self.discount_term("mixed")
        order = self.create_houston_order(payment_term_id=term.id)
        order.action_confirm()
        reduced = {"state": 7.81, "county": 1.24, "city": 1.38}
        self.assert_order_exact(order, reduced)
        invoice = self.invoiced(order, advance_payment_method="delivered")
        self.assert_hard(invoice, untaxed=127.73, tax=10.43)
        self.assertEqual(self.calls, 1, "the order's answer")
        other = self.create_houston_order(payment_term_id=term.id)
        other.order_line[0].tax_ids = self.inside
        other.action_confirm()
        self.assertAlmostEqual(other.amount_untaxed, sum(other.order_line.mapped("price_subtotal")))
        other.payment_term_id = False
        self.assertTrue(other.finance_tax_stale)
        self.invoiced(other, advance_payment_method="delivered")

    def test_down_payment_with_tax_reduced_in_advance(self):
        order = self.create_houston_order(payment_term_id=self.discount_term("mixed").id)
        order.action_confirm()
        down = self.invoiced(order, advance_payment_method="percentage", amount=40)
        final = self.invoiced(order, advance_payment_method="delivered")
        self.assertEqual(final.finance_tax_document_id.state, "posted")
        self.assertAlmostEqual(down.amount_tax + final.amount_tax, 10.43, 2)
        self.assertAlmostEqual(down.amount_total + final.amount_total, 138.16, 2)
        self.drain()
        self.assertEqual(self.differences()[0], [])

    def test_what_an_engine_does_not_see_is_no_difference(self):
        order = self.create_houston_order()
        order.action_confirm()
        down = self.invoiced(order, advance_payment_method="percentage", amount=40)
        final = self.invoiced(order, advance_payment_method="delivered")
        self.assertEqual(final.finance_tax_document_id.state, "posted")
        self.assertFalse(down.finance_tax_document_id)
        today = {"invoice_date": fields.Date.today()}
        inside = self.invoice(
            {"price_unit": 115, "quantity": 1, "tax_ids": [Command.set(self.inside.ids)]}, **today
        )
        by_hand = self.invoice((100, 1), **today)
        by_hand.action_finance_compute_tax()
        by_hand.invoice_line_ids.tax_ids |= self.fixed_tax(2.5)
        (inside | by_hand).action_post()
        self.drain()
        differences, period = self.differences()
        self.assertEqual(differences, [])
        self.assertEqual(period.matched_count, 3)
        kept = self.recorded()[final.finance_tax_code]
        self.assertAlmostEqual(float(kept["totalTax"]), order.amount_tax, 2)
