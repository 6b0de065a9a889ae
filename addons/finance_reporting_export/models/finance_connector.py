"""The destinations that this addon adds to the connectors."""

from odoo import api, models

DESTINATIONS = {}


class FinanceConnector(models.Model):
    _inherit = "finance.connector"

    @api.model
    def _provider_classes(self):
        return super()._provider_classes() | DESTINATIONS
