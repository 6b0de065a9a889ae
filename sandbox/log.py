"""The request log: what came in, what was answered, how long it took; secrets masked."""

import collections
import itertools
import json
import threading
import time
from datetime import UTC, datetime

__all__ = ["MASKED_HEADERS", "RequestLog"]

#: Headers whose value is a secret; only the scheme of an Authorization is kept.
MASKED_HEADERS = {"authorization", "cookie", "proxy-authorization", "x-api-key"}


class _Entry:
    __slots__ = (
        "answer",
        "at",
        "duration_ms",
        "fault",
        "number",
        "request",
        "started",
        "status",
        "vendor",
    )

    def __init__(self, number, vendor, request):
        self.number = number
        self.vendor = vendor
        self.request = request
        self.at = time.time()
        self.started = time.perf_counter()
        self.status = None
        self.answer = b""
        self.fault = None
        self.duration_ms = None

    def finish(self, status, answer=b""):
        """Note what was answered; status None = the connection was closed without an answer."""
        self.status = status
        self.answer = answer
        self.duration_ms = round((time.perf_counter() - self.started) * 1000, 3)

    def as_dict(self, answers):
        """Return the line as JSON values."""
        request = self.request
        line = {
            "number": self.number,
            "vendor": self.vendor,
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds"),
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "query_string": request.query_string,
            "headers": {name: _masked(name, value) for name, value in request.headers.items()},
            "body": _readable(request.body),
            "status": self.status,
            "fault": self.fault,
            "duration_ms": self.duration_ms,
        }
        if answers:
            line["answer"] = _readable(self.answer)
        return line


def _masked(name, value):
    if name not in MASKED_HEADERS:
        return value
    scheme, space, _secret = value.partition(" ")
    return f"{scheme} ***" if space else "***"


def _readable(body):
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


class RequestLog:
    """The last ``keep`` requests, the last ``keep_answers`` of them with what was answered.

    Counting goes on beyond what is kept. Thread-safe.
    """

    def __init__(self, keep=20_000, keep_answers=2_000):
        self._keep = keep
        self._keep_answers = keep_answers
        self._lock = threading.Lock()
        self.clear()

    def clear(self):
        """Forget all requests and start counting at 1."""
        with self._lock:
            self._numbers = itertools.count(1)
            self._entries = collections.deque(maxlen=self._keep)
            self._counts = collections.Counter()

    def start(self, vendor, request):
        """Note a request on arrival, number it, and return its entry to be finished."""
        with self._lock:
            entry = _Entry(next(self._numbers), vendor, request)
            request.number = entry.number
            self._entries.append(entry)
            self._counts[vendor] += 1
            if len(self._entries) > self._keep_answers:
                self._entries[-self._keep_answers - 1].answer = b""
        return entry

    def counts(self):
        """Return {vendor: requests since the last clear}."""
        with self._lock:
            return dict(self._counts)

    def as_list(self, vendor=None, since=0, answers=False):
        """Return the kept requests of a vendor (None = all) with a number above ``since``."""
        with self._lock:
            entries = list(self._entries)
        return [
            entry.as_dict(answers)
            for entry in entries
            if vendor in (None, entry.vendor) and entry.number > since
        ]
