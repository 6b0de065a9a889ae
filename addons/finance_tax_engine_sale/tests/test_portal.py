from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

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

    def test_a_customer_who_signs_in_gets_no_rights(self):
        order = self.create_houston_order()
        order.state = "sent"
        user = new_test_user(
            self.env, "tax_portal", "base.group_portal", partner_id=self.customer.id
        )
        self.authenticate("tax_portal", "tax_portal")
        page = self.url_open(f"/my/orders/{order.id}")
        self.assertIn("138.37", page.text)
        self.assertEqual(self.calls, 1)
        for model in ("finance.tax.document", "finance.tax.route", "finance.workflow"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(user).search([])

    def test_the_portal_asks_only_where_wanted(self):
        self.workflow.tax_on_portal = False
        order = self.create_houston_order()
        order.state = "sent"
        self.assertEqual(self.url_open(order.get_portal_url()).status_code, 200)
        self.assertEqual(self.calls, 0)
