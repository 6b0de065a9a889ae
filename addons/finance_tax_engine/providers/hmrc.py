"""HMRC "Check a UK VAT number" API, version 2, restricted to applications (client credentials).

Contract: hmrc/vat-registered-companies-api, OpenAPI description of version 2.0.
"""

import json

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import Rejected
from odoo.addons.finance_connector_base.providers.oauth import OAuth2

from ..canonical.vat import (
    HMRC_PREFIXES,
    INVALID,
    VALID,
    VatAnswer,
    compare,
    compare_address,
)
from .vat_registry import VatRegistry

LOOKUP = "/organisations/vat/check-vat-number/lookup"
ADDRESS = ("line1", "line2", "line3", "line4", "line5", "postcode", "countryCode")
NOT_FOUND = "NOT_FOUND"


class Hmrc(VatRegistry):
    """VAT numbers of the United Kingdom."""

    code, label = "hmrc", "HMRC (United Kingdom)"
    hosts = {
        "sandbox": "https://test-api.service.hmrc.gov.uk",
        "production": "https://api.service.hmrc.gov.uk",
    }
    settings = (
        Setting("client_id", "Client ID", help="HMRC Developer Hub > Applications > Credentials"),
        Setting("client_secret", "Client secret", secret=True),
    )
    oauth = OAuth2("/oauth/token", scopes=("read:vat",), auth_method="client_secret_post")
    api_version = "2.0"
    timeouts = (5.0, 20.0)
    # Three a second for an application (HMRC reference guide, rate limiting).
    rate = (3.0, 3)
    prefixes = requesters = HMRC_PREFIXES

    def headers(self):
        return {"Accept": f"application/vnd.hmrc.{self.api_version}+json"}

    def classify(self, response):
        if response.status not in (400, 403, 404):
            return None
        try:
            problem = Answer(json.loads(response.body), "error", self.api_version)
        except ValueError:
            return None
        code, words = problem.text("code", default=""), problem.text("message", default="")
        if response.status == 403 and code == "INVALID_CREDENTIALS":
            return None
        return Rejected(f"{self.label}: {words or code}", code=code)

    def ping(self):
        self.client.token()
        return f"Signed in at {self.label}"

    def check(self, question):
        path = f"{LOOKUP}/{question.number.number}"
        if question.requester:
            path += f"/{question.requester.number}"
        try:
            found = self.send("GET", path)
        except Rejected as error:
            if error.code != NOT_FOUND:
                raise
            return VatAnswer(status=INVALID, raw=json.dumps({"code": NOT_FOUND}))
        return self._answer(question, found)

    def _answer(self, question, found):
        answer = Answer(found, "lookup", self.api_version)
        target = answer.object("target")
        told = target.object("address")
        address = "\n".join(filter(None, (told.text(part, default="") for part in ADDRESS)))
        name = target.text("name")
        return VatAnswer(
            status=VALID,
            day=answer.date("processingDate"),
            name=name,
            address=address,
            name_match=compare(question.name, name),
            address_match=compare_address(question.postal_code, question.city, address),
            request_id=answer.text("consultationNumber", default=""),
            raw=json.dumps(found, default=str, ensure_ascii=False, sort_keys=True),
        )
