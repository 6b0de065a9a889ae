"""Exemptions: which one counts where and when, what the engine is told, and when they end."""

import importlib.util
from datetime import timedelta
from pathlib import Path

from odoo import fields
from odoo.tests import tagged

from .common import TaxEngineCommon

MIGRATION = Path(__file__).parents[1] / "migrations" / "19.0.1.1.0" / "post-exemptions.py"


@tagged("post_install", "-at_install")
class TestExemption(TaxEngineCommon):
    def sent(self, move):
        """(number, use code) of the request for a document."""
        request = move._finance_tax_request(self.workflow)
        return request.exemption_number, request.entity_use_code

    def test_the_narrowest_that_covers_place_and_day(self):
        usa = self.env.ref("base.us")
        self.exempt(number="ALL")
        self.exempt(number="USA", country_id=usa.id)
        self.exempt(number="TEX", country_id=usa.id, state_id=self.texas.id)
        oregon = self.env.ref("base.state_us_32")
        self.exempt(number="ORE", country_id=usa.id, state_id=oregon.id)
        move = self.create_houston_invoice()
        self.assertEqual(self.sent(move), ("TEX", ""))
        last = self.env["finance.tax.exemption"].search([("number", "=", "TEX")])
        last.valid_to = "2026-03-01"
        self.assertEqual(self.sent(move), ("USA", ""), "the invoice is of 2 March")
        last.valid_to = "2026-03-02"
        self.assertEqual(self.sent(move), ("TEX", ""))
        last.action_revoke()
        self.assertEqual(self.sent(move), ("USA", ""))

    def test_number_or_use_code_never_both(self):
        self.exempt(number="TX-1", entity_use_code="G")
        self.assertEqual(self.sent(self.create_houston_invoice()), ("", "G"))

    def test_a_draft_or_another_companys_does_not_count(self):
        self.env["finance.tax.exemption"].create({"partner_id": self.customer.id, "number": "A"})
        other = self.setup_other_company()["company"]
        self.exempt(number="TX-1", company_id=other.id)
        self.assertEqual(self.sent(self.create_houston_invoice()), ("", ""))

    def test_no_tax_and_why(self):
        self.exempt(number="TX-99", country_id=self.env.ref("base.us").id)
        move = self.create_houston_invoice()
        move.action_post()
        self.assertEqual(move.amount_tax, 0.0)
        words = move.finance_tax_zero_words.splitlines()
        self.assertEqual(len(words), 3)
        self.assertIn("SHELF: the customer or this sale is exempt: TX-99", words[0])

    def test_a_taxed_line_has_no_reason(self):
        self.products[0].finance_tax_code = "NT"
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        self.assertIn("such a product is not taxed there", move.finance_tax_zero_words)
        self.assertEqual(len(move.finance_tax_zero_words.splitlines()), 1)

    def test_a_partial_refund_keeps_the_exemption_of_its_invoice(self):
        row = self.exempt(number="TX-1")
        move = self.create_houston_invoice()
        move.action_post()
        row.action_revoke()
        refund = move._reverse_moves()
        refund.invoice_line_ids[0].quantity = 1
        self.assertEqual(self.sent(refund), ("TX-1", ""))
        refund.action_post()
        self.assertEqual(refund.amount_tax, 0.0)
        taxed = self.create_houston_invoice()
        taxed.action_post()
        row.action_draft()
        row.action_confirm()
        late = taxed._reverse_moves()
        late.invoice_line_ids[0].quantity = 1
        self.assertEqual(self.sent(late), ("", ""), "exempt since: the original was not")

    def test_reminder_expiry_and_renewal(self):
        today = fields.Date.today()
        row = self.exempt(number="TX-1", valid_to=today + timedelta(days=20))
        Exemption = self.env["finance.tax.exemption"]
        Exemption._cron_expire()
        Exemption._cron_expire()
        self.assertEqual(len(row.activity_ids), 1)
        self.create_houston_invoice(invoice_date=today)
        row.valid_to = today - timedelta(days=1)
        Exemption._cron_expire()
        self.assertEqual(row.state, "expired")
        exception = self.env["finance.exception"].search(
            [("code", "=", "tax.exemption_expired"), ("document_id", "=", row.id)]
        )
        self.assertEqual(exception.state, "open")
        self.exempt(number="TX-2")
        self.assertEqual(exception.state, "resolved")

    def test_migration_keeps_what_stood_on_contacts(self):
        cr = self.env.cr
        self.env.flush_all()
        cr.execute(
            "ALTER TABLE res_partner ADD finance_tax_exemption_number varchar,"
            " ADD finance_tax_entity_use_code varchar"
        )
        cr.execute(
            "UPDATE res_partner SET finance_tax_exemption_number = 'OLD-7' WHERE id = %s",
            [self.customer.id],
        )
        spec = importlib.util.spec_from_file_location("migration", MIGRATION)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.migrate(cr, "19.0.1.0.0")
        module.migrate(cr, "19.0.1.0.0")
        self.env.invalidate_all()
        self.assertEqual(self.customer.finance_tax_exemption_ids.mapped("number"), ["OLD-7"])
        self.assertEqual(self.sent(self.create_houston_invoice()), ("OLD-7", ""))
