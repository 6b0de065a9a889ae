from odoo import api, models

from ..providers.avatax import AvaTax
from ..providers.engine import TaxEngine
from ..providers.fixed_rates import FixedRates
from ..providers.hmrc import Hmrc
from ..providers.stripe_tax import StripeTax
from ..providers.taxjar import TaxJar
from ..providers.vies import Vies

ENGINES = {engine.code: engine for engine in (AvaTax, StripeTax, TaxJar, FixedRates)}
REGISTRIES = {registry.code: registry for registry in (Vies, Hmrc)}


class FinanceConnector(models.Model):
    _inherit = "finance.connector"

    @api.model
    def _provider_classes(self):
        return super()._provider_classes() | ENGINES | REGISTRIES

    @api.model
    def _tax_engines(self):
        """Return the codes of the providers that are tax engines."""
        return [
            code for code, cls in self._provider_classes().items() if issubclass(cls, TaxEngine)
        ]

    # === FIXED RATES === #

    def _offline_data(self, company):
        data = super()._offline_data(company)
        if self.provider != FixedRates.code:
            return data
        company = company or self.company_ids[:1]
        currencies = self.env["res.currency"].sudo().search([])
        return data | {
            "table": self.env["finance.tax.rate"]._rate_table(company),
            "decimals": {currency.name: currency.decimal_places for currency in currencies},
        }

    def _tax_basis(self, company):
        """Return the version of what an engine without a vendor calculates from, None for others.

        A draft whose tax came from another version is stale.
        """
        if self.provider != FixedRates.code:
            return None
        return self.env["finance.tax.rate"]._rate_table(company).version
