from odoo.tests import HttpCase, tagged

from odoo.addons.finance_tax_engine.tests.common import ENGINE

from .common import OrderCommon


@tagged("post_install", "-at_install")
class TestPortal(OrderCommon, HttpCase):
    """What a customer sees before signing and paying."""

    def test_customer_sees_the_engines_tax(self):
        order = self.create_houston_order()
        order.state = "sent"
        page = self.url_open(order.get_portal_url())
        self.assertEqual(page.status_code, 200)
        self.assert_order_exact(order, ENGINE)
        self.assertIn("138.37", page.text)
        self.assertEqual(self.calls, 1)

    def test_customer_sees_the_order_while_the_engine_is_down(self):
        order = self.create_houston_order()
        order.state = "sent"
        self.break_engine()
        page = self.url_open(order.get_portal_url())
        self.assertEqual(page.status_code, 200)
        self.assertTrue(order.finance_tax_stale)
