"""SOAP judged by others: what we send and what the sandbox answers by the schema of its WSDL, read
by libxml2, and the sandbox by zeep's own client on the WSDL that it serves.
"""

from pathlib import Path

import pytest
import zeep
from lxml import etree

from odoo.addons.finance_connector_base.providers.errors import Rejected
from odoo.addons.finance_connector_base.providers.session import (
    ConnectorConfig,
    Recorder,
    Session,
)
from odoo.addons.finance_connector_base.providers.soap import SoapProvider

import sandbox as stand_ins
from tests.contract import openapi

WSDL = Path(stand_ins.__file__).parent / "soap.wsdl"
NAMESPACE = "{urn:sandbox:register:v1}"
VIES = openapi.SPECS / "vies" / "checkVatService.wsdl"


class Register(SoapProvider):
    code, label = "register", "Register"
    wsdl, binding, endpoint = WSDL, f"{NAMESPACE}RegisterSoap", "/service"
    faults = {"INVALID_NUMBER": Rejected}


class Register12(Register):
    binding = f"{NAMESPACE}RegisterSoap12"


class Seen(Recorder):
    def __init__(self):
        self.exchanges = []

    def received(self, exchange):
        self.exchanges.append(exchange)


def schema_of(wsdl):
    """The XML schema inside a WSDL, with the namespaces around it."""
    schema = etree.parse(wsdl).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    return etree.XMLSchema(etree.fromstring(etree.tostring(schema)))


def content_of(envelope):
    """What stands in the body of an envelope: the part of a fault's detail, else the message."""
    body = etree.fromstring(envelope).find("{*}Body")
    found = body.findall(".//{urn:sandbox:register:types:v1}registerFault")
    return found[0] if found else body[0]


@pytest.mark.parametrize("cls", [Register, Register12])
def test_messages_fit_the_schema(sandbox_url, cls):
    config = ConnectorConfig(1, "r", "register", "local", f"{sandbox_url}/soap")
    provider = cls(Session(config, recorder=Seen()))
    provider.call("lookUp", taxNumber="DE1")
    provider.call("leaveNote", key="k", text="a < b & c")
    with pytest.raises(Rejected):
        provider.call("lookUp", taxNumber="BAD")
    schema = schema_of(WSDL)
    assert len(provider.session.recorder.exchanges) == 3
    for exchange in provider.session.recorder.exchanges:
        for message in (exchange.request_body, exchange.response_body):
            assert schema.validate(content_of(message)), schema.error_log
    assert not schema.validate(etree.fromstring('<x xmlns="urn:sandbox:register:types:v1"/>'))


@pytest.mark.parametrize("port", ["RegisterSoap", "RegisterSoap12"])
def test_zeep_takes_the_sandbox_for_a_service(sandbox_url, port):
    client = zeep.Client(f"{sandbox_url}/soap/service?wsdl", port_name=port,
                         settings=zeep.Settings(force_https=False))  # fmt: skip
    found = client.service.lookUp("CLOSED-7")
    assert (found.status, str(found.capital)) == ("CLOSED", "25000.10")
    assert client.service.leaveNote("k", "x") == 1
    with pytest.raises(zeep.exceptions.Fault, match="INVALID_NUMBER") as raised:
        client.service.lookUp("BAD-7")
    assert raised.value.detail[0][0].text == "INVALID_NUMBER"


@pytest.mark.skipif(not VIES.exists(), reason="optional: no copy of the published WSDL")
def test_a_published_wsdl(monkeypatch):
    """The requests that we would send to VIES fit the Commission's own description."""
    from odoo.addons.finance_connector_base.providers import http

    class Vies(SoapProvider):
        code, label, wsdl, endpoint = "vies", "VIES", VIES, "/checkVatService"
        binding = "{urn:ec.europa.eu:taxud:vies:services:checkVat}checkVatBinding"

    sent = []
    answer = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
      <checkVatResponse xmlns="urn:ec.europa.eu:taxud:vies:services:checkVat:types">
      <countryCode>DE</countryCode><vatNumber>1</vatNumber><requestDate>2026-03-01+01:00</requestDate>
      <valid>false</valid></checkVatResponse></s:Body></s:Envelope>"""

    def send(request, **_options):
        sent.append(request)
        return http.Response(200, {"Content-Type": "text/xml"}, answer.encode(), request.url)

    monkeypatch.setattr(http, "send", send)
    config = ConnectorConfig(1, "v", "vies", "local", "http://127.0.0.1:1")
    found = Vies(Session(config)).call("checkVat", countryCode="DE", vatNumber="1")
    assert (found["valid"], found["name"]) == (False, None)
    schema = schema_of(VIES)
    assert schema.validate(etree.fromstring(sent[0].body).find("{*}Body")[0]), schema.error_log
    assert schema.validate(etree.fromstring(answer).find("{*}Body")[0]), schema.error_log
