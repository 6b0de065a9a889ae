from odoo import api, models

from ..providers.enable_banking import EnableBanking
from ..providers.gocardless_bad import GoCardlessBad
from ..providers.plaid import Plaid
from ..providers.ponto import Ponto

FEEDS = {feed.code: feed for feed in (EnableBanking, Plaid, Ponto, GoCardlessBad)}


class FinanceConnector(models.Model):
    _inherit = "finance.connector"

    @api.model
    def _provider_classes(self):
        return super()._provider_classes() | FEEDS
