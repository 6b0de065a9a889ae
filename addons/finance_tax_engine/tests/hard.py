"""What every hard case has to pass, read from the journal items and the engine's own answer."""

from collections import defaultdict
from decimal import Decimal

from odoo import Command

from odoo.addons.finance_tax_engine.models.finance_tax_jurisdiction import INCLUDED

from .common import TaxEngineCommon


class HardCommon(TaxEngineCommon):
    """Documents of any lines, judged by what the engine answered last."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.products.taxes_id = cls.company.account_sale_tax_id
        cls.inside = cls.company.account_sale_tax_id.copy(
            {"name": "Inside 15%", "amount": 15, "price_include_override": "tax_included"}
        )
        cls.make_taxes()

    @classmethod
    def make_taxes(cls):
        """Make the taxes of Houston, on top and inside, so that no test has to wait for them."""
        inside = {"price_unit": 10, "quantity": 1, "tax_ids": [Command.set(cls.inside.ids)]}
        move = cls.invoice((10, 1), inside)
        move.action_finance_compute_tax()
        move.unlink()

    @classmethod
    def invoice(cls, *lines, **values):
        """Return a draft; a line is (price, quantity) or a dict of values."""
        rows = []
        for line in lines:
            if not isinstance(line, dict):
                line = dict(zip(("price_unit", "quantity"), line, strict=True))
            rows.append(Command.create({"product_id": cls.products[0].id, **line}))
        return cls.create_houston_invoice(invoice_line_ids=rows, **values)

    def posted(self, *lines, **values):
        """Return a posted invoice."""
        move = self.invoice(*lines, **values)
        move.action_post()
        return move

    @classmethod
    def other_currency(cls, code, rate=None):
        """Return an active currency; rate: its amount in one dollar, from long ago."""
        currency = cls.env.ref(f"base.{code}")
        currency.active = True
        if rate:
            cls.env["res.currency.rate"].create(
                {
                    "name": "2020-01-01",
                    "currency_id": currency.id,
                    "company_id": cls.company.id,
                    "rate": rate,
                }
            )
        return currency

    @classmethod
    def set_digits(cls, digits):
        """Let prices have so many digits."""
        precision = cls.env["decimal.precision"].search([("name", "=", "Product Price")])
        precision.digits = digits

    # === THE JUDGE === #

    def said(self, move):
        """Return {jurisdiction key: tax} of the engine's last answer."""
        return move.finance_tax_document_id._result().by_key()

    def in_journal(self, move):
        """Return ({jurisdiction key: tax}, {other tax: amount}) of the tax items, positive."""
        engine, others = defaultdict(Decimal), defaultdict(Decimal)
        for item in move.line_ids.filtered(lambda item: item.display_type == "tax"):
            tax = item.tax_line_id
            row = self.env["finance.tax.jurisdiction"].search([("tax_id", "=", tax.id)])
            amount = move._finance_decimal(move.direction_sign * item.amount_currency)
            (engine if row else others)[row.key.removesuffix(INCLUDED) if row else tax] += amount
        return {key: amount for key, amount in engine.items() if amount}, dict(others)

    def assert_hard(self, move, untaxed=None, tax=None, others=None, state="posted"):
        """Check journal = engine, balance, totals, widget, lines, due line, company amounts.

        untaxed, tax: the amounts expected, as floats. others: {tax by hand: amount}. state: of the
        tax document; None does not ask.
        """
        self.env.flush_all()
        self.env.invalidate_all()
        unit = move.currency_id.decimal_places
        cents = move.company_currency_id.decimal_places
        engine, by_hand = self.in_journal(move)
        expected = {key: Decimal(str(amount)) for key, amount in (others or {}).items()}
        self.assertEqual(engine, self.said(move), "journal per jurisdiction = engine")
        self.assertEqual(by_hand, expected, "taxes by hand")
        total_tax = float(sum(engine.values()) + sum(by_hand.values()))
        products = move.line_ids.filtered(lambda item: item.display_type == "product")
        net = move.direction_sign * sum(products.mapped("amount_currency"))
        self.assertAlmostEqual(move.amount_untaxed, net, unit, "untaxed = income items")
        self.assertAlmostEqual(move.amount_tax, total_tax, unit, "amount_tax = tax items")
        lines = move.invoice_line_ids
        # rounded globally, Odoo spreads what percentages and prices below a cent leave over lines
        spread = move.company_id.tax_calculation_rounding_method == "round_globally"
        most = move.currency_id.rounding * (len(lines) * (1 + len(by_hand)) if spread else 0.01)
        self.assertAlmostEqual(sum(lines.mapped("price_subtotal")), net, delta=most)
        self.assertAlmostEqual(sum(lines.mapped("price_total")), net + total_tax, delta=most)
        widget = move.tax_totals
        self.assertAlmostEqual(widget["tax_amount_currency"], total_tax, unit, "widget's tax")
        self.assertAlmostEqual(widget["base_amount_currency"], net, unit, "widget's base")
        for field in ("balance", "amount_currency"):
            self.assertAlmostEqual(sum(move.line_ids.mapped(field)), 0, 4, f"{field} = 0")
        due = move.line_ids.filtered(lambda item: item.display_type == "payment_term")
        total = -move.direction_sign * sum(due.mapped("amount_currency"))
        self.assertAlmostEqual(total, move.amount_total, unit, "due = total")
        self.assert_company_amounts(move, cents)
        if untaxed is not None:
            self.assertAlmostEqual(move.amount_untaxed, untaxed, unit)
        if tax is not None:
            self.assertAlmostEqual(move.amount_tax, tax, unit)
        if state:
            self.assertEqual(move.finance_tax_document_id.state, state)
        self.assertFalse(self.exceptions(move))

    def assert_company_amounts(self, move, cents):
        """Each tax is its amount divided by the rate, rounded once."""
        rate = Decimal(repr(move.invoice_currency_rate or 1.0))
        company, foreign = defaultdict(Decimal), defaultdict(Decimal)
        for item in move.line_ids.filtered(lambda item: item.display_type == "tax"):
            company[item.tax_line_id] += Decimal(repr(item.balance))
            foreign[item.tax_line_id] += Decimal(repr(item.amount_currency))
        for tax, balance in company.items():
            self.assertAlmostEqual(
                float(balance), float(foreign[tax] / rate), delta=0.51 / 10**cents
            )
