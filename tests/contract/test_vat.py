"""Registries of VAT numbers: VIES judged by the Commission's WSDL and by zeep's own client, HMRC by
the field list of its description.
"""

import json
import re
from dataclasses import replace

import pytest
import zeep
from lxml import etree

from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ProviderError,
    Rejected,
    Transient,
)
from odoo.addons.finance_connector_base.providers.session import (
    ConnectorConfig,
    Recorder,
    Session,
)
from odoo.addons.finance_tax_engine.canonical.vat import (
    DIFFERS,
    INVALID,
    MATCH,
    NOT_TOLD,
    VALID,
    VatNumber,
    VatQuestion,
    read,
)
from odoo.addons.finance_tax_engine.providers.hmrc import Hmrc
from odoo.addons.finance_tax_engine.providers.vies import WSDL, Vies

from sandbox import hmrc as stand_in
from sandbox.vies import BY_NUMBER
from tests.contract import openapi

OFFICIAL = openapi.SPECS / "vies" / "checkVatService.wsdl"
US = VatNumber("BE", "0477472701")
LOIRE = VatQuestion(
    read("FR23334175221"), US, "Loire Distribution SAS", "2 Rue Centrale", "44000", "Nantes"
)
# Fields of a 200 and of an error (HMRC, OpenAPI description 2.0): name to required, at each level.
HMRC_FIELDS = {
    "": {"target": True, "requester": False, "consultationNumber": False, "processingDate": True},
    "target": {"name": True, "vatNumber": True, "address": True},
    "target.address": {"line1": True, "countryCode": True, "line2": False, "postcode": False},
}


class Seen(Recorder):
    def __init__(self):
        self.exchanges = []

    def received(self, exchange):
        self.exchanges.append(exchange)


@pytest.fixture
def vies(sandbox_url):
    """The provider on the stand-in; what went over the wire fits the official WSDL afterwards."""
    config = ConnectorConfig(1, "v", "vies", "local", f"{sandbox_url}/vies")
    provider = Vies(Session(config, recorder=Seen()))
    yield provider
    if OFFICIAL.exists():
        schema = etree.parse(OFFICIAL).find(".//{http://www.w3.org/2001/XMLSchema}schema")
        schema = etree.XMLSchema(etree.fromstring(etree.tostring(schema)))
        for exchange in provider.session.recorder.exchanges:
            for message in (exchange.request_body, exchange.response_body):
                content = etree.fromstring(message).find("{*}Body")[0]
                if etree.QName(content).localname != "Fault":
                    assert schema.validate(content), schema.error_log


@pytest.fixture
def hmrc(sandbox_url):
    settings = {"client_id": stand_in.CLIENT_ID, "client_secret": stand_in.CLIENT_SECRET}
    config = ConnectorConfig(
        1, "h", "hmrc", "local", f"{sandbox_url}/hmrc", settings=settings,
        secrets=(stand_in.CLIENT_SECRET,),
    )  # fmt: skip
    provider = Hmrc(Session(config, recorder=Seen()))
    yield provider
    for exchange in provider.session.recorder.exchanges:
        if exchange.status == 200 and "/lookup/" in exchange.url:
            _check_fields(json.loads(exchange.response_body))


def _check_fields(answer, where=""):
    allowed = HMRC_FIELDS[where]
    assert set(answer) <= set(allowed), where
    assert {name for name, required in allowed.items() if required} <= set(answer), where
    for name, value in answer.items():
        if isinstance(value, dict):
            _check_fields(value, f"{where}.{name}".lstrip("."))


# === VIES === #


def test_a_valid_number_with_a_consultation_number(vies, sandbox):
    answer = vies.check(LOIRE)
    assert (answer.status, answer.name_match, answer.address_match) == (VALID, MATCH, MATCH)
    assert answer.address == "2 Rue Centrale\n44000 Nantes"
    assert answer.request_id in sandbox.state("vies")["consultations"]
    assert json.loads(answer.raw)["requestIdentifier"] == answer.request_id


def test_no_requester_no_consultation_number(vies):
    answer = vies.check(VatQuestion(read("EL123456783")))
    assert (answer.status, answer.request_id, answer.name_match) == (VALID, "", NOT_TOLD)
    assert answer.name == "AEGEAN FOODS SA"


def test_an_invalid_number_has_a_consultation_number_too(vies):
    answer = vies.check(VatQuestion(read("DE999999999"), US))
    assert (answer.status, answer.name) == (INVALID, "")
    assert answer.request_id


def test_what_a_state_does_not_disclose(vies):
    answer = vies.check(VatQuestion(read("DE123456788"), US, name="Elbe Werkzeug GmbH"))
    assert (answer.status, answer.name, answer.name_match) == (VALID, "", NOT_TOLD)
    spanish = VatQuestion(read("ESA12345674"), US, "Other Name", "Calle Mayor 1", "28013", "Madrid")
    answer = vies.check(spanish)
    assert (answer.status, answer.name_match, answer.address_match) == (VALID, DIFFERS, MATCH)


