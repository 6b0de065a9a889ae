"""A vendor that nobody sells: it answers what it got and counts what it did.

Tests and benchmarks of the job queue call it where a real vendor's rules would only be in the way.
Base URL: ``http://127.0.0.1:8099/echo``.

====================  ==================================================================
``GET /ping``         ``{"text": "pong"}``
``POST /echo``        ``{"text", "key"}``: does it, and answers ``{"text", "key"}``
``GET /echo?key=``    ``{"text"}`` of what was done under the key; without ``text`` if nothing was
====================  ==================================================================

A text that starts with ``refuse`` is refused with 422, in words that quote it. State:
``{"done": {key: {"times", "text"}}}``; a repeated request is done again and counted, so that a test
sees both what was sent too often and what the last content is.
"""

from .vendor import Refusal, Response, Vendor

__all__ = ["Echo"]


class Echo(Vendor):
    """Does what it is told, and remembers how often."""

    prefix = "echo"
    routes = (
        ("GET", "/ping", "ping"),
        ("POST", "/echo", "echo"),
        ("GET", "/echo", "find"),
    )

    def reset(self):
        """Forget what was done."""
        self.done = {}

    def state(self):
        """Return what was done, per key."""
        return {"done": self.done}

    def ping(self, _request):
        """Say that somebody is there."""
        return Response(200, {"text": "pong"})

    def echo(self, request):
        """Do it."""
        asked = request.json()
        if asked["text"].startswith("refuse"):
            words = f"I will not do {asked['text']!r}"
            raise Refusal(Response(422, {"error": {"code": "Refused", "message": words}}))
        before = self.done.get(asked["key"], {"times": 0})
        self.done[asked["key"]] = {"times": before["times"] + 1, "text": asked["text"]}
        return Response(200, {"text": asked["text"], "key": asked["key"]})

    def find(self, request):
        """Say what was done under a key."""
        known = self.done.get(request.query.get("key"))
        return Response(200, {"text": known["text"]} if known else {})
