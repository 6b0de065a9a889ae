"""Odoo's own field rests on evidence once a connector checks numbers; without one all is as before."""

from unittest.mock import patch

from odoo.exceptions import ValidationError

from odoo.addons.finance_tax_engine.tests.vat import FRENCH, VatCommon

CORE = "odoo.addons.base_vat.models.res_partner.check_vies"
OTHER = "FR44732829320"


class TestBaseVat(VatCommon):
    def setUp(self):
        super().setUp()
        self.company.vat_check_vies = True

    def test_evidence_decides_and_an_outage_changes_nothing(self):
        with patch(CORE, side_effect=AssertionError("asked while saving")):
            partner = self.create_customer("Twin", FRENCH, "fr")
            self.assertFalse(partner.vies_valid)
            self.assertEqual(self.questions(), [])
            self.customer.action_finance_vat_check()
            self.assertTrue(self.customer.vies_valid)
            self.assertTrue(partner.vies_valid, "the same number")
            self.silence(FR="MS_UNAVAILABLE")
            self.env["finance.answer"].sudo().search([]).unlink()
            self.customer.action_finance_vat_check()
            self.assertEqual(self.checks()[0].status, "unknown")
            self.assertTrue(self.customer.vies_valid)
            self.silence()
            self.customer.vat = OTHER
            self.assertFalse(self.customer.vies_valid)
            self.customer.vat = FRENCH
            self.assertTrue(self.customer.vies_valid, "evidence is there still")

    def test_nobody_sets_it_without_evidence(self):
        with self.assertRaisesRegex(ValidationError, "Press Check Now"):
            self.customer.vies_valid = True
            self.env.flush_all()

    def test_without_a_connector_odoo_asks_as_before(self):
        self.env["finance.workflow"].search([("flow", "=", "vat")]).active = False
        with patch(CORE, return_value={"valid": True}) as asked:
            partner = self.create_customer("Alone", OTHER, "fr")
            self.assertTrue(partner.vies_valid)
        self.assertEqual(asked.call_count, 1)
