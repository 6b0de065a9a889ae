"""Addresses, tax codes, use codes, nexus and certificates, as the engine knows them."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import TaxEngineCommon


@tagged("post_install", "-at_install")
class TestKnowledge(TaxEngineCommon):
    def validate(self, record):
        action = record.action_finance_tax_address()
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_accept_the_engines_spelling(self):
        self.set_address(self.customer, "Houston", self.texas, "77002", "1200 McKinney Street")
        wizard = self.validate(self.create_houston_invoice())
        self.assertEqual((wizard.status, wizard.partner_id), ("corrected", self.customer))
        self.assertIn("1200 McKinney Street", wizard.entered)
        self.assertEqual(self.customer.street, "1200 McKinney Street", "nothing changes by itself")
        wizard.action_accept()
        self.assertEqual((self.customer.street, self.customer.zip), (wizard.street, wizard.zip))
        self.assertTrue(self.customer.finance_address_settled)
        self.customer.zip = "77003"
        self.assertFalse(self.customer.finance_address_settled)

    def test_policy_before_computing_and_keeping(self):
        self.workflow.tax_address = "refuse"
        self.set_address(self.customer, "Houston", self.texas, "77002", "1200 McKinney Street")
        move = self.create_houston_invoice()
        for _twice in range(2):
            with self.assertRaisesRegex(UserError, "accept the suggestion or keep"):
                move.action_post()
        self.assertEqual(self.calls, 1, "the answer is kept")
        self.validate(self.customer).action_keep()
        self.assertEqual(self.customer.street, "1200 McKinney Street")
        move.action_post()
        self.assertEqual(move.state, "posted")
        self.assertEqual(self.calls, 2)

    def test_other_countries_are_not_asked_for(self):
        self.workflow.tax_address = "refuse"
        self.customer.write({"country_id": self.env.ref("base.fr").id, "state_id": False})
        with self.assertRaisesRegex(UserError, "United States and Canada only"):
            self.customer.action_finance_tax_address()
        self.assertEqual(self.calls, 0)

    def test_search_and_use_a_tax_code(self):
        product = self.products[0].product_tmpl_id
        action = product.action_finance_tax_codes()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        wizard.text = "shipping"
        wizard.action_find()
        self.assertTrue(wizard.code_ids)
        wizard.code_id = wizard.code_ids[0]
        wizard.action_use()
        self.assertEqual(product.finance_tax_code, wizard.code_id.code)
        self.assertEqual(product.finance_tax_code_id, wizard.code_id)
        wizard.action_find()
        self.assertEqual(self.calls, 1, "the answer is kept")
        known = self.env["finance.tax.code"].name_search(wizard.code_id.description[:8])
        self.assertIn(wizard.code_id.id, [row[0] for row in known])

    def test_a_barcode_that_is_a_gtin_is_part_of_the_question(self):
        product, move = self.products[0], self.create_houston_invoice()
        for barcode, gtin in (
            ("036000291452", "036000291452"),
            ("4006381333931", "4006381333931"),
            ("036000291453", None),
            ("SHELF-1", None),
            (False, None),
        ):
            product.barcode = barcode
            request = move._finance_tax_request(self.workflow)
            self.assertEqual(request.lines[0].gtin, gtin, barcode)

    def test_freight_is_a_line_with_its_own_tax_code(self):
        product = self.products[2]
        product.finance_tax_code = "FR010000"
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        recording = self.server.sandbox.log.as_list("avatax")[-1]["body"]["createTransactionModel"]
        codes = {line["itemCode"]: line.get("taxCode") for line in recording["lines"]}
        self.assertEqual(codes, {"SHELF": None, "LAMP": None, "CABLE": "FR010000"})
        self.assert_exact(move)

    def test_use_codes_and_nexus_are_read_by_a_job(self):
        self.connector.action_tax_knowledge()
        self.drain()
        codes = self.env["finance.tax.code"].search([("kind", "=", "entity_use")])
        self.assertIn("G", codes.mapped("code"))
        self.assertIn("TX", self.connector.tax_nexus_ids.mapped("region"))
        before = len(codes), len(self.connector.tax_nexus_ids)
        self.env["finance.answer"].sudo().search([]).unlink()
        self.connector._cron_tax_refresh()
        self.drain()
        codes = self.env["finance.tax.code"].search([("kind", "=", "entity_use")])
        self.assertEqual((len(codes), len(self.connector.tax_nexus_ids)), before)
        exemption = self.env["finance.tax.exemption"].create(
            {"partner_id": self.customer.id, "number": "X"}
        )
        exemption.use_code_id = codes.filtered(lambda row: row.code == "G")
        self.assertEqual(exemption.entity_use_code, "G")

    def test_certificates_at_the_engine(self):
        action = self.customer.action_finance_tax_certificates()
        shown = self.env[action["res_model"]].browse(action["res_id"])
        self.assertFalse(shown.line_ids)
        self.customer.ref = "CERTIFIED"
        action = self.customer.action_finance_tax_certificates()
        texas, california = self.env[action["res_model"]].browse(action["res_id"]).line_ids
        self.assertEqual((texas.number, texas.region, texas.valid), ("TX-RESALE-2048", "TX", True))
        self.assertFalse(california.valid)

    def test_an_engine_that_is_down_or_lacks_it(self):
        self.break_engine("503")
        with self.assertRaisesRegex(UserError, "does not answer.*Nothing was changed"):
            self.customer.action_finance_tax_address()
        self.mend_engine()
        self.workflow.active = False
        with self.assertRaisesRegex(UserError, "validates no addresses"):
            self.customer.action_finance_tax_address()
        with self.assertRaisesRegex(UserError, "no list of codes"):
            self.products[0].product_tmpl_id.action_finance_tax_codes()

    def test_permissions(self):
        nobody = new_test_user(self.env, "tax_nobody", "base.group_user")
        with self.assertRaises(AccessError):
            self.customer.with_user(nobody).action_finance_tax_address()
        with self.assertRaises(AccessError):
            self.env["finance.tax.code"].with_user(nobody).search([])
