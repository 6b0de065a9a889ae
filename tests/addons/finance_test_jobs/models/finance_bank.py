from odoo import api, models

from odoo.addons.finance_connector_base.providers.base import Provider, Setting
from odoo.addons.finance_connector_base.providers.oauth import OAuth2

from .finance_connector import Echo


class Bank(Echo):
    """The sandbox's authorization server, and the echo behind it: a person signs in."""

    code, label = "test_bank", "Sandbox Bank (tests)"
    oauth = OAuth2("/token", "/authorize", "/revoke", scopes=("read", "write"))
    settings = (
        Setting("client_id", "Client ID", default="sandbox-client"),
        Setting("client_secret", "Client secret", secret=True),
    )
    authorize = Provider.authorize

    def ping(self):
        return f"Signed in as {self.send('GET', '/me')['text']}"


class FinanceConnector(models.Model):
    _inherit = "finance.connector"

    @api.model
    def _provider_classes(self):
        return super()._provider_classes() | {Bank.code: Bank}
