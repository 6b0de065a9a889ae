from odoo import api, models
from odoo.fields import Domain

from odoo.addons.finance_connector_base.models.finance_configuration_column import (
    Name,
    Section,
    Shown,
    same,
)

# A fiscal position that nobody has given a policy.
NO_POLICY = {
    "finance_vat_policy": "none",
    "finance_transport_proof": False,
    "finance_vat_triangular": False,
}


class FinanceConfiguration(models.AbstractModel):
    """What a company decides about tax is configuration. Jurisdictions, exemption numbers, codes of
    single products and the table of rates are data."""

    _inherit = "finance.configuration"

    @api.model
    def _sections(self):
        sections = super()._sections()
        return sections | {
            "workflows": sections["workflows"]
            .with_former(
                {"tax_countries": self.env._("Add rules under Configuration, Tax Routing instead.")}
            )
            .with_columns(
                {
                    "tax_outage": "tax_outage",
                    "tax_account": "tax_account_id",
                    "tax_fallback_connector": "tax_fallback_connector_id",
                    **same(
                        "tax_calculates",
                        "tax_records",
                        "tax_on_save",
                        "tax_outage_limit",
                        "tax_seconds",
                        "tax_address",
                        "vat_age_days",
                        "vat_quota",
                        "vat_on_save",
                        "vat_seconds",
                    ),
                }
            ),
            "tax_routes": Section(
                "finance.tax.route",
                self.env._("Tax Routing Rules"),
                identity=("key",),
                columns={
                    "key": "config_key",
                    "company": "company_id",
                    **same("name", "sequence", "active", "target"),
                    "connector": "connector_id",
                    "platform": "recorder_name",
                    "countries": "country_ids",
                    "fiscal_positions": "fiscal_position_ids",
                    "journals": "journal_ids",
                },
                absent={"active": False},
            ),
            "true_up_policies": Section(
                "finance.tax.true.up.policy",
                self.env._("True-up Policies"),
                identity=("company", "country"),
                optional=("country",),
                columns={
                    "company": "company_id",
                    "country": "country_id",
                    **same("way", "threshold"),
                    "account": "account_id",
                },
            ),
            "fiscal_positions": Section(
                "account.fiscal.position",
                self.env._("VAT Policies of Fiscal Positions"),
                identity=("company", "name"),
                columns={
                    "company": "company_id",
                    "name": Shown("name"),
                    "vat_policy": "finance_vat_policy",
                    "vat_unknown": "finance_vat_unknown",
                    "transport_proof": "finance_transport_proof",
                    "transport_days": "finance_transport_days",
                    "triangular_trade": "finance_vat_triangular",
                },
                domain=Domain.OR(Domain(name, "!=", value) for name, value in NO_POLICY.items()),
                creates=False,
                absent=NO_POLICY,
            ),
            "category_tax_codes": Section(
                "product.category",
                self.env._("Tax Codes of Product Categories"),
                identity=("category",),
                columns={"category": Shown("complete_name"), "tax_code": "finance_tax_code"},
                domain=Domain("finance_tax_code", "not in", (False, "")),
                creates=False,
                absent={"finance_tax_code": False},
            ),
        }

    @api.model
    def _names(self):
        return super()._names() | {
            "account.fiscal.position": Name(
                "name",
                self.env._("There is no fiscal position “%(word)s” in this company."),
                by_company=True,
            ),
        }
