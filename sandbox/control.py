"""The control interface under ``/_sandbox/``: for tests, benchmarks and the demo, without auth.

====================================  =============================================================
``GET /_sandbox/health``              ``{"status", "vendors", "requests": {vendor: n}, "latency_ms"}``
``POST /_sandbox/reset``              forgets state, log, faults and latency; ``?vendor=`` only the
                                      state of that vendor
``GET /_sandbox/requests``            ``?vendor=`` ``&since=NUMBER`` ``&answers=1`` (with answers)
``DELETE /_sandbox/requests``         empties the log
``GET|PUT|DELETE /_sandbox/faults``   list of rules, see :mod:`sandbox.faults`
``GET|PUT /_sandbox/latency``         ``{"ms": 50}``: waited before every vendor call
``GET /_sandbox/state``               ``?vendor=``: what the vendor knows
====================================  =============================================================
"""

from .faults import FaultError
from .vendor import Response

__all__ = ["Control"]


class Control:
    """Answers the control interface of one :class:`sandbox.server.Sandbox`."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self._routes = {
            ("GET", "health"): self._health,
            ("POST", "reset"): self._reset,
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._forget_requests,
            ("GET", "faults"): self._faults,
            ("PUT", "faults"): self._put_faults,
            ("DELETE", "faults"): self._drop_faults,
            ("GET", "latency"): self._latency,
            ("PUT", "latency"): self._put_latency,
            ("GET", "state"): self._state,
        }

    def handle(self, request):
        """Answer one control request; mistakes are answered with 400 and one sentence."""
        route = self._routes.get((request.method, request.path.strip("/")))
        if route is None:
            return _wrong(404, f"no {request.method} /_sandbox{request.path}")
        try:
            return Response(200, route(request))
        except FaultError as error:
            return _wrong(400, str(error))
        except (KeyError, TypeError, ValueError) as error:
            return _wrong(400, f"{type(error).__name__}: {error}")

    def _health(self, _request):
        sandbox = self.sandbox
        return {
            "status": "ok",
            "vendors": sorted(sandbox.vendors),
            "requests": sandbox.log.counts(),
            "latency_ms": sandbox.latency_ms,
        }

    def _reset(self, request):
        vendor = request.query.get("vendor")
        if vendor:
            self.sandbox.vendors[vendor].reset()
        else:
            self.sandbox.reset()
        return {"reset": vendor or "all"}

    def _requests(self, request):
        query = request.query
        vendor = query.get("vendor")
        counts = self.sandbox.log.counts()
        return {
            "count": counts.get(vendor, 0) if vendor else sum(counts.values()),
            "requests": self.sandbox.log.as_list(
                vendor, int(query.get("since", 0)), query.get("answers") == "1"
            ),
        }

    def _forget_requests(self, _request):
        self.sandbox.log.clear()
        return {"count": 0}

    def _faults(self, _request):
        return {"faults": self.sandbox.faults.as_list()}

    def _put_faults(self, request):
        self.sandbox.faults.replace(request.json())
        return self._faults(request)

    def _drop_faults(self, request):
        self.sandbox.faults.replace([])
        return self._faults(request)

    def _latency(self, _request):
        return {"ms": self.sandbox.latency_ms}

    def _put_latency(self, request):
        self.sandbox.latency_ms = float(request.json()["ms"])
        return self._latency(request)

    def _state(self, request):
        vendor = request.query.get("vendor")
        if vendor:
            return self.sandbox.vendors[vendor].state()
        return {name: one.state() for name, one in self.sandbox.vendors.items()}


def _wrong(status, sentence):
    return Response(status, {"error": sentence})
