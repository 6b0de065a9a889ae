"""SOAP through the template: results, faults and broken answers, against the sandbox's register."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Held,
    Rejected,
    Transient,
    Uncertain,
)
from odoo.addons.finance_connector_base.providers.masking import mask_body
from odoo.addons.finance_connector_base.providers.session import (
    ConnectorConfig,
    Gate,
    Recorder,
    Session,
)
from odoo.addons.finance_connector_base.providers.soap import SoapProvider, _documents

import sandbox
from sandbox.server import SandboxServer

NAMESPACE = "{urn:sandbox:register:v1}"
IBAN = "DE89370400440532013000"


class Register(SoapProvider):
    """A register of companies."""

    code, label = "register", "Register"
    wsdl = Path(sandbox.__file__).parent / "soap.wsdl"
    binding = f"{NAMESPACE}RegisterSoap"
    endpoint = "/service"
    faults = {"REGISTER_BUSY": Transient, "INVALID_NUMBER": Rejected}

    def headers(self):
        return {"X-Client": "tests"}

    def look_up(self, number):
        return self.call("lookUp", taxNumber=number)

    def note(self, key, text):
        return self.call("leaveNote", key=key, text=text)


class Register12(Register):
    """The same in SOAP 1.2."""

    binding = f"{NAMESPACE}RegisterSoap12"


class Seen(Recorder):
    def __init__(self):
        self.exchanges = []

    def received(self, exchange):
        self.exchanges.append(exchange)


@pytest.fixture(scope="module")
def server():
    server = SandboxServer().start()
    yield server
    server.shutdown()


@pytest.fixture(params=[Register, Register12], ids=["1.1", "1.2"])
def register(request, server):
    server.sandbox.reset()
    config = ConnectorConfig(
        3, "Register", "register", "local", f"{server.url}/soap", timeouts=(1.0, 0.4)
    )
    return lambda **values: request.param(Session(config, recorder=Seen(), **values))


def test_values_keep_their_types(register):
    found = register().look_up("DE 123 & <so> on")
    assert found == {
        "taxNumber": "DE 123 & <so> on",
        "status": "ACTIVE",
        "since": date(2019, 4, 1),
        "capital": Decimal("25000.10"),
        "name": "Sandbox Trading GmbH",
        "iban": [IBAN],
    }
    answer = Answer(found, "lookUp")
    assert (answer.date("since"), answer.decimal("capital")) == (
        date(2019, 4, 1), Decimal("25000.10"),
    )  # fmt: skip
    with pytest.raises(ContractBroken, match="lookUp.city is missing"):
        answer.text("city")


def test_one_part_is_the_bare_value(register):
    assert [register().note("k", "first"), register().note("k", "second")] == [1, 2]


@pytest.mark.parametrize(
    ("number", "effect", "error", "code"),
    [
        ("BUSY", "question", Transient, "REGISTER_BUSY"),
        ("BUSY", "once", Transient, "REGISTER_BUSY"),
        ("BAD", "once", Rejected, "INVALID_NUMBER"),
        ("CRASH", "question", Transient, ""),
        ("CRASH", "idempotent", Transient, ""),
        ("CRASH", "once", Uncertain, ""),
        ("BOMB", "question", ContractBroken, ""),
        ("BOMB", "once", Uncertain, ""),
    ],
)
def test_faults(register, number, effect, error, code):
    provider = register(effect=effect)
    with pytest.raises(error) as raised:
        provider.look_up(number)
    assert (type(raised.value), raised.value.code) == (error, code)
    [exchange] = provider.session.recorder.exchanges
    assert exchange.outcome == ("contract" if error is ContractBroken else error.__name__.lower())


@pytest.mark.parametrize(
    ("kind", "effect", "error"),
    [
        ("malformed", "question", ContractBroken),
        ("malformed", "once", Uncertain),
        ("500", "idempotent", Transient),
        ("500", "once", Uncertain),
        ("503", "once", Transient),
        ("429", "once", Transient),
        ("drop", "question", Transient),
        ("act_then_timeout", "once", Uncertain),
        ("act_then_500", "once", Uncertain),
    ],
)
def test_trouble(server, register, kind, effect, error):
    server.sandbox.faults.replace([{"kind": kind, "delay_ms": 800, "vendor": "soap"}])
    with pytest.raises(error) as raised:
        register(effect=effect).note("k", "text")
    assert type(raised.value) is error
    assert len(server.sandbox.vendors["soap"].notes.get("k", [])) == kind.startswith(
        ("act", "malformed")
    )


def test_unknown_status_is_the_readers_business(register):
    """zeep does not check enumerations: `Answer.choice` does."""
    with pytest.raises(ContractBroken, match="unknown value 'SLEEPING'"):
        Answer(register().look_up("ODD")).choice("status", ("ACTIVE", "CLOSED"))


@pytest.mark.parametrize("values", [{}, {"taxNumber": None}, {"number": "1"}])
def test_what_the_wsdl_does_not_take_is_not_sent(register, values):
    provider = register(effect="once")
    with pytest.raises(Rejected, match="does not fit what Register takes") as raised:
        provider.call("lookUp", **values)
    assert raised.value.code == "schema"
    assert provider.session.recorder.exchanges == []


def test_gate_and_deadline_hold(register):
    class Closed(Gate):
        def enter(self):
            raise Held("stopped", retry_after=60, reason="stopped")

    with pytest.raises(Held):
        register(gate=Closed()).look_up("1")
    with pytest.raises(Transient, match="no time left"):
        register(deadline=0.0).look_up("1")


def test_authentication_is_the_templates(server, register, monkeypatch):
    from sandbox.vendor import Response

    vendor = server.sandbox.vendors["soap"]
    monkeypatch.setattr(vendor, "serve", lambda request: Response(401, content=b"<html/>"))
    with pytest.raises(AuthFailed):
        register().look_up("1")


def test_one_parsed_wsdl_a_process_without_a_connector(register):
    register().look_up("1")
    document = _documents[str(Register.wsdl)]
    register().look_up("2")
    assert _documents[str(Register.wsdl)] is document
    assert not hasattr(document.transport, "session")


def test_address_is_the_connectors_and_headers_the_providers(server, register):
    register().look_up("1")
    [line] = server.sandbox.log.as_list("soap")
    assert line["headers"]["x-client"] == "tests"
    told = line["headers"].get("soapaction", "") + line["headers"]["content-type"]
    assert "urn:sandbox:register:v1#lookUp" in told


def test_nothing_is_loaded_from_elsewhere(register, tmp_path):
    text = Register.wsdl.read_text()
    far = '<xsd:import namespace="urn:x" schemaLocation="http://127.0.0.1:9/x.xsd"/>'
    imports = text.replace("<xsd:simpleType", f"{far}<xsd:simpleType", 1)
    outside = imports.replace("http://127.0.0.1:9/x.xsd", "/etc/hostname")
    for number, wsdl in enumerate((imports, outside)):
        file = tmp_path / f"{number}.wsdl"
        file.write_text(wsdl)
        provider = register()
        provider.wsdl = file
        with pytest.raises(ValueError, match="not beside the WSDL"):
            provider.look_up("1")


def test_shown_bodies_are_masked(register):
    provider = register()
    provider.look_up("SECRET-NUMBER-0815")
    [exchange] = provider.session.recorder.exchanges
    shown = mask_body(exchange.request_body) + mask_body(exchange.response_body)
    assert IBAN not in shown and "SECRET-NUMBER" not in shown
    for part in ("••••3000", "••••0815", "ACTIVE", "25000.10", "lookUp"):
        assert part in shown
    assert not json.dumps(shown).count("Traceback")
