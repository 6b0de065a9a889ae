from datetime import timedelta

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.finance_tax_engine.tests.common import ENGINE

from .common import OrderCommon


@tagged("post_install", "-at_install")
class TestOrderPerLine(OrderCommon):
    """From the quotation to the recorded invoice, taxes rounded per line."""

    def confirmed(self, **values):
        order = self.create_houston_order(**values)
        order.action_confirm()
        return order

    def test_computed_by_button(self):
        order = self.create_houston_order()
        self.assertTrue(order.finance_tax_applies and order.finance_tax_stale)
        order.action_finance_compute_tax()
        self.assert_order_exact(order, ENGINE)
        self.assertFalse(order.finance_tax_stale)
        self.assertEqual((order.finance_tax_state, self.calls), ("estimated", 1))
        order.action_finance_compute_tax()
        self.assertEqual(self.calls, 1, "an unchanged order asks nothing")

    def test_computed_when_confirmed_and_sent(self):
        order = self.create_houston_order()
        order.action_quotation_send()
        order.action_confirm()
        self.assert_order_exact(order, ENGINE)
        self.assertEqual(self.calls, 1)

    def test_invoice_carries_the_order_without_a_question(self):
        order = self.confirmed()
        invoice = order._create_invoices()
        self.assertFalse(invoice.finance_tax_stale)
        self.assert_exact(invoice)
        invoice.action_post()
        self.assert_exact(invoice)
        self.assertEqual(self.calls, 1, "only the order was asked about")
        self.assertEqual(invoice.finance_tax_document_id.source, "order")
        self.assertAlmostEqual(invoice.amount_total, order.amount_total, 2)
        self.drain()
        self.assertEqual((invoice.finance_tax_state, self.calls), ("committed", 2))

    def test_lines_in_another_order_than_made(self):
        order = self.create_houston_order()
        for sequence, line in zip((30, 20, 10), order.order_line, strict=True):
            line.sequence = sequence
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        self.assert_exact(invoice)
        self.assertEqual(self.calls, 1)
        self.drain()
        self.assertEqual(invoice.finance_tax_state, "committed")

    def test_full_refund_of_an_order(self):
        invoice = self.confirmed()._create_invoices()
        invoice.action_post()
        refund = invoice._reverse_moves()
        refund.action_post()
        self.assert_exact(refund)
        self.assertEqual(self.calls, 1)

    def test_other_address_or_later_date_is_asked_about(self):
        order = self.confirmed()
        moved = order._create_invoices()
        moved.invoice_date = order.date_order.date() + timedelta(days=31)
        self.assertTrue(moved.finance_tax_stale)
        moved.invoice_date = order.date_order.date()
        self.assertFalse(moved.finance_tax_stale)
        austin = self.customer.copy({"name": "Bayou, Austin"})
        self.set_address(austin, "Austin", self.texas, "78701")
        moved.partner_shipping_id = austin
        self.assertTrue(moved.finance_tax_stale)
        moved.action_post()
        self.assertEqual(self.calls, 2)

    def test_part_of_an_order(self):
        order = self.confirmed()
        first = order._create_invoices()
        first.invoice_line_ids[0].quantity = 1
        first.action_post()
        self.assertEqual(self.calls, 2, "a part is computed anew")
        second = order._create_invoices()
        second.action_post()
        self.assertEqual(self.calls, 3)
        (first | second).invalidate_recordset()
        self.assertAlmostEqual(
            sum((first | second).mapped("amount_untaxed")), order.amount_untaxed, 2
        )
        self.drain()
        self.assertEqual((first | second).mapped("finance_tax_state"), ["committed", "committed"])

    def test_every_kind_of_line(self):
        order = self.create_houston_order()
        freight = self.env["product.product"].create(
            {"name": "Freight", "type": "service", "list_price": 9.9, "invoice_policy": "order"}
        )
        order.order_line = [
            Command.create({"display_type": "line_section", "name": "Section"}),
            Command.create({"display_type": "line_note", "name": "Note"}),
            Command.create({"product_id": freight.id}),
            Command.create({"product_id": self.products[2].id, "product_uom_qty": 0}),
        ]
        self.env["sale.order.discount"].create(
            {
                "sale_order_id": order.id,
                "discount_type": "so_discount",
                "discount_percentage": 0.1,
            }
        ).action_apply_discount()
        order.action_confirm()
        tax = order.finance_tax_document_id.amount_tax
        self.assertAlmostEqual(order.amount_untaxed, 123.87)
        self.assertAlmostEqual(order.amount_tax, tax)
        self.assertAlmostEqual(sum(order.order_line.mapped("price_tax")), tax)
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual((invoice.amount_total, self.calls), (order.amount_total, 1))
        self.drain()
        self.assertEqual(invoice.finance_tax_state, "committed")

    def test_copied_order_is_computed_anew(self):
        order = self.confirmed()
        copy = order.copy()
        self.assertTrue(copy.finance_tax_stale)
        copy.action_confirm()
        self.assert_order_exact(copy, ENGINE)

    def test_edited_after_the_estimate(self):
        order = self.confirmed()
        order.order_line[0].product_uom_qty = 4
        self.assertTrue(order.finance_tax_stale)
        self.assertAlmostEqual(sum(order.order_line.mapped("price_total")), order.amount_total, 2)
        order.order_line[0].product_uom_qty = 3
        self.assertFalse(order.finance_tax_stale, "the exact amounts fit again")
        self.assert_order_exact(order, ENGINE)

    def test_down_payment_and_final_invoice(self):
        order = self.confirmed()
        down = self.invoice_by_wizard(order, advance_payment_method="percentage", amount=40)
        down.action_post()
        self.assertAlmostEqual(down.amount_tax, 4.26, delta=0.011)
        final = self.invoice_by_wizard(order, advance_payment_method="delivered")
        final.action_post()
        self.assertAlmostEqual(down.amount_tax + final.amount_tax, 10.64, 2)
        self.assertAlmostEqual(down.amount_total + final.amount_total, order.amount_total, 2)
        for move in down | final:
            self.assertAlmostEqual(sum(move.line_ids.mapped("balance")), 0.0, 2)

    def test_fixed_down_payment(self):
        order = self.confirmed()
        down = self.invoice_by_wizard(order, advance_payment_method="fixed", fixed_amount=50)
        down.action_post()
        self.assertAlmostEqual(down.amount_total, 50.0, 2)
        final = self.invoice_by_wizard(order, advance_payment_method="delivered")
        final.action_post()
        self.assertAlmostEqual(down.amount_total + final.amount_total, order.amount_total, 2)

    def invoice_by_wizard(self, order, **values):
        wizard = self.env["sale.advance.payment.inv"].create(
            {"sale_order_ids": [Command.set(order.ids)], **values}
        )
        known = order.invoice_ids
        wizard.create_invoices()
        return order.invoice_ids - known

    def test_foreign_currency(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {
                "name": "2020-01-01",
                "currency_id": euro.id,
                "company_id": self.company.id,
                "rate": 0.8731,
            }
        )
        pricelist = self.env["product.pricelist"].create({"name": "Euro", "currency_id": euro.id})
        order = self.create_houston_order(pricelist_id=pricelist.id)
        for product, line in zip(self.products, order.order_line, strict=True):
            line.price_unit = product.list_price
        order.action_confirm()
        self.assertEqual(order.currency_id, euro)
        self.assert_order_exact(order, ENGINE)
        invoice = order._create_invoices()
        invoice.action_post()
        self.assert_exact(invoice)
        self.assertEqual(self.calls, 1)
        by_kind = {"state": 9.12, "county": 1.44, "city": 1.63}
        for line in invoice.line_ids.filtered(lambda line: line.display_type == "tax"):
            kind = line.tax_line_id.tax_group_id.name.split()[0].lower()
            self.assertAlmostEqual(-line.balance, by_kind[kind], 2)

    def test_engine_down(self):
        order = self.create_houston_order()
        self.break_engine()
        with self.assertRaises(UserError):
            order.action_confirm()
        self.assertEqual(order.state, "draft")
        self.workflow.tax_outage = "fallback"
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertTrue(order.finance_tax_stale, "with percentages, and said so")
        self.mend_engine()
        invoice = order._create_invoices()
        invoice.action_post()
        self.assert_exact(invoice)

    def test_deleted_quotation(self):
        order = self.create_houston_order()
        order.action_finance_compute_tax()
        document = order.finance_tax_document_ids
        order.unlink()
        self.assertFalse(document.exists())

    def test_document_of_an_order(self):
        order = self.create_houston_order()
        order.action_finance_compute_tax()
        document = order.finance_tax_document_ids
        self.assertEqual(document._finance_document(), order)
        self.assertEqual(document.partner_id, self.customer)
        self.assertIn(order.name, document.display_name)
        found = self.env["finance.tax.document"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(found, document)

    def test_salesperson_without_accounting(self):
        seller = self.env["res.users"].create(
            {
                "name": "Seller",
                "login": "f_seller",
                "company_id": self.company.id,
                "company_ids": [Command.set(self.company.ids)],
                "group_ids": [Command.set(self.env.ref("sales_team.group_sale_salesman").ids)],
            }
        )
        order = self.create_houston_order(user_id=seller.id).with_user(seller)
        order.action_confirm()
        self.assert_order_exact(order, ENGINE)
        self.assertEqual(order.finance_tax_state, "estimated")
        self.assertIn("all documents", order.finance_tax_route_words)
        self.workflow.tax_on_save = True
        order.write(
            {"order_line": [Command.update(order.order_line[0].id, {"product_uom_qty": 4})]}
        )
        self.assertFalse(order.finance_tax_stale)


@tagged("post_install", "-at_install")
class TestOrderGlobally(TestOrderPerLine):
    """The same with taxes rounded once a document."""

    allow_inherited_tests_method = True
    rounding_method = "round_globally"
