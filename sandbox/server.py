"""The HTTP machinery shared by all vendors: one threading server, keep-alive, log, faults.

A fake server on ``http.server`` adds 40 ms to every keep-alive call when its small writes meet
Nagle's algorithm and delayed acknowledgement; so Nagle is off and an answer is one write.
"""

import contextlib
import http
import select
import socket
import socketserver
import ssl
import sys
import threading
import time
import traceback
from pathlib import Path

from .control import Control
from .faults import Faults
from .log import RequestLog
from .vendor import Request, Response, find_vendors

__all__ = ["DEFAULT_PORT", "Sandbox", "SandboxServer", "mutual_tls"]

DEFAULT_PORT = 8099
CONTROL_PREFIX = "_sandbox"
_REASONS = {status.value: status.phrase for status in http.HTTPStatus}


class Hangup(Exception):
    """The connection is to be closed without an answer."""


class Sandbox:
    """All vendors with their log, faults and latency; knows nothing of sockets."""

    def __init__(self, latency_ms=0.0, keep=20_000):
        self._first_latency_ms = latency_ms
        self.latency_ms = latency_ms
        self.vendors = find_vendors()
        self.faults = Faults()
        self.log = RequestLog(keep)
        self.control = Control(self)

    def reset(self):
        """Forget state, log, faults, and a latency set at run time."""
        self.faults.replace([])
        self.latency_ms = self._first_latency_ms
        for vendor in self.vendors.values():
            vendor.reset()
        self.log.clear()

    def answer(self, name, request, wait=time.sleep):
        """Return the response of the vendor called ``name``; ``wait(seconds)`` passes the time.

        :raises Hangup: a fault closes the connection without an answer.
        """
        vendor = self.vendors[name]
        entry = self.log.start(name, request)
        try:
            if self.latency_ms:
                wait(self.latency_ms / 1000)
            response = self._misbehave(vendor, request, entry, wait)
        except Hangup:
            entry.finish(None)
            raise
        if response.delay:
            wait(response.delay)
        response.headers = vendor.answer_headers(request) | response.headers
        entry.finish(response.status, response.encoded())
        return response

    def _misbehave(self, vendor, request, entry, wait):
        rule = self.faults.choose(vendor.prefix, request)
        if rule is None:
            return _act(vendor, request)
        entry.fault = rule.kind
        return _FAULTS[rule.kind](vendor, request, rule, wait)


def _act(vendor, request):
    try:
        return vendor.handle(request)
    except Exception as error:  # a mistake in the sandbox must be seen by the test that hit it
        traceback.print_exc()
        return vendor.crash(error)


def _refuse(vendor, _request, rule, _wait):
    headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
    if rule.kind == "429":
        headers.setdefault("Retry-After", "1")
    return Response(int(rule.kind), vendor.trouble(int(rule.kind)), headers=headers)


def _delay(vendor, request, rule, wait):
    try:
        wait(rule.delay_seconds)
    except Hangup:
        _act(vendor, request)  # a slow server acts whether or not the client still listens
        raise
    return _act(vendor, request)


def _act_then_timeout(vendor, request, rule, wait):
    _act(vendor, request)
    wait(rule.delay_seconds)
    raise Hangup


def _act_then_500(vendor, request, _rule, _wait):
    _act(vendor, request)
    return Response(500, vendor.trouble(500))


