"""VIES, the European Commission's gateway to the VAT registers of the member states.

Contract: checkVatService.wsdl and the words in it; the test service answers by the number alone.
"""

import json
from pathlib import Path

from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import Rejected, Transient
from odoo.addons.finance_connector_base.providers.soap import SoapProvider

from ..canonical.vat import (
    DIFFERS,
    INVALID,
    MATCH,
    NOT_TOLD,
    VALID,
    VIES_PREFIXES,
    VatAnswer,
    compare,
    compare_address,
)
from .vat_registry import VatRegistry

WSDL = Path(__file__).parent / "wsdl" / "vies.wsdl"
# What stands where a member state does not disclose.
HIDDEN = "---"
MATCHES = {"1": MATCH, "2": DIFFERS, "3": NOT_TOLD}
ADDRESS_MATCHES = ("traderStreetMatch", "traderPostcodeMatch", "traderCityMatch")
# One member state does not answer; VIES itself, and the others, do.
OF_A_STATE = {
    "MS_UNAVAILABLE": "The register of the member state does not answer now",
    "TIMEOUT": "The register of the member state did not answer in time",
    "MS_MAX_CONCURRENT_REQ": "The member state gets more questions than it answers",
    "MS_MAX_CONCURRENT_REQ_TIME": "The member state gets more questions than it answers",
}
OF_VIES = (
    "SERVICE_UNAVAILABLE",
    "SERVER_BUSY",
    "GLOBAL_MAX_CONCURRENT_REQ",
    "GLOBAL_MAX_CONCURRENT_REQ_TIME",
)
REFUSED = {
    "INVALID_INPUT": "The number can't be a VAT number of that country",
    "INVALID_REQUESTER_INFO": "The number that asks is not valid: correct your company's VAT number",
    "VAT_BLOCKED": "The number that asks is blocked at VIES",
    "IP_BLOCKED": "This server is blocked at VIES",
}


class Vies(SoapProvider, VatRegistry):
    """VAT numbers of the European Union and Northern Ireland."""

    code, label = "vies", "VIES (European Union)"
    hosts = {
        "sandbox": "https://ec.europa.eu/taxation_customs/vies/services",
        "production": "https://ec.europa.eu/taxation_customs/vies/services",
    }
    wsdl = WSDL
    binding = "{urn:ec.europa.eu:taxud:vies:services:checkVat}checkVatBinding"
    # Inside the gate a member state's silence is an answer: it must not stop the others.
    faults = dict.fromkeys((*OF_A_STATE, *REFUSED), Rejected) | dict.fromkeys(OF_VIES, Transient)
    api_version = "2014-12"
    timeouts = (5.0, 15.0)
    rate = (2.0, 5)
    prefixes = requesters = VIES_PREFIXES

    @property
    def endpoint(self):
        """Path of the service; the test service has an address of its own."""
        test = self.config.environment == "sandbox"
        return "/checkVatTestService" if test else "/checkVatService"

    def ping(self):
        try:
            self.call("checkVat", countryCode="ZZ", vatNumber="1")
        except Rejected as answer:
            if answer.code != "INVALID_INPUT":
                raise
        return f"{self.label} answers"

    def check(self, question):
        try:
            found = self.call("checkVatApprox", **_values(question))
        except Rejected as error:
            raise self._meant(error) from error
        return _answer(question, found, self.api_version)

    def _meant(self, error):
        if error.code in OF_A_STATE:
            return Transient(f"{self.label}: {OF_A_STATE[error.code]}", code=error.code)
        words = REFUSED.get(error.code)
        return Rejected(f"{self.label}: {words}", code=error.code) if words else error


def _values(question):
    values = {
        "countryCode": question.number.prefix,
        "vatNumber": question.number.number,
        "traderName": question.name,
        "traderStreet": question.street,
        "traderPostcode": question.postal_code,
        "traderCity": question.city,
    }
    if question.requester:
        values |= {
            "requesterCountryCode": question.requester.prefix,
            "requesterVatNumber": question.requester.number,
        }
    return {name: value for name, value in values.items() if value}


def _answer(question, found, version):
    answer = Answer(found, "checkVatApproxResponse", version)
    name = _told(answer.text("traderName", default=""))
    parts = ("traderAddress", "traderStreet", "traderPostcode", "traderCity")
    told = [_told(answer.text(part, default="")) for part in parts]
    address = told[0] or "\n".join(part for part in told[1:] if part)
    name_match = answer.choice("traderNameMatch", MATCHES, default=NOT_TOLD)
    matches = [answer.choice(part, MATCHES, default=NOT_TOLD) for part in ADDRESS_MATCHES]
    address_match = next((match for match in (DIFFERS, MATCH) if match in matches), NOT_TOLD)
    if name_match == NOT_TOLD:
        name_match = compare(question.name, name)
    if address_match == NOT_TOLD:
        address_match = compare_address(question.postal_code, question.city, address)
    return VatAnswer(
        status=VALID if answer.boolean("valid") else INVALID,
        day=answer.date("requestDate"),
        name=name,
        address=address,
        name_match=name_match,
        address_match=address_match,
        request_id=answer.text("requestIdentifier", default=""),
        raw=json.dumps(found, default=str, ensure_ascii=False, sort_keys=True),
    )


def _told(text):
    return "" if text == HIDDEN else text.strip()
