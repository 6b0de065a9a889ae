"""The sandbox's HTTP machinery, log, faults and control interface."""

import base64
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sandbox.client import SandboxControl, SandboxControlError
from sandbox.faults import KINDS
from sandbox.server import SandboxServer
from sandbox.vendor import find_vendors

PING = "/avatax/api/v2/utilities/ping"
CREATE = "/avatax/api/v2/transactions/createoradjust"
HEADERS = {
    "Authorization": "Basic " + base64.b64encode(b"1100000001:SANDBOX-LICENSE-KEY-0001").decode(),
    "X-Avalara-Client": "Test; 1.0; Python; 1.0; machine",
}


@pytest.fixture
def server():
    server = SandboxServer().start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def control(server):
    return SandboxControl(server.url)


@pytest.fixture
def connection(server):
    connection = http.client.HTTPConnection(*server.server_address, timeout=5)
    yield connection
    connection.close()


def model(code):
    return {
        "createTransactionModel": {
            "type": "SalesInvoice",
            "code": code,
            "commit": True,
            "customerCode": "C",
            "date": "2026-03-01",
            "addresses": {"shipTo": {"region": "TX", "city": "Houston", "country": "US"}},
            "lines": [{"amount": 59.97}, {"amount": 59.99}, {"amount": 7.77}],
        }
    }


def call(connection, method, path, body=None, headers=HEADERS):
    """Return (status, parsed answer, headers)."""
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read()), answer.headers


def codes(control):
    return {document["code"] for document in control.state("avatax")["documents"]}


# === HTTP === #


def test_a_connection_is_kept(connection):
    call(connection, "GET", PING)
    first = connection.sock
    for _ in range(20):
        assert call(connection, "GET", PING)[0] == 200
    assert connection.sock is first


def test_parallel_clients_lose_nothing(server, control):
    def work(name):
        connection = http.client.HTTPConnection(*server.server_address)
        for number in range(25):
            call(connection, "POST", CREATE, model(f"{name}-{number}"))
            call(connection, "POST", CREATE, model("shared"))
        connection.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    documents = {one["code"]: one for one in control.state("avatax")["documents"]}
    assert len(documents) == 201
    assert (documents["shared"]["version"], documents["shared"]["committed"]) == (200, 200)
    assert len({one["id"] for one in documents.values()}) == 201
    assert control.count("avatax") == 400


