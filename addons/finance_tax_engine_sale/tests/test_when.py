"""When an order asks the engine, and which engine an order belongs to."""

from datetime import timedelta

from odoo import Command
from odoo.tests import tagged

from odoo.addons.finance_tax_engine.tests.common import ENGINE

from .common import OrderCommon


@tagged("post_install", "-at_install")
class TestWhen(OrderCommon):
    def rule(self, **values):
        return self.env["finance.tax.route"].create(
            {
                "name": "Rule",
                "company_id": self.company.id,
                "connector_id": self.connector.id,
                **values,
            }
        )

    def test_nothing_is_asked_where_nobody_wants_it(self):
        self.workflow.write({"tax_on_send": False, "tax_on_confirm": False, "tax_on_portal": False})
        order = self.create_houston_order()
        order.action_quotation_send()
        order._get_default_payment_link_values()
        order.action_confirm()
        self.assertEqual((order.state, order.finance_tax_stale, self.calls), ("sale", True, 0))
        invoice = order._create_invoices()
        invoice.action_post()
        self.assert_exact(invoice)
        self.assertEqual(self.calls, 1, "posting asks in any case")

    def test_each_trigger_by_itself(self):
        for trigger, act in (
            ("tax_on_send", "action_quotation_send"),
            ("tax_on_confirm", "action_confirm"),
            ("tax_on_portal", "_get_default_payment_link_values"),
        ):
            self.workflow.write(
                {
                    name: name == trigger
                    for name in ("tax_on_send", "tax_on_confirm", "tax_on_portal")
                }
            )
            before, order = self.calls, self.create_houston_order(client_order_ref=trigger)
            order.order_line[0].product_uom_qty += before
            getattr(order, act)()
            self.assertEqual((self.calls, order.finance_tax_stale), (before + 1, False), trigger)

    def test_a_payment_link_asks_for_the_engines_tax(self):
        order = self.create_houston_order(require_payment=False)
        self.assertAlmostEqual(order._get_default_payment_link_values()["amount"], 138.37)
        self.assert_order_exact(order, ENGINE)

    def test_confirmed_on_another_day(self):
        order = self.create_houston_order()
        order.date_order -= timedelta(days=3)
        order.action_finance_compute_tax()
        order.action_confirm()
        self.assertEqual((self.calls, order.finance_tax_stale), (1, False))
        order._create_invoices().action_post()
        self.assertEqual(self.calls, 1)
        order.date_order += timedelta(days=self.workflow.tax_estimate_days)
        self.assertTrue(order.finance_tax_stale)

    def test_on_save(self):
        self.workflow.tax_on_save = True
        order = self.create_houston_order()
        self.assert_order_exact(order, ENGINE)
        order.write({"client_order_ref": "4711", "order_line": [
            Command.update(order.order_line[0].id, {"name": "Another name"})
        ]})  # fmt: skip
        self.assertEqual(self.calls, 1)
        order.write(
            {"order_line": [Command.update(order.order_line[0].id, {"product_uom_qty": 4})]}
        )
        self.assertEqual((self.calls, order.finance_tax_stale), (2, False))
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual(self.calls, 2)
        self.break_engine()
        order.write(
            {"order_line": [Command.update(order.order_line[0].id, {"product_uom_qty": 5})]}
        )
        self.assertIn("does not answer", order.finance_tax_save_note)

    def test_rules_of_orders(self):
        web = self.company_data["default_journal_sale"].copy({"name": "Web", "code": "WEB"})
        self.rule(target="odoo", connector_id=False, sequence=1, journal_ids=[Command.set(web.ids)])
        self.rule(country_ids=[Command.set(self.env.ref("base.us").ids)])
        order = self.create_houston_order()
        self.assertIn("“Rule” is the first", order.finance_tax_route_words)
        self.assertTrue(order.finance_tax_applies)
        order.journal_id = web
        self.assertFalse(order.finance_tax_applies)
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual((invoice.journal_id, self.calls), (web, 0))
        self.assertEqual(invoice.finance_tax_recorder, "odoo")

    def test_an_invoice_goes_by_its_own_rule(self):
        order = self.create_houston_order()
        order.action_confirm()
        self.rule(target="odoo", connector_id=False)
        invoice = order._create_invoices()
        invoice.action_post()
        self.drain()
        self.assertEqual((invoice.finance_tax_recorder, self.calls), ("odoo", 1))
        self.assertFalse(self.recorded())

    def test_calculation_off(self):
        self.workflow.tax_calculates = False
        order = self.create_houston_order()
        order.action_confirm()
        self.assertIn("switched off", order.finance_tax_route_words)
        self.assertEqual((self.calls, order.finance_tax_stale), (0, False))
