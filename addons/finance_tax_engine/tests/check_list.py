"""Exact amounts of the engine in the ledger, and no call too many; for both rounding methods."""

from odoo import Command, fields
from odoo.tests import Form

from .common import ENGINE, TaxEngineCommon


class CheckList(TaxEngineCommon):
    """What every draft and posted document has to pass."""

    def test_draft_after_estimate_and_after_renaming(self):
        move = self.create_houston_invoice()
        self.assertTrue(move.finance_tax_applies and move.finance_tax_stale)
        move.action_finance_compute_tax()
        self.assert_exact(move)
        self.assertEqual((move.finance_tax_state, self.calls), ("estimated", 1))
        move.invoice_line_ids[0].name = "Another name"
        move.ref = "Your order 4711"
        self.assertFalse(move.finance_tax_stale)
        move.action_finance_compute_tax()
        self.assert_exact(move)
        self.assertEqual(self.calls, 1)

    def test_posting_computes_with_one_call(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.assert_exact(move)
        self.assertEqual((move.state, move.finance_tax_state, self.calls), ("posted", "posted", 1))

    def test_an_estimate_serves_the_posting(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        move.action_post()
        self.drain()
        self.assert_exact(move)
        self.assertEqual(self.calls, 2, "one estimate, one commit")

    def test_an_edited_quantity_costs_exactly_one_call_at_post(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        move.invoice_line_ids[0].quantity = 4
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        self.assertEqual(self.calls, 2)
        # state 4.99 + 3.74 + 0.48, county 0.77 + 0.58 + 0.07 + 0.03, city 0.89 + 0.67 + 0.08
        self.assert_exact(move, {"state": 9.21, "county": 1.45, "city": 1.64}, untaxed=147.72)

    def test_an_edit_taken_back_costs_nothing(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        move.invoice_line_ids[0].quantity = 4
        move.invoice_line_ids[0].quantity = 3
        self.assertFalse(move.finance_tax_stale)
        move.action_post()
        self.assert_exact(move)
        self.assertEqual(self.calls, 1)

    def test_reset_and_reposted_unchanged(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        calls = self.calls
        move.button_draft()
        self.assertFalse(move.finance_tax_stale)
        move.action_post()
        self.assert_exact(move)
        self.assertEqual(self.calls, calls)

    def test_full_refund_mirrors_without_a_question(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        calls = self.calls
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        self.assert_exact(refund)
        self.assertFalse(refund.finance_tax_stale)
        refund.action_post()
        self.assert_exact(refund)
        self.assertEqual(self.calls, calls, "no question")
        due = (move + refund).line_ids.filtered(lambda line: line.display_type == "payment_term")
        due.filtered(lambda line: not line.reconciled).reconcile()
        self.assertEqual((move.amount_residual, refund.amount_residual), (0.0, 0.0))
        self.drain()
        self.assertEqual(refund.finance_tax_state, "committed")
        kept = self.recorded()[refund.finance_tax_code]
        self.assertEqual((kept["type"], float(kept["totalTax"])), ("ReturnInvoice", -10.64))
        request = kept["request"]
        self.assertEqual(request["taxOverride"]["taxDate"], "2026-03-02")
        self.assertEqual(request["referenceCode"], move.finance_tax_code)

    def test_refund_keeps_the_tax_of_a_customer_who_became_exempt(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        self.exempt(entity_use_code="N")
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}], cancel=True)
        self.assert_exact(refund)
        self.drain()
        self.assertEqual(refund.finance_tax_state, "committed")

    def test_partial_refund_is_exact_after_one_question(self):
        move = self.create_houston_invoice()
        move.action_post()
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}])
        refund.write(
            {
                "invoice_line_ids": [
                    Command.update(refund.invoice_line_ids[0].id, {"quantity": 2}),
                    Command.unlink(refund.invoice_line_ids[2].id),
                ]
            }
        )
        self.assertTrue(refund.finance_tax_stale)
        calls = self.calls
        refund.action_post()
        self.assertEqual(self.calls, calls + 1)
        self.assertEqual(refund.finance_tax_document_id.source, "engine")
        # state 2.49 + 3.74, county 0.38 + 0.58 + 0.03, city 0.44 + 0.67
        self.assert_exact(refund, {"state": 6.23, "county": 0.99, "city": 1.11}, untaxed=99.97)

    def test_the_journal_follows_when_only_the_amounts_change(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        line = move.invoice_line_ids[2]
        data = dict(line.extra_tax_data)
        state = self.env["account.tax"].search([("name", "like", "TEXAS State")])
        cell = data["manual_tax_amounts"][str(state.id)]
        data["manual_tax_amounts"] = data["manual_tax_amounts"] | {
            str(state.id): cell | {"tax_amount_currency": cell["tax_amount_currency"] + 0.11}
        }
        line.extra_tax_data = data
        self.assert_exact(move, ENGINE | {"state": 8.07})
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        self.assert_exact(move)
        self.assertEqual(self.calls, 1, "the stored answer is put back")

    def test_partially_exempt_line(self):
        self.set_address(self.customer, "Houston", self.texas, "77002", "Data Center Dr")
        self.products[0].finance_tax_code = "SD020800"  # Texas taxes 80 % of data processing
        move = self.create_houston_invoice()
        move.action_post()
        self.assert_exact(move, {"state": 7.21, "county": 1.14, "city": 1.28})
        tax_items = move.line_ids.filtered(lambda line: line.display_type == "tax")
        self.assertEqual(
            {round(abs(base), 2) for base in tax_items.mapped("tax_base_amount")}, {115.74}
        )
        shown = move.finance_tax_line_ids
        self.assertEqual({round(row.exempt, 2) for row in shown}, {11.99})

    def test_exempt_customer(self):
        self.exempt(entity_use_code="N")
        move = self.create_houston_invoice()
        move.action_post()
        self.assert_exact(move, {})
        self.assertFalse(move.invoice_line_ids.tax_ids)
        self.assertAlmostEqual(move.finance_tax_document_id.amount_exempt, 127.73)
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed", "exempt sales are declared too")

    def test_no_nexus_is_explained(self):
        self.set_address(self.customer, "Columbus", self.env.ref("base.state_us_36"), "43004")
        move = self.create_houston_invoice()
        move.action_post()
        self.assert_exact(move, {})
        self.assertIn("nexus", move.finance_tax_document_id.messages)

    def test_order_of_lines_does_not_matter(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        move.invoice_line_ids[0].sequence = 99
        move.invalidate_recordset()
        self.assertFalse(move.finance_tax_stale)
        move.action_post()
        self.assert_exact(move)
        self.assertEqual(self.calls, 1)

    def test_foreign_currency(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        move = self.create_houston_invoice(currency_id=euro.id, invoice_currency_rate=0.8731)
        self.assertAlmostEqual(move.invoice_currency_rate, 0.8731, 6)
        move.action_post()
        self.assert_exact(move)
        items = move.line_ids.filtered(lambda line: line.display_type == "tax")
        for item in items:
            self.assertAlmostEqual(item.balance, round(item.amount_currency / 0.8731, 2), 2)
        self.assertAlmostEqual(
            -sum(items.mapped("balance")), sum(round(v / 0.8731, 2) for v in ENGINE.values()), 2
        )
        self.assertEqual(self.calls, 1)
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed")
        request = self.recorded()[move.finance_tax_code]["request"]
        self.assertEqual(request["currencyCode"], "EUR")
        self.assertAlmostEqual(float(request["exchangeRate"]), 1 / 0.8731, 6)

    def test_a_rate_edited_by_hand_stays_balanced_and_costs_no_call(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        move = self.create_houston_invoice(currency_id=euro.id, invoice_currency_rate=0.8731)
        move.action_finance_compute_tax()
        move.invoice_currency_rate = 0.9017
        self.assert_exact(move)
        move.action_post()
        self.assert_exact(move)
        for item in move.line_ids.filtered(lambda line: line.display_type == "tax"):
            self.assertAlmostEqual(item.balance, round(item.amount_currency / 0.9017, 2), 2)
        self.assertEqual(self.calls, 1)

    def test_invoice_as_html(self):
        move = self.create_houston_invoice()
        move.action_post()
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("account.report_invoice", move.ids)[0]
            .decode()
        )
        for amount in ("7.96", "1.26", "1.42", "138.37"):
            self.assertIn(amount, html)

    def test_price_edit_below_a_cent_is_never_taken_back(self):
        self.env["decimal.precision"].search([("name", "=", "Product Price")]).digits = 4
        move = self.create_houston_invoice(
            invoice_line_ids=[
                Command.create(
                    {"product_id": self.products[0].id, "quantity": 1000, "price_unit": 1.0010}
                )
            ]
        )
        move.action_finance_compute_tax()
        self.assertAlmostEqual(move.amount_untaxed, 1001.00)
        move.invoice_line_ids.price_unit = 1.0040
        self.assertAlmostEqual(move.amount_untaxed, 1004.00)
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        self.assertAlmostEqual(move.amount_untaxed, 1004.00)
        self.assertEqual(self.calls, 2)

    def test_a_tax_added_by_hand_keeps_the_engine_amounts_and_is_stale(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        other = self.percent_tax(1.0, price_include_override="tax_excluded")
        move.invoice_line_ids[0].tax_ids |= other
        self.assertEqual({k: v for k, v in self.by_kind(move).items() if k in ENGINE}, ENGINE)
        self.assertTrue(move.finance_tax_stale)

    def test_a_removed_engine_tax_falls_back_to_percent(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        line = move.invoice_line_ids[0]
        line.tax_ids -= line.tax_ids.filtered(lambda tax: "City" in tax.name)
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        self.assert_exact(move)
        self.assertEqual(self.calls, 1, "the content is what the engine has answered")

    def test_duplicate_is_stale_and_asked_again(self):
        move = self.create_houston_invoice()
        move.action_post()
        copied = move.copy({"invoice_date": "2026-05-05"})
        self.assertFalse(copied.finance_tax_document_id)
        self.assertTrue(copied.finance_tax_stale)
        copied.action_post()
        self.assert_exact(copied)
        self.assertEqual(self.calls, 2)

    def test_another_delivery_address_is_stale(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        austin = self.env["res.partner"].create({"name": "Austin", "parent_id": self.customer.id})
        self.set_address(austin, "Austin", self.texas, "78701")
        move.partner_shipping_id = austin
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        self.assertEqual(set(self.in_widget(move)), {"state", "city", "Special District Tax"})
        self.assertEqual(self.calls, 2)

    def test_date_exemption_and_tax_code_are_part_of_the_content(self):
        exemption = self.env["finance.tax.exemption"].create(
            {"partner_id": self.customer.id, "number": "X-1"}
        )
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        for record, values in (
            (move, {"invoice_date": "2026-03-03"}),
            (exemption, {"state": "valid"}),
            (self.products[0], {"finance_tax_code": "NT"}),
        ):
            before = {name: record[name] for name in values}
            record.write(values)
            move.invalidate_recordset()
            self.assertTrue(move.finance_tax_stale, values)
            record.write(before)
            move.invalidate_recordset()
            self.assertFalse(move.finance_tax_stale, values)

    def test_edits_in_the_form(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        with Form(move) as form, form.invoice_line_ids.edit(0) as line:
            line.quantity = 4
        self.assertTrue(move.finance_tax_stale)
        with Form(move) as form, form.invoice_line_ids.edit(0) as line:
            line.quantity = 3
        self.assertFalse(move.finance_tax_stale)
        self.assert_exact(move)
        with Form(move) as form, form.invoice_line_ids.new() as line:
            line.product_id = self.products[2]
        self.assertTrue(move.finance_tax_stale)
        move.action_post()
        self.assertEqual(self.calls, 2)

    def test_many_documents_are_asked_in_one_go(self):
        moves = self.env["account.move"]
        for day in range(1, 5):
            moves |= self.create_houston_invoice(invoice_date=f"2026-03-0{day}")
        moves.action_post()
        self.assertEqual(self.calls, 4)
        for move in moves:
            self.assert_exact(move)
            [question] = self.env["finance.exchange"].search(
                [("trace_id", "=", move.finance_tax_trace_id)]
            )
            self.assertIn(str(move.invoice_date), question.request_masked)

    def test_cash_rounding_on_the_biggest_tax_is_no_difference(self):
        rounding = self.env["account.cash.rounding"].create(
            {"name": "5 cents", "rounding": 0.05, "strategy": "biggest_tax"}
        )
        move = self.create_houston_invoice(invoice_cash_rounding_id=rounding.id)
        move.action_post()
        self.assertEqual(self.by_kind(move), ENGINE)
        self.assertFalse(self.exceptions(move))
        self.assertAlmostEqual(move.amount_total, 138.35)

    def test_jurisdiction_taxes_are_made_once(self):
        self.create_houston_invoice().action_post()
        self.create_houston_invoice(invoice_date="2026-03-09").action_post()
        taxes = self.env["account.tax"].search([("name", "like", "TX %[%]")])
        self.assertEqual(sorted(taxes.mapped("amount")), [0.975, 1.1185, 6.25])
        self.assertEqual(len(taxes.tax_group_id), 3)
        self.assertEqual(set(taxes.mapped("price_include_override")), {"tax_excluded"})
        account = self.company.account_sale_tax_id.invoice_repartition_line_ids.account_id
        self.assertEqual(taxes.invoice_repartition_line_ids.account_id, account)

    def test_invoice_without_a_date_gets_one_before_the_question(self):
        move = self.create_houston_invoice(invoice_date=False)
        move.action_post()
        self.assertEqual(move.invoice_date, fields.Date.context_today(move))
        self.assert_exact(move)
        self.assertEqual(self.calls, 1)
        self.assertFalse(move.is_manually_modified)

    def test_an_invoice_for_the_future_is_not_asked_about(self):
        day = fields.Date.add(fields.Date.context_today(self.env.user), days=20)
        move = self.create_houston_invoice(invoice_date=day)
        move._post(soft=True)
        self.assertEqual((move.state, self.calls), ("draft", 0))
