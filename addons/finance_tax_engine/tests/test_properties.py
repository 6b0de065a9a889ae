"""Any document with any answer of the engine: the ledger says what the engine says."""

from hypothesis import assume, example, given

from odoo.tests import tagged

from .scripted import ScriptedCommon, documents, examples


@tagged("post_install", "-at_install")
class TestProperties(ScriptedCommon):
    def assert_mirrors(self, move, refund):
        """Every item of the invoice is taken back, in both currencies."""
        for field in ("amount_currency", "balance"):
            for key in ("account_id", "tax_line_id"):
                totals = {}
                for item in (move | refund).line_ids:
                    totals[item[key]] = totals.get(item[key], 0.0) + item[field]
                for total in totals.values():
                    self.assertAlmostEqual(total, 0.0, 6, f"{field} by {key}")

    # less than half a cent below zero
    @example(
        {
            "method": "round_per_line",
            "currency": "USD",
            "lines": [
                {"price": 0.0001, "quantity": -1, "discount": 0, "inside": inside, "taxes": {}}
                for inside in (True, False)
            ],
        }
    )
    @given(documents())
    @examples(8, 300)
    def test_ledger_is_the_engine_and_a_credit_note_mirrors_it(self, document):
        with self.example(document):
            move = self.document(document["lines"], document["currency"])
            move.action_finance_compute_tax()
            # Odoo posts no invoice of less than nothing
            assume(move.amount_total >= 0)
            self.assertFalse(move.finance_tax_stale)
            move.action_post()
            self.assert_hard(move)
            for line, row in zip(move.invoice_line_ids, document["lines"], strict=True):
                if row["inside"]:
                    price = row["price"] * row["quantity"] * (1 - row["discount"] / 100)
                    self.assertAlmostEqual(
                        line.price_total, price, delta=move.currency_id.rounding * 0.501
                    )
            refund = move._reverse_moves([{"invoice_date": move.invoice_date}], cancel=True)
            self.assert_hard(refund)
            self.assert_mirrors(move, refund)
            self.assertEqual((move.amount_residual, refund.amount_residual), (0.0, 0.0))
            self.assertEqual(self.asked, 1)
