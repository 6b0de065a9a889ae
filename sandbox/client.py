"""A small client of the control interface, on urllib only: for tests, benchmarks and the demo."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

__all__ = ["SandboxControl", "SandboxControlError", "SandboxProcess"]


class SandboxControlError(Exception):
    """The sandbox refused a control request; the text is its sentence."""


class SandboxControl:
    """Controls the sandbox at ``base_url``: ``http://127.0.0.1:8099``, without a prefix."""

    def __init__(self, base_url, timeout=10.0):
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout

    def health(self):
        """Return status, vendors, requests per vendor, latency."""
        return self._call("GET", "health")

    def reset(self, vendor=None):
        """Forget state, log, faults and latency; with ``vendor`` only that vendor's state."""
        self._call("POST", "reset", vendor=vendor)

    def requests(self, vendor=None, since=0, answers=False):
        """Return the kept requests, oldest first; ``answers`` adds what was answered."""
        return self._requests(vendor, since, answers)["requests"]

    def count(self, vendor=None):
        """Return how many requests came in since the last reset, kept or not."""
        counts = self.health()["requests"]
        return counts.get(vendor, 0) if vendor else sum(counts.values())

    def forget_requests(self):
        """Empty the log; counting starts at 1 again."""
        self._call("DELETE", "requests")

    def set_faults(self, *rules):
        """Replace the rules in force by these dicts, see :mod:`sandbox.faults`."""
        return self._call("PUT", "faults", list(rules))["faults"]

    def faults(self):
        """Return the rules in force, each with its ``hits``."""
        return self._call("GET", "faults")["faults"]

    def clear_faults(self):
        """Behave again."""
        self._call("DELETE", "faults")

    def set_latency(self, milliseconds):
        """Wait this long before every vendor call."""
        self._call("PUT", "latency", {"ms": milliseconds})

    def state(self, vendor):
        """Return what the vendor knows."""
        return self._call("GET", "state", vendor=vendor)

    def _requests(self, vendor, since, answers):
        return self._call(
            "GET", "requests", vendor=vendor, since=since or None, answers="1" if answers else None
        )

    def _call(self, method, name, body=None, **query):
        given = urlencode({key: value for key, value in query.items() if value is not None})
        request = urllib.request.Request(
            f"{self.base_url}/_sandbox/{name}{'?' + given if given else ''}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise SandboxControlError(json.load(error)["error"]) from None


class SandboxProcess:
    """A sandbox in a process of its own on a free port: ``with SandboxProcess() as control: ...``.

    ``options`` go to its command line, for example ``"--latency-ms", "50"``.
    """

    def __init__(self, *options):
        self._argv = [sys.executable, "-m", "sandbox", "--port", "0", *options]
        self._process = None

    def __enter__(self):
        """Start it, wait until it listens, and return its :class:`SandboxControl`.

        With ``--tls-folder`` it has ``tls_url``, the address that asks for client certificates.
        """
        folder = Path(__file__).resolve().parents[1]
        self._process = subprocess.Popen(self._argv, cwd=folder, stdout=subprocess.PIPE, text=True)
        control = SandboxControl(self._url())
        if "--tls-folder" in self._argv:
            control.tls_url = self._url()
        return control

    def _url(self):
        line = self._process.stdout.readline()
        if " on http" not in line:
            self.__exit__()
            raise RuntimeError(f"the sandbox did not start: {line!r}")
        return line.rpartition(" on ")[2].strip()

    def __exit__(self, *_error):
        """Stop it."""
        self._process.terminate()
        self._process.wait(10)
        self._process.stdout.close()
