"""One tax per authority and rate; what two transactions do is tried in tests/system."""

from decimal import Decimal

from odoo.tests import tagged

from ..canonical.tax import JurisdictionTax
from .common import TaxEngineCommon


@tagged("post_install", "-at_install")
class TestJurisdictions(TaxEngineCommon):
    def tax(self, code="201", rate="0.00975", kind="county", region="TX"):
        zero = Decimal(0)
        return JurisdictionTax("1", kind, code, "HARRIS", "US", region, Decimal(rate), zero, zero)

    def taxes(self, *wanted):
        return self.env["finance.tax.jurisdiction"]._taxes(
            self.company,
            self.env.ref("base.us"),
            wanted,
            self.company_data["default_account_tax_sale"],
        )

    def test_the_same_key_is_the_same_tax(self):
        first, again = self.taxes(self.tax()), self.taxes(self.tax(rate="0.009750"))
        self.assertEqual(first, again)

    def test_code_rate_and_state_make_another_tax(self):
        found = self.taxes(
            self.tax(), self.tax(code="202"), self.tax(rate="0.01"), self.tax(region="GA")
        )
        self.assertEqual(len({tax.id for tax in found.values()}), 4)
        self.assertEqual(len({tax.tax_group_id for tax in found.values()}), 1)

    def test_a_second_row_of_a_key_is_impossible(self):
        row = self.env["finance.tax.jurisdiction"]
        self.taxes(self.tax())
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO finance_tax_jurisdiction (company_id, country_id, key, kind)
            SELECT company_id, country_id, key, kind FROM finance_tax_jurisdiction
             WHERE company_id = %s ON CONFLICT DO NOTHING RETURNING id
            """,
            [self.company.id],
        )
        self.assertFalse(self.env.cr.fetchall())
        self.assertEqual(row.search_count([("company_id", "=", self.company.id)]), 2)
