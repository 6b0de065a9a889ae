"""Any order with any answer of the engine: its invoices come to the order."""

from collections import defaultdict
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from odoo import Command
from odoo.tests import tagged

from odoo.addons.finance_tax_engine.tests.scripted import (
    CURRENCIES,
    ScriptedCommon,
    documents,
    examples,
)


@tagged("post_install", "-at_install")
class TestOrderProperties(ScriptedCommon):
    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.env.ref("sales_team.group_sale_manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.products.invoice_policy = "order"
        cls.pricelists = {
            code: cls.env["product.pricelist"].create(
                {"name": code, "currency_id": cls.currencies[code].id}
            )
            for code in CURRENCIES
        }

    def order(self, document):
        rows = [
            {
                "product_id": self.products[0].id,
                "price_unit": row["price"],
                "product_uom_qty": row["quantity"],
                "discount": row["discount"],
                "tax_ids": [Command.set(self.taxes_of(row).ids)],
            }
            for row in document["lines"]
        ]
        return self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "pricelist_id": self.pricelists[document["currency"]].id,
                "order_line": [Command.create(row) for row in rows],
            }
        )

    def invoiced(self, order, **values):
        known = order.invoice_ids
        wizard = self.env["sale.advance.payment.inv"].create(
            {"sale_order_ids": [Command.set(order.ids)], **values}
        )
        wizard.create_invoices()
        move = order.invoice_ids - known
        move.action_post()
        return move

    @given(documents(most_negative=0), st.lists(st.integers(1, 50), max_size=2))
    @examples(4, 120)
    def test_down_payments_and_the_final_invoice_come_to_the_order(self, document, shares):
        with self.example(document):
            order = self.order(document)
            order.action_confirm()
            # a tax larger than the price that includes it leaves nothing to invoice
            assume(order.amount_untaxed > 1)
            assume(all(line.price_subtotal >= 0 for line in order.order_line))
            self.assertEqual(self.asked, 1)
            engine = order.finance_tax_document_id._result().by_key()
            moves = self.env["account.move"]
            for share in shares:
                moves |= self.invoiced(order, advance_payment_method="percentage", amount=share)
            moves |= self.invoiced(order, advance_payment_method="delivered")
            self.assertEqual(self.asked, 1, "carried, not asked")
            self.env.invalidate_all()
            self.assertEqual(moves[-1].finance_tax_document_id.state, "posted")
            digits = order.currency_id.decimal_places
            for name in ("amount_untaxed", "amount_tax", "amount_total"):
                total = sum(move.direction_sign * -move[name] for move in moves)
                self.assertAlmostEqual(total, order[name], digits, name)
            booked = defaultdict(Decimal)
            for move in moves:
                for key, amount in self.in_journal(move)[0].items():
                    booked[key] += amount
                for field in ("balance", "amount_currency"):
                    self.assertAlmostEqual(sum(move.line_ids.mapped(field)), 0, 6)
            self.assertEqual({key: value for key, value in booked.items() if value}, engine)
