"""An order to Houston: the fixture of the tax engine, as a quotation."""

from odoo import Command

from odoo.addons.finance_tax_engine.tests.common import GROUPS, TaxEngineCommon


class OrderCommon(TaxEngineCommon):
    """Three lines to Houston: 3 × 19.99, 2 × 33.33 less 10 %, 1 × 7.77."""

    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.env.ref("sales_team.group_sale_manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.products.invoice_policy = "order"

    @classmethod
    def create_houston_order(cls, **values):
        """Return the fixture as a quotation."""
        lines = zip(cls.products, ((3, 0), (2, 10), (1, 0)), strict=True)
        return cls.env["sale.order"].create(
            {
                "partner_id": cls.customer.id,
                "company_id": cls.company.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "discount": discount,
                            "price_unit": product.list_price,
                        }
                    )
                    for product, (quantity, discount) in lines
                ],
                **values,
            }
        )

    def assert_order_exact(self, order, expected, untaxed=127.73):
        """Check widget, totals and lines of an order against the engine's amounts."""
        self.env.flush_all()
        self.env.invalidate_all()
        tax = round(sum(expected.values()), 2)
        shown = {
            GROUPS.get(group["group_name"], group["group_name"]): round(
                group["tax_amount_currency"], 2
            )
            for subtotal in order.tax_totals["subtotals"]
            for group in subtotal["tax_groups"]
        }
        self.assertEqual(shown, expected, "widget = engine")
        self.assertAlmostEqual(order.amount_tax, tax, 2)
        self.assertAlmostEqual(order.amount_untaxed, untaxed, 2)
        self.assertAlmostEqual(order.amount_total, untaxed + tax, 2)
        self.assertAlmostEqual(sum(order.order_line.mapped("price_tax")), tax, 2)
