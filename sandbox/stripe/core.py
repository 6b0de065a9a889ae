"""What all of Stripe's resources share: keys, forms, errors, idempotency, lists, limits."""

import base64
import binascii
import hashlib
import json
import re
import secrets
import time
from urllib.parse import parse_qsl

from ..limits import Bucket
from ..vendor import Refusal, Response

__all__ = ["KEYS", "Core", "fail", "form", "listing", "new_id", "shape", "wanted"]

#: Key → what it may do; "*" = everything.
KEYS = {
    "sk_test_SandboxStripe0001": {"*"},
    "sk_test_SandboxStripe0002": {"*"},
    "rk_test_SandboxTaxOnly0001": {"tax"},
    "rk_test_SandboxReadOnly0001": {"tax_read"},
}
ACCOUNT = "acct_1SandboxStripe00"
API_VERSION = "2023-08-16"
RATE, BURST = 100.0, 100
NESTED_ROWS, MOST_ROWS = 10, 100

#: Refusals after which nothing is kept under the idempotency key.
NOT_KEPT = {400: "parameter_", 401: "", 403: "", 429: ""}
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.\w+)?")
TROUBLE = {
    429: ("invalid_request_error", "rate_limit", "Too many requests hit the API too quickly."),
    500: ("api_error", "", "An unknown error occurred."),
    503: ("api_error", "", "Stripe is temporarily unavailable."),
    404: ("invalid_request_error", "", "Unrecognized request URL."),
}


def fail(status, message, code="", param="", kind="invalid_request_error"):
    """Return the Refusal with Stripe's error shape."""
    return Refusal(Response(status, _error(kind, code, message, param)))


def _error(kind, code, message, param=""):
    error = {"type": kind, "message": message}
    if code:
        error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code}"}
    if param:
        error["param"] = param
    return {"error": error}


def new_id(prefix):
    """Return a new id such as ``tax_1AbC…``."""
    return f"{prefix}_1{''.join(secrets.choice(_ALPHABET) for _ in range(23))}"


class Core:
    """Transport, idempotency and limits; the resources are mixed in beside it."""

    def reset_core(self):
        """Forget answers, remarks and the rate."""
        self.kept = {}
        self.remarks = []
        self.bucket = Bucket(RATE, BURST)

    def core_state(self):
        """Return the remarks and the number of answers that are kept."""
        return {"warnings": list(self.remarks), "kept_answers": len(self.kept)}

    def remark(self, request, sentence):
        """Keep a remark on a request that Stripe answers, but should not have been sent."""
        self.remarks.append({"request": request.number, "path": request.path, "warning": sentence})

    def trouble(self, status):
        """Return Stripe's error body for a fault switch."""
        kind, code, words = TROUBLE.get(status, TROUBLE[500])
        return _error(kind, code, words)

    def not_found(self, request):
        """Return the answer to an unknown address."""
        words = f"Unrecognized request URL ({request.method}: {request.path})."
        return Response(404, _error("invalid_request_error", "", words))

    def answer_headers(self, request):
        """Return the request id and the version that every answer carries."""
        version = request.header("stripe-version", API_VERSION)
        return {"Request-Id": f"req_sandbox{request.number:08d}", "Stripe-Version": version}

    def handle(self, request):
        """Check limit, key and version, then answer, from memory where the key was used before."""
        try:
            with self.lock:
                self._admit(request)
                key = request.header("idempotency-key")
                if request.method != "POST" or not key:
                    return super().handle(request)
                return self._once(request, key)
        except Refusal as refusal:
            return refusal.response

    def _admit(self, request):
        allowed = _allowed(request)
        if not self.bucket.take():
            raise Refusal(Response(429, self.trouble(429)))
        version = request.header("stripe-version")
        if version and not _VERSION.fullmatch(version):
            raise fail(400, f"Invalid Stripe API version: {version}")
        if not version:
            self.remark(request, "header Stripe-Version is missing")
        needs = "tax_read" if request.method == "GET" else "tax"
        if not allowed & {"*", "tax", needs}:
            words = (
                "The provided key does not have the required permissions for this endpoint on"
                f" account '{ACCOUNT}'. Having the 'rak_tax_calculation_write' permission would"
                " allow this request to continue."
            )
            raise fail(403, words)

    def _once(self, request, key):
        if len(key) > 255:
            raise fail(400, "Idempotency keys can be at most 255 characters.", "parameter_invalid")
        mark = hashlib.sha256(f"{request.path}\n".encode() + request.body).hexdigest()
        if key in self.kept:
            return self._again(key, mark)
        response = super().handle(request)
        code = response.payload.get("error", {}).get("code", "")
        if response.status not in NOT_KEPT or not code.startswith(NOT_KEPT[response.status]):
            self.kept[key] = (mark, response.status, json.dumps(response.payload))
        return response

    def _again(self, key, mark):
        first, status, payload = self.kept[key]
        if first != mark:
            words = (
                "Keys for idempotent requests can only be used with the same parameters they were"
                f" first used with. Try using a key other than '{key}' if you meant to execute a"
                " different request."
            )
            raise fail(400, words, kind="idempotency_error")
        return Response(status, json.loads(payload), headers={"Idempotent-Replayed": "true"})


