from odoo import api, models

from ..providers.enable_banking import EnableBanking
from ..providers.plaid import Plaid

FEEDS = {feed.code: feed for feed in (EnableBanking, Plaid)}


class FinanceConnector(models.Model):
    _inherit = "finance.connector"

    @api.model
    def _provider_classes(self):
        return super()._provider_classes() | FEEDS