def raw(server, *parts):
    with socket.create_connection(server.server_address, timeout=5) as client:
        for part in parts:
            client.sendall(part)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_old_and_odd_requests_are_understood(server):
    target = PING.encode()
    assert b"Connection: close" in raw(server, b"GET " + target + b" HTTP/1.0\r\n\r\n")
    twice = b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    assert raw(server, twice, twice).count(b"HTTP/1.1 200 OK") == 2
    chunked = (
        b"POST /avatax/api/v2/transactions/create HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\n{}\r\n0\r\n\r\n"
    )
    assert b"401 Unauthorized" in raw(server, chunked)
    assert raw(server, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_unknown_addresses(connection):
    assert call(connection, "GET", "/nobody/x")[:2] == (404, {"error": "no vendor /nobody"})
    assert call(connection, "GET", "/_sandbox/nothing")[0] == 404
    status, answer, _headers = call(connection, "GET", "/avatax/api/v2/nothing")
    assert (status, answer["error"]["code"]) == (404, "EntityNotFoundError")


def test_the_command_serves_until_it_is_stopped():
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--latency-ms", "60"],
        cwd=Path(__file__).parents[3],
        env=os.environ | {"FINANCE_SANDBOX_PORT": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    url = process.stdout.readline().split()[-1]
    assert SandboxControl(url).health()["latency_ms"] == 60
    process.terminate()
    assert process.wait(5) == 0
    process.stdout.close()


# === LOG === #


def test_the_log_shows_what_was_sent_without_the_secret(connection, control):
    call(connection, "POST", CREATE + "?$include=Lines", model("A"))
    (line,) = control.requests("avatax", answers=True)
    assert line["number"] == 1 and line["status"] == 200 and line["duration_ms"] > 0
    assert (line["method"], line["path"]) == ("POST", "/api/v2/transactions/createoradjust")
    assert line["query"] == {"$include": "Lines"}
    assert line["body"] == model("A")
    assert line["answer"]["code"] == "A"
    assert line["headers"]["authorization"] == "Basic ***"
    assert line["headers"]["x-avalara-client"].startswith("Test;")


def test_the_log_can_be_read_on_and_emptied(connection, control):
    for _ in range(3):
        call(connection, "GET", PING)
    assert [line["number"] for line in control.requests(since=1)] == [2, 3]
    assert control.requests("nobody") == []
    assert control.count() == control.count("avatax") == 3
    control.forget_requests()
    assert control.count() == 0
    assert "answer" not in control.requests("avatax")


def test_the_log_keeps_only_so_many():
    server = SandboxServer(keep=5).start()
    connection = http.client.HTTPConnection(*server.server_address)
    for _ in range(9):
        call(connection, "GET", PING)
    control = SandboxControl(server.url)
    assert [line["number"] for line in control.requests()] == [5, 6, 7, 8, 9]
    assert control.count("avatax") == 9
    connection.close()
    server.shutdown()
    server.server_close()


# === FAULTS === #


def create(connection, code="A"):
    """Return the status of a createoradjust, or the name of what went wrong."""
    try:
        return call(connection, "POST", CREATE, model(code))[0]
    except (OSError, http.client.HTTPException, ValueError) as error:
        connection.close()
        return type(error).__name__


@pytest.mark.parametrize(
    ("kind", "seen", "acted"),
    [
        ("429", 429, False),
        ("500", 500, False),
        ("503", 503, False),
        ("delay", 200, True),
        ("act_then_timeout", "RemoteDisconnected", True),
        ("act_then_500", 500, True),
        ("malformed", "JSONDecodeError", True),
        ("drop", "RemoteDisconnected", False),
    ],
)
def test_each_fault(connection, control, kind, seen, acted):
    control.set_faults({"kind": kind, "times": 1, "delay_ms": 30})
    assert create(connection) == seen
    assert codes(control) == ({"A"} if acted else set())
    (line,) = control.requests("avatax")
    assert line["fault"] == kind
    assert line["status"] == (
        None if seen == "RemoteDisconnected" else {"malformed": 200}.get(kind, seen)
    )
    assert create(connection) == 200


def test_every_kind_is_tried_above():
    mark = next(mark for mark in test_each_fault.pytestmark if mark.name == "parametrize")
    assert {row[0] for row in mark.args[1]} == set(KINDS)


def test_a_fault_speaks_the_vendors_language(connection, control):
    control.set_faults({"kind": "429", "retry_after": 7})
    status, answer, headers = call(connection, "GET", PING)
    assert (status, headers["Retry-After"]) == (429, "7")
    assert answer["error"]["details"][0]["code"] == "RateLimitExceededError"
    assert headers["x-correlation-id"] == "sandbox-00000001"
    control.set_faults({"kind": "429"})
    assert call(connection, "GET", PING)[2]["Retry-After"] == "1"


def test_faults_choose_by_vendor_method_and_path(connection, control):
    control.set_faults(
        {"kind": "500", "vendor": "nobody"},
        {"kind": "500", "match": "GET /createoradjust"},
        {"kind": "503", "match": "* /createoradjust$", "times": 2},
    )
    assert [create(connection) for _ in range(3)] == [503, 503, 200]
    assert call(connection, "GET", PING)[0] == 200
    assert [rule["hits"] for rule in control.faults()] == [0, 0, 2]
    control.set_faults({"kind": "500"})
    control.clear_faults()
    assert (create(connection), control.faults()) == (200, [])


def test_a_probable_fault_repeats_with_its_seed(connection, control):
    def series(seed):
        control.set_faults({"kind": "500", "probability": 0.5, "seed": seed})
        return [call(connection, "GET", PING)[0] for _ in range(30)]

    assert series(1) == series(1) != series(2)
    assert set(series(1)) == {200, 500}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "explode"}, "kind must be one of"),
        ({}, "kind is missing"),
        ({"kind": "500", "match": "/x"}, "METHOD /path-regex"),
        ({"kind": "500", "match": "GET ("}, "match: "),
        ({"kind": "500", "probability": 2}, "between 0 and 1"),
        ({"kind": "500", "tmies": 1}, "unknown field tmies"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_and_the_old_ones_stay(control, rule, words):
    control.set_faults({"kind": "drop"})
    with pytest.raises(SandboxControlError, match=words):
        control.set_faults(rule)
    assert [one["kind"] for one in control.faults()] == ["drop"]


def test_a_silent_fault_ends_when_the_client_gives_up(server, control):
    control.set_faults({"kind": "act_then_timeout"})
    connection = http.client.HTTPConnection(*server.server_address, timeout=0.2)
    assert create(connection) == "TimeoutError"
    deadline = time.monotonic() + 5
    while control.requests()[0]["duration_ms"] is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert control.requests()[0]["duration_ms"] < 5000
    assert codes(control) == {"A"}


def test_a_slow_vendor_acts_though_the_client_gave_up(server, control):
    control.set_faults({"kind": "delay", "delay_ms": 5000})
    connection = http.client.HTTPConnection(*server.server_address, timeout=0.2)
    assert create(connection) == "TimeoutError"
    deadline = time.monotonic() + 5
    while not codes(control) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert codes(control) == {"A"}


# === CONTROL === #


def test_health_reset_and_latency(connection, control):
    call(connection, "POST", CREATE, model("A"))
    control.set_faults({"kind": "500", "match": "POST /"})
    control.set_latency(80)
    assert control.health() == {
        "status": "ok",
        "vendors": sorted(find_vendors()),
        "requests": {"avatax": 1},
        "latency_ms": 80,
    }
    started = time.perf_counter()
    call(connection, "GET", PING)
    assert time.perf_counter() - started >= 0.08
    control.reset("avatax")
    assert codes(control) == set() and control.faults() and control.count() == 2
    control.reset()
    assert control.faults() == [] and control.count() == 0
    assert control.health()["latency_ms"] == 0


def test_state_of_one_and_of_all_vendors(connection, control):
    call(connection, "POST", CREATE, model("A"))
    everything = call(connection, "GET", "/_sandbox/state")[1]
    assert everything == {name: control.state(name) for name in find_vendors()}
    with pytest.raises(SandboxControlError, match="nobody"):
        control.state("nobody")
    with pytest.raises(SandboxControlError):
        control.reset("nobody")