@pytest.mark.parametrize("number", [number for number, fault in BY_NUMBER.items() if fault])
def test_every_fault(vies, number):
    fault = BY_NUMBER[number]
    refused = fault in ("INVALID_INPUT", "INVALID_REQUESTER_INFO", "VAT_BLOCKED", "IP_BLOCKED")
    with pytest.raises(ProviderError) as raised:
        vies.check(VatQuestion(VatNumber("FR", number), US))
    assert type(raised.value) is (Rejected if refused else Transient)
    assert fault in (raised.value.code, raised.value.message.rpartition(": ")[2])


def test_a_state_that_is_silent_does_not_stop_the_others(vies):
    left = []
    vies.session.gate.leave = lambda ticket, error=None: left.append(type(error))
    with pytest.raises(Transient):
        vies.check(VatQuestion(VatNumber("FR", "301")))
    with pytest.raises(Transient):
        vies.check(VatQuestion(VatNumber("FR", "300")))
    assert left == [Rejected, Transient]


def test_a_wrong_requester_says_nothing_about_the_number(vies):
    with pytest.raises(Rejected, match="correct your company's VAT number"):
        vies.check(replace(LOIRE, requester=VatNumber("BE", "0000000000")))


def test_ping(vies):
    assert "answers" in vies.ping()


def test_the_test_service_has_its_own_path(sandbox_url):
    config = ConnectorConfig(1, "v", "vies", "sandbox", f"{sandbox_url}/vies")
    assert Vies(Session(config)).endpoint == "/checkVatTestService"


@pytest.mark.skipif(not OFFICIAL.exists(), reason="optional: no copy of the published WSDL")
def test_zeep_with_the_official_wsdl_takes_the_stand_in_for_vies(sandbox_url):
    client = zeep.Client(str(OFFICIAL))
    binding = "{urn:ec.europa.eu:taxud:vies:services:checkVat}checkVatBinding"
    service = client.create_service(binding, f"{sandbox_url}/vies/checkVatService")
    plain = service.checkVat("IE", "1234567FA")
    assert (plain.valid, plain.name) == (True, "Shannon Software Ltd")
    asked = {"requesterCountryCode": "BE", "requesterVatNumber": "0477472701"}
    assert service.checkVatApprox("XI", "123456782", **asked).requestIdentifier
    with pytest.raises(zeep.exceptions.Fault, match="INVALID_INPUT"):
        service.checkVat("US", "1")


@pytest.mark.skipif(not OFFICIAL.exists(), reason="optional: no copy of the published WSDL")
def test_our_wsdl_has_the_same_parts_as_the_official_one():
    ours, official = (zeep.Client(str(path)).wsdl.types for path in (WSDL, OFFICIAL))
    namespace = "{urn:ec.europa.eu:taxud:vies:services:checkVat:types}"
    for name in ("checkVat", "checkVatResponse", "checkVatApprox", "checkVatApproxResponse"):
        parts = [
            [(part, element.min_occurs, element.nillable)
             for part, element in types.get_element(namespace + name).type.elements]
            for types in (ours, official)
        ]  # fmt: skip
        assert parts[0] == parts[1], name


# === HMRC === #


def test_hmrc_says_whose_number_it_is(hmrc, sandbox):
    question = VatQuestion(read("GB123456782"), VatNumber("GB", "553557881"), "THAMES BOOKS LTD")
    answer = hmrc.check(replace(question, postal_code="WC2R 0AP", city="London"))
    assert (answer.status, answer.name_match, answer.address_match) == (VALID, MATCH, MATCH)
    assert sandbox.state("hmrc")["consultations"] == {answer.request_id: "123456782"}
    assert hmrc.check(VatQuestion(read("GB123456782"))).request_id == ""
    tokens = [e for e in hmrc.session.recorder.exchanges if e.url.endswith("/oauth/token")]
    assert len(tokens) == 1
    assert not any(stand_in.CLIENT_SECRET in e.request_body.decode() for e in tokens)


def test_hmrc_not_found_is_an_answer(hmrc):
    assert hmrc.check(VatQuestion(read("GB999999999"))).status == INVALID


def test_hmrc_refuses_the_question_or_who_asks(hmrc):
    with pytest.raises(Rejected, match="9 or 12 digits"):
        hmrc.check(VatQuestion(read("GB12")))
    with pytest.raises(Rejected, match="requesterVrn does not match"):
        hmrc.check(VatQuestion(read("GB123456782"), VatNumber("GB", "111111111")))


def test_hmrc_wrong_secret(hmrc):
    hmrc.config.settings["client_secret"] = "wrong"
    with pytest.raises(AuthFailed, match="Enter them again"):
        hmrc.ping()


def test_hmrc_down_is_no_answer(hmrc, sandbox):
    hmrc.ping()
    sandbox.set_faults({"vendor": "hmrc", "kind": "503"})
    with pytest.raises(Transient):
        hmrc.check(VatQuestion(read("GB123456782")))
    assert re.search(r"\b503\b", str([e.status for e in hmrc.session.recorder.exchanges]))
