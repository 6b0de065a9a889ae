"""A server that takes files by PUT, with digests as in RFC 9530.

Base URL: ``http://127.0.0.1:8099/warehouse``; bearer token `TOKEN`, or user `USER` with it as password.

=====================  =======================================================================
``HEAD /``             200
``HEAD /<path>``       404, or 200 with ``Repr-Digest`` of what is kept
``PUT /<path>``        with ``Content-Digest``: keeps it and answers 201 {"sha256", "bytes"}; 200 for
                       the same again, 409 for another content, 400 for a wrong digest
``GET /<path>``        404, or the content
=====================  =======================================================================

State: ``{"files": [{"path", "sha256", "bytes"}]}``. Once a ``datapackage.json`` is there, the
receiver writes ``ack.json`` beside it, if `MODES` in the name of the export says so: an export
called ``refusing`` is refused, one called ``waiting`` is never answered, ``careless`` keeps half of each
file without a word, ``silent`` tells no digests.
"""

import base64
import hashlib
import json
from urllib.parse import unquote

from .vendor import Refusal, Response, Vendor

__all__ = ["TOKEN", "USER", "Warehouse"]

TOKEN, USER = "SANDBOX-WAREHOUSE-TOKEN-0001", "loader"
MANIFEST = "datapackage.json"
MODES = ("refusing", "waiting", "careless", "silent")


class Warehouse(Vendor):
    """Keeps files, each once."""

    prefix = "warehouse"

    def reset(self):
        """Forget the files."""
        self.files = {}

    def state(self):
        """Return what is kept."""
        return {
            "files": [
                {"path": path, "sha256": _sha256(content), "bytes": len(content)}
                for path, content in sorted(self.files.items())
            ]
        }

    def handle(self, request):
        """Answer one request; paths are whatever the client likes."""
        with self.lock:
            if not _is_known(request.header("authorization")):
                return Response(401, {"error": "unknown token"})
            path = unquote(request.path).strip("/")
            function = {"HEAD": self.head, "GET": self.get, "PUT": self.put}.get(request.method)
            if function is None:
                return Response(405, {"error": f"no {request.method} here"})
            try:
                return function(request, path)
            except Refusal as refusal:
                return refusal.response

    def head(self, _request, path):
        """Tell of a file."""
        if not path:
            return Response(200)
        content = self._content(path)
        silent = _mode(path) == "silent"
        return Response(200, headers={} if silent else {"Repr-Digest": _digest(content)})

    def get(self, _request, path):
        """Return a file."""
        return Response(200, content=self._content(path), content_type="application/octet-stream")

    def put(self, request, path):
        """Keep a file."""
        content, mode = request.body, _mode(path)
        if request.header("content-digest") != _digest(content):
            return Response(400, {"error": "the content has another digest"})
        if mode == "careless":
            content = content[: len(content) // 2]
        if self.files.get(path, content) != content:
            return Response(409, {"error": "another file has this name"})
        status = 200 if path in self.files else 201
        self.files[path] = content
        if path.endswith(f"/{MANIFEST}"):
            self._acknowledge(path, mode)
        if mode == "silent":
            return Response(status, content_type="text/plain")
        return Response(status, {"sha256": _sha256(content), "bytes": len(content)})

    def _acknowledge(self, path, mode):
        if mode == "waiting":
            return
        folder = path.rpartition("/")[0]
        rows = {
            resource["path"]: resource.get("finance:rows", 0)
            for resource in json.loads(self.files[path]).get("resources", [])
        } if mode != "careless" else {}  # fmt: skip
        answer = {"state": "accepted", "rows": rows}
        if mode == "refusing":
            answer = {"state": "refused", "words": "The period 2026-03 is closed here."}
        self.files[f"{folder}/ack.json"] = json.dumps(answer).encode()

    def _content(self, path):
        if path not in self.files:
            raise Refusal(Response(404, {"error": "no such file"}))
        return self.files[path]


def _mode(path):
    name = path.split("/", 1)[0]
    return name if name in MODES else ""


def _is_known(authorization):
    basic = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
    return authorization in (f"Bearer {TOKEN}", f"Basic {basic}")


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


def _digest(content):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