def _malformed(vendor, request, _rule, _wait):
    whole = _act(vendor, request)
    body = whole.encoded()
    return Response(whole.status, content=body[: len(body) // 2], headers=whole.headers)


def _drop(_vendor, _request, _rule, _wait):
    raise Hangup


_FAULTS = {
    "429": _refuse,
    "500": _refuse,
    "503": _refuse,
    "delay": _delay,
    "act_then_timeout": _act_then_timeout,
    "act_then_500": _act_then_500,
    "malformed": _malformed,
    "drop": _drop,
}


class Handler(socketserver.StreamRequestHandler):
    """One keep-alive connection: reads a request, hands it on, writes the answer in one piece."""

    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 300

    def handle(self):
        """Serve requests until the client or a fault closes the connection."""
        try:
            while self._serve_one():
                pass
        except ssl.SSLError:
            self._drain()
        except (ConnectionError, TimeoutError, Hangup):
            self.close_connection = True

    def _drain(self):
        """Read what the client still sends: closing before would take our alert away from it."""
        with contextlib.suppress(OSError):
            self.connection.settimeout(0.5)
            while socket.socket.recv(self.connection, 65_536):
                pass

    def finish(self):
        """Close quietly, also when the client has gone."""
        with contextlib.suppress(OSError):
            super().finish()

    def _serve_one(self):
        start = self.rfile.readline(65_537)
        if not start.strip():
            return False
        try:
            method, target, version = start.decode("latin-1").split()
        except ValueError:
            return self._write(Response(400, {"error": "not an HTTP request line"}), close=True)
        headers = self._read_headers()
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        body = self._read_body(headers)
        close = headers.get("connection", "").lower() == "close" or version == "HTTP/1.0"
        response = self._answer(method, target, headers, body)
        return self._write(response, close, body=method != "HEAD")

    def _read_headers(self):
        headers = {}
        while (line := self.rfile.readline(65_537)) not in (b"\r\n", b"\n", b""):
            name, _colon, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return headers

    def _read_body(self, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(iter(self._read_chunk, b""))
        length = int(headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError("the client broke off in the middle of its request")
        return body

    def _read_chunk(self):
        size = int(self.rfile.readline(100).split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline(100)
        return chunk

    def _answer(self, method, target, headers, body):
        path, _mark, query = target.partition("?")
        _empty, prefix, rest = (path + "/").split("/", 2)
        base_url = f"{self.server.scheme}://{headers.get('host', '')}/{prefix}"
        path = "/" + rest.rstrip("/")
        request = Request(method, path, query, headers, body, 0, base_url, self._peer())
        sandbox = self.server.sandbox
        if prefix == CONTROL_PREFIX:
            return sandbox.control.handle(request)
        if prefix not in sandbox.vendors:
            return Response(404, {"error": f"no vendor /{prefix}"})
        response = sandbox.answer(prefix, request, self._wait)
        if self.server.verbose:
            print(f"{prefix} {method} {request.path} {response.status}", file=sys.stderr)
        return response

    def _peer(self):
        """The common name of the client's certificate."""
        if not self.server.tls:
            return ""
        subject = dict(pair for part in self.connection.getpeercert()["subject"] for pair in part)
        return subject.get("commonName", "")

    def _wait(self, seconds):
        """Wait, but stop as soon as the client hangs up during a long silence."""
        if seconds < 0.5:
            time.sleep(seconds)
            return
        until = time.monotonic() + seconds
        readable, _w, _x = select.select([self.connection], [], [], seconds)
        if readable and not self.server.tls and not self.connection.recv(1, socket.MSG_PEEK):
            raise Hangup
        time.sleep(max(0, until - time.monotonic()))

    def _write(self, response, close, body=True):
        content = response.encoded() if body else b""
        lines = [
            f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(content)}",
        ]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if close:
            lines.append("Connection: close")
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + content)
        self.wfile.flush()
        return not close


class SandboxServer(socketserver.ThreadingTCPServer):
    """The server; ``url`` is where it listens. One thread a connection.

    ``tls`` (an ``ssl.SSLContext``) makes it speak TLS and ask for a client certificate; ``sandbox``
    lets it serve the vendors of another server.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(
        self, address=("127.0.0.1", 0), latency_ms=0.0, keep=20_000, verbose=False, *,
        tls=None, sandbox=None,
    ):  # fmt: skip
        self.sandbox = sandbox or Sandbox(latency_ms, keep)
        self.verbose, self.tls = verbose, tls
        super().__init__(address, Handler)

    @property
    def scheme(self):
        """Return "http", or "https" with TLS."""
        return "https" if self.tls else "http"

    def get_request(self):
        """Accept a connection; the handshake is left to its own thread."""
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    @property
    def url(self):
        """Return the base URL, without a trailing slash."""
        host, port = self.server_address[:2]
        return f"{self.scheme}://{host}:{port}"

    def start(self):
        """Serve from a daemon thread (for tests inside one process) and return the server."""
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self


def mutual_tls(folder):
    """Return the TLS context of a folder: ``server.pem`` (certificate and key) and ``ca.pem``.

    Who connects must show a certificate of that CA.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(folder) / "server.pem")
    context.load_verify_locations(Path(folder) / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context
