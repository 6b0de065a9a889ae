import json
import time

from odoo import api, models

from odoo.addons.finance_connector_base.providers.base import Provider, Setting
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import Rejected


class Echo(Provider):
    """A vendor for tests: `POST /echo` answers what it got and counts keys."""

    code, label = "test_echo", "Echo (tests)"
    rate = (100000.0, 100000)
    timeouts = (2.0, 5.0)
    settings = (Setting("token", "Token", secret=True, required=False),)

    def authorize(self, request):
        if token := self.config.settings.get("token"):
            request.headers["Authorization"] = f"Bearer {token}"

    def classify(self, response):
        if response.status != 422:
            return None
        error = Answer(json.loads(response.body)).object("error")
        return Rejected(error.text("message"), code=error.text("code"))

    def ping(self):
        self.send("GET", "/ping")
        return "Echo is there"

    def echo(self, text):
        answer = self.send("POST", "/echo", json={"text": text, "key": self.session.key})
        return Answer(answer).text("text")

    def find(self, key):
        found = self.send("GET", "/echo", params={"key": key})
        return Answer(found).text("text", default=None)

    def sleep(self, seconds):
        time.sleep(seconds)


class FinanceConnector(models.Model):
    _inherit = "finance.connector"

    @api.model
    def _provider_classes(self):
        return super()._provider_classes() | {Echo.code: Echo}
