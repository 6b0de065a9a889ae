from odoo import api, models

from ..providers.avatax import AvaTax
from ..providers.engine import TaxEngine


class FinanceConnector(models.Model):
    _inherit = "finance.connector"

    @api.model
    def _provider_classes(self):
        return super()._provider_classes() | {AvaTax.code: AvaTax}

    @api.model
    def _tax_engines(self):
        """Return the codes of the providers that are tax engines."""
        return [
            code for code, cls in self._provider_classes().items() if issubclass(cls, TaxEngine)
        ]
