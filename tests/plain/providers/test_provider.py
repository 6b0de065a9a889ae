"""One exchange: which failure is which, against a real server on loopback."""

import json
import socket
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from odoo.addons.finance_connector_base.providers.base import Provider, dump_json
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Held,
    Rejected,
    Transient,
    Uncertain,
)
from odoo.addons.finance_connector_base.providers.session import (
    ConnectorConfig,
    Gate,
    Recorder,
    Session,
)

SECRET = "s3cret-license-key"


class Vendor(BaseHTTPRequestHandler):
    """Answers by path: /status/<code>, /slow, /garbage, /drop, /big, /elsewhere, /json."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.path, body, dict(self.headers)))
        self.answer(*self.path.partition("?")[0].strip("/").split("/"))

    do_GET = do_POST

    def answer(self, kind, *rest):
        if kind == "slow":
            self.server.release.wait(3)
        if kind == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status = int(rest[0]) if kind == "status" else 302 if kind in ("elsewhere", "near") else 200
        body = {"garbage": b"<html>", "big": b"x" * 200, "json": b'{"tax": 1.10}'}.get(kind, b"{}")
        self.send_response(status)
        if kind == "elsewhere":
            self.send_header("Location", "http://other.example.com/")
        if kind == "near":
            self.send_header("Location", "/json")
        if len(rest) > 1:
            self.send_header("Retry-After", rest[1])
        self.send_header("X-Request-Id", "req-1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        return


class Acme(Provider):
    code, label = "acme", "Acme"

    def authorize(self, request):
        request.headers["Authorization"] = f"Key {SECRET}"


class Memory(Recorder):
    def __init__(self):
        self.exchanges = []

    def received(self, exchange):
        self.exchanges.append(exchange)


class Counter(Gate):
    def __init__(self):
        self.ended = []

    def leave(self, ticket, error=None):
        self.ended.append(type(error).__name__ if error else "ok")


@pytest.fixture(scope="module")
def vendor():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    server.seen, server.release = [], threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.release.set()
    server.shutdown()


@pytest.fixture
def acme(vendor):
    return acme_at(f"http://127.0.0.1:{vendor.server_address[1]}")


def acme_at(base_url, effect="question"):
    config = ConnectorConfig(
        1, "Acme", "acme", "local", base_url, "v1", timeouts=(1.0, 0.5), secrets=(SECRET,)
    )
    return Acme(Session(config, gate=Counter(), recorder=Memory(), effect=effect))


@pytest.mark.parametrize(
    ("path", "effect", "error"),
    [
        ("/status/400", "once", Rejected),
        ("/status/401", "once", AuthFailed),
        ("/status/403", "question", AuthFailed),
        ("/status/429/7", "once", Transient),
        ("/status/503", "once", Transient),
        ("/status/500", "idempotent", Transient),
        ("/status/500", "once", Uncertain),
        ("/status/408", "once", Uncertain),
        ("/slow", "question", Transient),
        ("/slow", "once", Uncertain),
        ("/drop", "idempotent", Transient),
        ("/drop", "once", Uncertain),
        ("/garbage", "question", ContractBroken),
        ("/garbage", "once", Uncertain),
        ("/elsewhere", "question", Transient),
    ],
)
def test_failures(acme, path, effect, error):
    acme.session.effect = effect
    with pytest.raises(error) as raised:
        acme.send("POST", path, json={})
    assert type(raised.value) is error
    [exchange] = acme.session.recorder.exchanges
    outcome = "contract" if error is ContractBroken else error.__name__.lower()
    assert exchange.outcome == ("auth" if error is AuthFailed else outcome)
    assert acme.session.gate.ended == [error.__name__]


def test_retry_after_and_request_id(acme):
    with pytest.raises(Transient) as raised:
        acme.send("GET", "/status/429/7")
    assert (raised.value.retry_after, raised.value.request_id, raised.value.status) == (
        7.0, "req-1", 429,
    )  # fmt: skip


def test_no_connection_is_never_uncertain():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Transient, match="no connection"):
        acme_at(f"http://127.0.0.1:{port}", effect="once").send("POST", "/json")


def test_amounts_arrive_exact(acme):
    assert acme.send("GET", "/json") == {"tax": Decimal("1.10")}
    assert acme.send("GET", "/near") == {"tax": Decimal("1.10")}


def test_amounts_leave_exact():
    body = dump_json({"a": Decimal("0.10"), "b": Decimal("1234567.89"), "c": Decimal("100")})
    assert body == b'{"a":0.1,"b":1234567.89,"c":100}'
    assert json.loads(body, parse_float=Decimal)["b"] == Decimal("1234567.89")
    with pytest.raises(ValueError, match="more digits"):
        dump_json({"a": Decimal("0.12345678901234567890")})


def test_secret_is_in_no_record(acme, vendor):
    with pytest.raises(Rejected):
        acme.send("GET", "/status/404", params={"key": SECRET})
    [exchange] = acme.session.recorder.exchanges
    assert SECRET not in repr(exchange)
    assert vendor.seen[-1][2]["Authorization"] == f"Key {SECRET}"


def test_gate_keeps_us_away(acme, vendor):
    class Closed(Gate):
        def enter(self):
            raise Held("stopped", retry_after=60, reason="stopped")

    acme.session.gate = Closed()
    before = len(vendor.seen)
    with pytest.raises(Held):
        acme.send("GET", "/json")
    assert len(vendor.seen) == before


def test_size_limit(acme, monkeypatch):
    from odoo.addons.finance_connector_base.providers import http

    monkeypatch.setattr(http, "send", http.send)
    with pytest.raises(http.Unanswered, match="larger than 100 bytes"):
        http.send(
            http.Request("GET", f"{acme.config.base_url}/big"),
            pool="t", timeouts=(1, 1), max_body=100,
        )  # fmt: skip
