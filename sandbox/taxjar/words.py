"""Tokens, errors and the reading of bodies."""

from decimal import Decimal

from ..vendor import Refusal, Response

__all__ = ["TOKENS", "error", "fail", "money", "read_body"]

TOKENS = {"SANDBOX-TAXJAR-TOKEN-0001", "SANDBOX-TAXJAR-TOKEN-0002"}

#: Status → what TaxJar calls it.
ERRORS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Acceptable",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def error(status, detail=""):
    """Return TaxJar's error body."""
    return {"error": ERRORS[status], "detail": detail or ERRORS[status], "status": status}


def fail(status, detail=""):
    """Return the Refusal with TaxJar's error shape."""
    return Refusal(Response(status, error(status, detail)))


def read_body(request):
    """Return the JSON object of a request."""
    try:
        body = request.json()
    except ValueError:
        raise fail(400, "The request body is not JSON") from None
    if not isinstance(body, dict):
        raise fail(400, "The request body is not an object")
    return body


def money(body, name, default=None):
    """Return an amount as Decimal; TaxJar takes numbers and texts."""
    value = body.get(name)
    if value is None or value == "":
        if default is None:
            raise fail(406, f"{name} is missing")
        return default
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise fail(400, f"{name} is not a number") from None
