"""Payment, closing, copying, companies: what happens to invoices beside their lines."""

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import ENGINE
from .hard import HardCommon


@tagged("post_install", "-at_install")
class TestHardDocuments(HardCommon):
    rounding_method = "round_globally"

    def pay(self, moves, date="2026-03-03"):
        """Pay invoices by the wizard; returns the entry's items by account type."""
        payment = self._register_payment(moves, payment_date=date)
        return payment.move_id.line_ids

    # === PAYMENT === #

    def test_early_payment_discount_of_the_whole_reduces_each_tax(self):
        term = self.discount_term("included")
        move = self.create_houston_invoice(invoice_payment_term_id=term.id)
        move.action_post()
        self.assert_exact(move)
        items = self.pay(move)
        self.assertEqual(move.payment_state, move._get_invoice_in_payment_state())
        paid = {item.tax_line_id: item.amount_currency for item in items if item.tax_line_id}
        booked = {
            item.tax_line_id: item.amount_currency
            for item in move.line_ids
            if item.display_type == "tax"
        }
        self.assertEqual(set(paid), set(booked), "every authority gives back its part")
        for tax, amount in paid.items():
            self.assertAlmostEqual(amount, round(booked[tax] * 0.98, 2) - booked[tax], 2)
        self.assertAlmostEqual(sum(items.mapped("balance")), 0, 2)
        received = sum(
            items.filtered(
                lambda item: (
                    item.balance > 0
                    and not item.tax_line_id
                    and item.account_id.account_type.startswith("asset")
                )
            ).mapped("balance")
        )
        self.assertAlmostEqual(received, round(138.37 * 0.98, 2), 2)
        self.assert_exact(move)
        self.assertEqual(self.calls, 1)

    def test_early_payment_discount_of_the_net_amount_leaves_the_tax(self):
        term = self.discount_term("excluded")
        move = self.create_houston_invoice(invoice_payment_term_id=term.id)
        move.action_post()
        self.assert_exact(move)
        items = self.pay(move)
        self.assertFalse(items.tax_line_id)
        self.assertEqual(move.amount_residual, 0)
        self.assertAlmostEqual(
            sum(
                items.filtered(lambda i: i.account_id.account_type == "asset_receivable").mapped(
                    "balance"
                )
            ),
            -138.37,
            2,
        )

    def test_cash_rounding_as_a_line(self):
        rounding = self.env["account.cash.rounding"].create(
            {
                "name": "5 cents",
                "rounding": 0.05,
                "strategy": "add_invoice_line",
                "profit_account_id": self.company_data["default_account_revenue"].id,
                "loss_account_id": self.company_data["default_account_expense"].id,
            }
        )
        move = self.create_houston_invoice(invoice_cash_rounding_id=rounding.id)
        move.action_post()
        self.assertEqual(self.by_kind(move), ENGINE)
        self.assertAlmostEqual(move.amount_total, 138.35, 2)
        self.assertEqual((move.finance_tax_document_id.state, self.calls), ("posted", 1))
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        refund.action_post()
        self.assertAlmostEqual(refund.amount_total, 138.35, 2)
        self.assertEqual(self.calls, 1)

    def test_invoice_credit_note_and_payments_come_to_zero(self):
        move = self.create_houston_invoice(currency_id=self.other_currency("EUR", 0.8731).id)
        move.action_post()
        refund = move._reverse_moves([{"invoice_date": move.invoice_date}], cancel=True)
        self.assertEqual((move.amount_residual, refund.amount_residual), (0, 0))
        items = (move | refund).line_ids
        for account in items.account_id:
            of_account = items.filtered(lambda item, account=account: item.account_id == account)
            self.assertAlmostEqual(sum(of_account.mapped("balance")), 0, 2, account.name)
        for tax in items.tax_line_id:
            of_tax = items.filtered(lambda item, tax=tax: item.tax_line_id == tax)
            self.assertAlmostEqual(sum(of_tax.mapped("amount_currency")), 0, 2, tax.name)
        paid = self.create_houston_invoice()
        paid.action_post()
        self.pay(paid, "2026-03-20")
        self.assertEqual(paid.amount_residual, 0)

    def test_cash_basis_tax_beside_the_engine(self):
        self.company.tax_exigibility = True
        account = self.company_data["default_account_tax_sale"]
        transition = account.copy({"reconcile": True})
        later = self.percent_tax(
            10,
            tax_exigibility="on_payment",
            cash_basis_transition_account_id=transition.id,
            price_include_override="tax_excluded",
        )
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        move.invoice_line_ids.tax_ids |= later
        move.action_post()
        self.assert_hard(move, untaxed=127.73, others={later: 12.77})
        self.pay(move)
        entry = self.env["account.move"].search([("tax_cash_basis_origin_move_id", "=", move.id)])
        moved = entry.line_ids.filtered(lambda item: item.tax_line_id == later)
        self.assertAlmostEqual(-sum(moved.mapped("balance")), 12.77, 2)
        engine = move.line_ids.tax_line_id - later
        self.assertFalse(entry.line_ids.filtered(lambda i: i.tax_line_id in engine))

    # === WHAT STANDS BESIDE AMOUNTS === #

    def test_tags_and_analytic_accounts_reach_the_tax_items(self):
        taxes = self.env["finance.tax.jurisdiction"].search([("tax_id", "!=", False)]).tax_id
        tag = self.env["account.account.tag"].create(
            {"name": "TX-1", "applicability": "taxes", "country_id": self.env.ref("base.us").id}
        )
        state = taxes.filtered(lambda tax: "State" in tax.name and not tax.price_include)
        for lines in (state.invoice_repartition_line_ids, state.refund_repartition_line_ids):
            lines.filtered(lambda line: line.repartition_type == "tax").tag_ids = tag
        state.analytic = True
        plan = self.env["account.analytic.plan"].create({"name": "Shops"})
        north, south = self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id} for name in ("North", "South")]
        )
        move = self.create_houston_invoice()
        move.invoice_line_ids[0].analytic_distribution = {str(north.id): 100}
        move.invoice_line_ids[1].analytic_distribution = {str(south.id): 100}
        move.action_post()
        self.assert_hard(move, untaxed=127.73)
        items = move.line_ids.filtered(lambda item: item.tax_line_id == state)
        self.assertEqual(items.tax_tag_ids, tag)
        by_shop = {next(iter(item.analytic_distribution or {""})): -item.balance for item in items}
        self.assertEqual(by_shop, {str(north.id): 3.74, str(south.id): 3.74, "": 0.48})
        others = move.line_ids.filtered(
            lambda item: item.display_type == "tax" and item.tax_line_id != state
        )
        self.assertFalse(any(others.mapped("analytic_distribution")))
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        refund.action_post()
        self.assert_hard(refund, untaxed=127.73)
        self.assertEqual(self.calls, 1)

    # === CLOSED PERIODS === #

    def test_locked_periods(self):
        for field in ("tax_lock_date", "fiscalyear_lock_date", "sale_lock_date", "hard_lock_date"):
            with self.subTest(field):
                self.company.write({field: "2026-03-31"})
                move = self.create_houston_invoice()
                move.action_post()
                self.assertGreater(str(move.date), "2026-03-31")
                self.assertEqual(str(move.invoice_date), "2026-03-02", "the rates of the sale")
                self.assert_exact(move)
                if field != "hard_lock_date":
                    self.company.write({field: False})

    def test_reset_in_a_closed_period_is_refused_and_nothing_voided(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        calls = self.calls
        self.company.tax_lock_date = "2026-03-31"
        with self.assertRaises(UserError), self.cr.savepoint():
            move.button_draft()
        move.invalidate_recordset()
        self.drain()
        self.assertEqual((move.state, move.finance_tax_state), ("posted", "committed"))
        self.assertEqual(self.calls, calls)
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        refund.action_post()
        self.assert_exact(refund)
        self.assertEqual(self.calls, calls)

    # === HOW INVOICES COME ABOUT === #

    def test_made_line_by_line_in_the_form(self):
        with Form(self.env["account.move"].with_context(default_move_type="out_invoice")) as form:
            form.partner_id = self.customer
            form.invoice_date = fields.Date.to_date("2026-03-02")
            for product, quantity, discount in zip(
                self.products, (3, 2, 1), (0, 10, 0), strict=True
            ):
                with form.invoice_line_ids.new() as line:
                    line.product_id = product
                    line.quantity = quantity
                    line.discount = discount
        move = form.save()
        move.action_finance_compute_tax()
        self.assert_exact(move)
        with Form(move) as form:
            with form.invoice_line_ids.edit(1) as line:
                line.discount = 20
            form.invoice_line_ids.remove(index=2)
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        self.assert_hard(move, untaxed=113.3)
        self.assertEqual(self.calls, 2)

    def test_imported(self):
        columns = [
            "partner_id/id",
            "invoice_date",
            "move_type",
            "invoice_line_ids/name",
            "invoice_line_ids/quantity",
            "invoice_line_ids/price_unit",
        ]
        rows = [
            ["finance_tax_engine.test_customer", "2026-03-02", "out_invoice", "A", "3", "19.99"],
            ["", "", "", "B", "2", "33.33"],
        ]
        self.env["ir.model.data"].create(
            {
                "module": "finance_tax_engine",
                "name": "test_customer",
                "model": "res.partner",
                "res_id": self.customer.id,
            }
        )
        result = self.env["account.move"].load(columns, rows)
        self.assertFalse(result["messages"])
        move = self.env["account.move"].browse(result["ids"])
        self.assertEqual(self.calls, 0)
        move.action_post()
        self.assert_hard(move, untaxed=126.63)
        self.assertEqual(self.calls, 1)

    def test_copied_from_a_vendor_bill(self):
        bill = self.create_houston_invoice("in_invoice")
        bill.action_post()
        self.assertEqual(self.calls, 0)
        self.assertEqual(set(bill.line_ids.tax_line_id.mapped("type_tax_use")), {"purchase"})
        names = ("name", "product_id", "quantity", "price_unit", "discount", "tax_ids")
        rows = [
            Command.create({name: row[name] for name in names})
            for row in bill.invoice_line_ids.copy_data()
        ]
        move = self.create_houston_invoice(invoice_line_ids=rows)
        move.action_post()
        self.assert_hard(move, untaxed=127.73)
        self.assertEqual(
            {use for use in move.line_ids.tax_line_id.mapped("type_tax_use")}, {"sale"}
        )

    # === COMPANIES === #

    def test_each_company_has_its_engine_and_a_branch_that_of_its_head(self):
        other = self.setup_other_company(name="Other", currency_id=self.other_currency("JPY").id)[
            "company"
        ]
        self.set_address(other.partner_id, "Irvine", self.env.ref("base.state_us_5"), "92618")
        self.create_connector(other, "SECOND")
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.cr.precommit.run()
        self.set_address(branch.partner_id, "Austin", self.texas, "78701")
        self.env.user.company_ids |= other | branch
        self.env = self.env(
            context=dict(self.env.context, allowed_company_ids=(self.company | other | branch).ids)
        )
        moves = self.env["account.move"]
        for company in (self.company, other, branch):
            moves |= self.env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "company_id": company.id,
                    "partner_id": self.customer.id,
                    "invoice_date": "2026-03-02",
                    "invoice_line_ids": [
                        Command.create({"name": "X", "quantity": 3, "price_unit": 1999})
                    ],
                }
            )
        moves.action_post()
        for move in moves:
            self.assert_hard(move, untaxed=5997)
        self.drain()
        self.assertEqual(set(moves.mapped("finance_tax_state")), {"committed"})
        codes = [self.recorded()[move.finance_tax_code]["request"]["companyCode"] for move in moves]
        self.assertEqual(codes, ["DEFAULT", "SECOND", "DEFAULT"])
        own, foreign, of_branch = (move.line_ids.tax_line_id for move in moves)
        self.assertEqual(own, of_branch, "taxes belong to the head")
        self.assertFalse(own & foreign)
        self.assertEqual(moves[1].currency_id.name, "JPY")

    def test_company_currency_with_three_decimals(self):
        self.company.currency_id = self.other_currency("KWD")
        move = self.posted((19.993, 3), (0.005, 1), (-1.2345, 1))
        self.assert_hard(move)
        dollars = self.invoice((19.99, 3), (33.33, 2), currency_id=self.env.ref("base.USD").id)
        dollars.invoice_currency_rate = 3.2393
        dollars.action_post()
        self.assert_hard(dollars, untaxed=126.63)
