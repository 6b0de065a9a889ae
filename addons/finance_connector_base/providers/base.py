"""The base class of every vendor, and how a vendor declares what it needs."""

import json as jsonlib
import time
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cached_property

from . import http
from .errors import (
    AuthFailed,
    ContractBroken,
    ProviderError,
    Rejected,
    Transient,
    Uncertain,
)
from .masking import without_secrets
from .session import ExchangeRecord

# Answered before anything was done, whatever the request was: safe to repeat.
NOT_DONE = {408: False, 425: True, 429: True, 503: True}
REQUEST_ID_HEADERS = ("X-Request-Id", "Request-Id", "X-Correlation-Id")
OUTCOMES = {
    Transient: "transient",
    Rejected: "rejected",
    AuthFailed: "auth",
    Uncertain: "uncertain",
    ContractBroken: "contract",
}


@dataclass(frozen=True)
class Setting:
    """One credential or option that a vendor needs; it becomes a row, never a column.

    secret: kept in the vault and never shown. check: regular expression for the whole value.
    kind: a name of `certificates.KINDS`, whose values are read, mended and watched as such.
    """

    name: str
    label: str
    secret: bool = False
    required: bool = True
    help: str = ""
    default: str = ""
    check: str = ""
    kind: str = ""


class Provider:
    """One vendor. A subclass declares itself in class attributes and overrides hooks only.

    hosts: environment ("sandbox", "production") to base URL; a self-hosted vendor leaves it empty
    and the connector gives the URL. settings, company_settings: what is asked of the administrator
    per connector and per company. timeouts: (connect, read) seconds. rate: (calls a second, burst).
    concurrency: calls at the same time, over all workers; 0 = no limit of the vendor's.
    oauth: an `oauth.OAuth2` where requests carry a token. certificate: a
    `certificates.ClientCertificate` where the vendor wants to see one. offline: there is no vendor
    outside; the provider works from ``config.data`` and sends nothing. schemes: how the address of a
    self-hosted system begins; "file" is a folder that odoo.conf opens.
    """

    code = ""
    label = ""
    hosts = {}
    settings = ()
    company_settings = ()
    api_version = ""
    timeouts = (5.0, 20.0)
    rate = (20.0, 40)
    concurrency = 0
    oauth = None
    certificate = None
    offline = False
    schemes = ("https",)

    def __init__(self, session):
        self.session = session
        self.config = session.config

    @cached_property
    def client(self):
        """Our side of the vendor's sign-in, an `oauth.Client`; None where there is none."""
        return self.oauth.client(self) if self.oauth else None

    # === HOOKS OF A VENDOR === #

    def ping(self) -> str:
        """Ask the vendor who we are, without changing anything; return words for the person.

        Raises the error classes of `errors`.
        """
        raise AuthFailed(f"{self.label} can't be tested: its provider does not say how")

    def url(self, path) -> str:
        """Return the full URL of ``path``."""
        return f"{self.config.base_url}{path}"

    def headers(self) -> dict:
        """Return the headers that every request of this vendor carries."""
        return {}

    def authorize(self, request):
        """Put the credentials on a `http.Request`: the token, where the vendor gives tokens."""
        if self.client:
            request.headers["Authorization"] = f"Bearer {self.client.token().access}"

    def classify(self, response) -> ProviderError | None:
        """Return the failure that an answer with an error status means, None for the usual one."""
        return None

    def answered(self, response):
        """See each answer before it is read, whatever its status: what its headers tell of quotas."""

    # === TEMPLATE === #

    def send(self, method, path, *, json=None, params=None, data=None):
        """Send one request and return the parsed JSON answer, numbers with a point as Decimal.

        json: value to send as JSON (Decimal is written as a number). data: dict to send as a form,
        or bytes. Raises the error classes of `errors`; every exchange is recorded, the gate is
        asked before and told after.
        """
        request = self._request(method, path, json, params, data)
        return self._send(request, self._parse)

    def _send(self, request, parse):
        """Send with credentials, and again with a new token if the one we had is refused.

        parse: function that makes the result of a `http.Response` with a status of success.
        """
        self.authorize(request)
        try:
            return self._pass(request, parse)
        except AuthFailed as refusal:
            if refusal.status != 401 or not self.client or not self.client.renew():
                raise
            if self.session.effect == "once":
                words = f"{self.label} refused the token, so nothing was done; there is a new one"
                raise Transient(words, status=401, retry_after=0.0) from refusal
        self.authorize(request)
        return self._pass(request, parse)

    def _pass(self, request, parse):
        ticket = self.session.gate.enter()
        error = None
        try:
            return self._exchange(request, parse)
        except ProviderError as failure:
            error = failure
            raise
        finally:
            self.session.gate.leave(ticket, error)

    def _request(self, method, path, json, params, data):
        headers = {"Accept": "application/json", **self.headers()}
        body = b""
        if json is not None:
            headers["Content-Type"] = "application/json"
            body = dump_json(json)
        elif isinstance(data, bytes):
            body = data
        elif data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = http.requests.models.RequestEncodingMixin._encode_params(data).encode()
        return http.Request(method, self.url(path), headers, params, body)

    def _exchange(self, request, parse):
        started = time.monotonic()
        response, error, parsed = None, None, None
        self.session.recorder.sending()
        try:
            response = http.send(
                request,
                pool=(self.config.id, self.config.base_url),
                timeouts=self.config.timeouts,
                deadline=self.session.deadline,
                fresh=self.session.effect == "once",
                identity=self.certificate and self.certificate.identity(self.config.settings),
            )
            parsed = self._understand(response, parse)
        except http.CertificateRefused as failure:
            error = AuthFailed(f"{self.label}: {failure}")
        except http.Unanswered as failure:
            error = self._unanswered(failure)
        except ProviderError as failure:
            error = failure
        finally:
            self._record(request, response, error, (time.monotonic() - started) * 1000)
        if error is not None:
            raise error
        return parsed

    def _understand(self, response, parse):
        self.answered(response)
        if 200 <= response.status < 300:
            return parse(response)
        error = self.classify(response) or self._usual(response)
        error.status = response.status
        error.request_id = error.request_id or request_id(response)
        if error.retry_after is None:
            error.retry_after = retry_after(response)
        raise error

    def _parse(self, response):
        if not response.body:
            return None
        try:
            return jsonlib.loads(response.body, parse_float=Decimal, parse_constant=_no_constant)
        except ValueError as error:
            raise self._doubtful(
                ContractBroken,
                f"{self.label} answered {response.status} with something that is not JSON",
                field="body",
                version=self.config.api_version,
                status=response.status,
                request_id=request_id(response),
            ) from error

    def _usual(self, response):
        words = f"{self.label} answered {response.status}"
        if response.status in (401, 403):
            return AuthFailed(f"{words}: the credentials are refused")
        if NOT_DONE.get(response.status):
            return Transient(f"{words}: overloaded, try later")
        if response.status >= 500 or response.status == 408:
            return self._doubtful(Transient, f"{words}: fault of the vendor")
        return Rejected(words)

    def _unanswered(self, failure):
        words = f"{self.label}: {failure}"
        return self._doubtful(Transient, words) if failure.sent else Transient(words)

    def _doubtful(self, error_class, message, **details):
        """A failure after sending: only a request that may be repeated is a plain failure."""
        if self.session.effect == "once":
            details = {k: v for k, v in details.items() if k in ("status", "request_id")}
            return Uncertain(message, **details)
        return error_class(message, **details)

    def _secrets(self):
        """What must be readable nowhere, whoever repeats it."""
        return (*self.config.secrets, *(self.client.secrets if self.client else ()))

    def _record(self, request, response, error, duration_ms):
        secrets = self._secrets()
        if error is not None:
            error.message = without_secrets(error.message, secrets)
        self.session.recorder.received(
            ExchangeRecord(
                operation=self.session.operation,
                method=request.method,
                url=without_secrets(response.url if response else request.url, secrets),
                outcome=OUTCOMES.get(type(error), "ok"),
                duration_ms=duration_ms,
                status=response.status if response else None,
                error_code=error.code if error else "",
                error_text=error.message if error else "",
                request_id=request_id(response) if response else "",
                request_body=request.body,
                response_body=response.body if response else b"",
                secrets=secrets,
            )
        )


def dump_json(value) -> bytes:
    """Return ``value`` as JSON; a Decimal becomes a number of exactly its value.

    Raises ValueError for a Decimal with more digits than a JSON number carries everywhere.
    """
    return jsonlib.dumps(
        value, default=_number, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    ).encode()


def request_id(response) -> str:
    """Return the vendor's id of the request, "" when it gives none."""
    return next(
        (response.headers[name] for name in REQUEST_ID_HEADERS if name in response.headers), ""
    )


def retry_after(response) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110, 10.2.3), None without one."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _number(value):
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} can't be sent as JSON")
    number = int(value) if value == value.to_integral_value() else float(value)
    if Decimal(repr(number)) != value:
        raise ValueError(f"{value} has more digits than a JSON number carries")
    return number


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")