def _allowed(request):
    """Return what the key of a request may do."""
    scheme, _space, value = request.header("authorization").partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            value = ""
    if not value:
        raise fail(401, "You did not provide an API key.")
    if value not in KEYS:
        hidden = value[:8] + "*" * max(0, len(value) - 12) + value[-4:]
        raise fail(401, f"Invalid API Key provided: {hidden}")
    return KEYS[value]


# === FORMS === #


def form(text):
    """Return the nested values of an encoded form; ``a[0][b]=1`` is ``{"a": [{"b": "1"}]}``."""
    root = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        target, key = root, head
        for part in rest:
            target = target.setdefault(key, {})
            key = part or str(len(target))
        target[key] = value
    return _lists(root)


def _lists(value):
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(item) for key, item in value.items()}


def wanted(request, schema):
    """Return the checked parameters of a request: of the body, of the query for a GET."""
    text = request.query_string if request.method == "GET" else request.body.decode()
    return shape(form(text), schema, "")


def shape(values, schema, path):
    """Return ``values`` with the types of ``schema``; Refusal with Stripe's words otherwise.

    schema: {name: type}; a name with ``!`` is required. A type is int, str, a tuple of choices, a
    dict (object), a list of one type, or ``dict`` (free text by name).
    """
    known = {name.rstrip("!"): kind for name, kind in schema.items()}
    if not isinstance(values, dict):
        raise fail(400, f"Invalid object: {path}", "parameter_invalid", path)
    for name in values:
        if name not in known:
            where = _at(path, name)
            raise fail(400, f"Received unknown parameter: {where}", "parameter_unknown", where)
    for name in schema:
        if name.endswith("!") and name[:-1] not in values:
            where = _at(path, name[:-1])
            raise fail(400, f"Missing required param: {where}.", "parameter_missing", where)
    return {name: _typed(value, known[name], _at(path, name)) for name, value in values.items()}


def _typed(value, kind, path):
    if isinstance(kind, dict):
        return shape(value, kind, path)
    if kind is dict:
        return dict(value)
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise fail(400, "Invalid array", "parameter_invalid_array", path)
        return [_typed(item, kind[0], f"{path}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, str):
        raise fail(400, "Invalid string", "parameter_invalid_string", path)
    if isinstance(kind, tuple) and value not in kind:
        words = f"Invalid {path}: must be one of {', '.join(kind)}"
        raise fail(400, words, "parameter_invalid", path)
    if kind is int:
        if not re.fullmatch(r"-?\d+", value):
            raise fail(400, f"Invalid integer: {value}", "parameter_invalid_integer", path)
        return int(value)
    return value


def _at(path, name):
    return f"{path}[{name}]" if path else name


# === LISTS === #


def listing(rows, url, limit=NESTED_ROWS, after=""):
    """Return one page of rows with an id as Stripe's list object."""
    start = 0
    if after:
        ids = [row["id"] for row in rows]
        if after not in ids:
            raise fail(400, f"No such object: '{after}'", "resource_missing", "starting_after")
        start = ids.index(after) + 1
    page = rows[start : start + limit]
    return {
        "object": "list",
        "data": page,
        "has_more": start + limit < len(rows),
        "url": url,
    }


def page_of(rows, url, request):
    """Return the page that a GET asks for, and what it wants expanded."""
    schema = {"limit": int, "starting_after": str, "ending_before": str, "expand": [str]}
    asked = wanted(request, schema)
    limit = asked.get("limit", NESTED_ROWS)
    if not 1 <= limit <= MOST_ROWS:
        raise fail(400, "This value must be between 1 and 100.", "parameter_invalid", "limit")
    return listing(rows, url, limit, asked.get("starting_after", "")), asked.get("expand", [])


def now():
    """Return the time in seconds."""
    return int(time.time())
