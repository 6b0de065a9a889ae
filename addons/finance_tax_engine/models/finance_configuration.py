from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_configuration_column import (
    Name,
    Section,
    Shown,
)


class FinanceConfiguration(models.AbstractModel):
    """What a company decides about tax is configuration. Jurisdictions, exemption numbers, codes of
    single products and the table of rates are data."""

    _inherit = "finance.configuration"

    @api.model
    def _sections(self):
        sections = super()._sections()
        return sections | {
            "workflows": sections["workflows"].with_columns(
                {
                    "tax_outage": "tax_outage",
                    "tax_account": "tax_account_id",
                    "tax_countries": "tax_country_ids",
                    "tax_seconds": "tax_seconds",
                }
            ),
            "category_tax_codes": Section(
                "product.category",
                self.env._("Tax Codes of Product Categories"),
                identity=("category",),
                columns={"category": Shown("complete_name"), "tax_code": "finance_tax_code"},
                domain=(("finance_tax_code", "not in", (False, "")),),
                creates=False,
                absent={"finance_tax_code": False},
            ),
        }

    @api.model
    def _names(self):
        return super()._names() | {
            "account.account": Name(
                "code",
                self.env._("There is no account of the code “%(word)s” in this company."),
                by_company=True,
            )
        }
