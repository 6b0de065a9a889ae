"""What a vendor's file builds on: request, response, and the base class with its routes."""

import importlib
import json
import pkgutil
import re
import threading
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import parse_qsl, unquote

__all__ = ["Refusal", "Request", "Response", "Vendor", "find_vendors", "to_json"]

_NO_BODY = object()


@dataclass(slots=True)
class Request:
    """One HTTP request as a vendor sees it; ``path`` is without the vendor's prefix, still quoted.

    ``number`` counts the requests since the last reset and identifies the line in the log.
    ``peer`` is the common name of the client certificate, "" without one.
    """

    method: str
    path: str
    query_string: str = ""
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    number: int = 0
    base_url: str = ""
    peer: str = ""

    @property
    def form(self):
        """Return the fields of a form in the body, the last value of a repeated name."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def query(self):
        """Return the query parameters as a dict, the last value of a repeated name."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    def header(self, name, default=""):
        """Return a header by its lower-case name."""
        return self.headers.get(name, default)

    def json(self):
        """Return the parsed body, numbers with a point as Decimal; None for an empty body.

        :raises ValueError: the body is not JSON.
        """
        return json.loads(self.body, parse_float=Decimal) if self.body.strip() else None


@dataclass(slots=True)
class Response:
    """What a vendor answers: a JSON ``payload`` or finished ``content``.

    ``delay`` (seconds) is waited after the vendor's lock is released and before the answer is sent.
    """

    status: int = 200
    payload: object = _NO_BODY
    content: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict = field(default_factory=dict)
    delay: float = 0.0

    def encoded(self):
        """Return the body as bytes; the payload is encoded once."""
        if self.payload is not _NO_BODY:
            self.content, self.payload = to_json(self.payload), _NO_BODY
        return self.content


class Refusal(Exception):
    """Raised inside a vendor to answer with an error; carries the finished response."""

    def __init__(self, response):
        super().__init__(response.status)
        self.response = response


def to_json(value):
    """Return compact JSON bytes; a Decimal becomes a JSON number.

    Amounts have at most 15 significant digits, so the shortest float text is the decimal's text.
    """
    return json.dumps(value, default=_plain, separators=(",", ":")).encode()


def _plain(value):
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Vendor:
    """One vendor: its routes, its state behind one lock, and the words it uses for trouble.

    A subclass sets ``prefix`` and ``routes``: rows of (HTTP method, path pattern, method name);
    ``{name}`` in a pattern matches one path segment and is handed over as a keyword.
    """

    prefix = ""
    routes = ()

    def __init__(self):
        self.lock = threading.RLock()
        self._compiled = [
            (method, re.compile(_pattern(path)), name) for method, path, name in self.routes
        ]
        self.reset()

    def reset(self):
        """Forget everything."""

    def state(self):
        """Return what the vendor knows, as JSON values, for assertions."""
        return {}

    def trouble(self, status):
        """Return the vendor's error body for a fault switch (429, 500, 503)."""
        return {"error": {"code": str(status)}}

    def answer_headers(self, request):
        """Return the headers that every answer of the vendor carries, also those of a fault."""
        return {}

    def not_found(self, request):
        """Return the answer to an address that the vendor does not have."""
        return Response(404, self.trouble(404))

    def crash(self, error):
        """Return the answer to a mistake in the sandbox itself; never expected."""
        return Response(500, {"sandbox_error": f"{type(error).__name__}: {error}"})

    def segment(self, raw):
        """Return a path segment decoded; vendors with an own escaping override this."""
        return unquote(raw)

    def handle(self, request):
        """Find the route and answer; refusals become their response."""
        for method, pattern, name in self._compiled:
            if method != request.method:
                continue
            found = pattern.fullmatch(request.path)
            if found:
                arguments = {key: self.segment(raw) for key, raw in found.groupdict().items()}
                return self._call(getattr(self, name), request, arguments)
        return self.not_found(request)

    def _call(self, method, request, arguments):
        try:
            with self.lock:
                return method(request, **arguments)
        except Refusal as refusal:
            return refusal.response


def _pattern(path):
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)


def find_vendors():
    """Return {prefix: vendor} for every Vendor subclass found in this package."""
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "__main__":
            importlib.import_module(f"{__package__}.{module.name}")
    return {vendor.prefix: vendor() for vendor in Vendor.__subclasses__()}
