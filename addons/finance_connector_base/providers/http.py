"""One HTTP exchange: pooled connections, time-outs always, no surprise in size or host.

`send` returns a `Response` or raises `Unanswered`; what an answer means is the provider's business.
"""

import os
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

MAX_BODY = 32 * 1024 * 1024
MAX_REDIRECTS = 3
POOL_SIZE = 32
_REDIRECTS = {301, 302, 307, 308}
# Words of OpenSSL's reasons for a handshake that failed: no request had left before it.
_HANDSHAKE = ("CERTIFICATE", "HANDSHAKE", "UNKNOWN_CA", "VERSION", "UNSUPPORTED_PROTOCOL")
# Alerts by which a server says that it wants another certificate from us (RFC 8446, 6.2).
_CERTIFICATE_ALERTS = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "ALERT_DECRYPT_ERROR",
    "ALERT_ACCESS_DENIED",
)


class Unanswered(Exception):
    """No usable answer. ``sent`` tells whether the request may have reached the vendor."""

    def __init__(self, message, sent):
        super().__init__(message)
        self.sent = sent


class CertificateRefused(Unanswered):
    """The server does not accept our client certificate, or the lack of one; nothing was done."""


@dataclass
class Request:
    """A request before it is sent. Hooks of a provider may change it. body is exact bytes.

    stream: function that opens what is sent instead of ``body``, a binary file, once a sending;
    ``body`` is then what is kept of it.
    """

    method: str
    url: str
    headers: dict = field(default_factory=dict)
    params: dict | None = None
    body: bytes = b""
    auth: tuple | None = None
    stream: Callable[[], BinaryIO] | None = None


@dataclass(frozen=True)
class Response:
    """An answer: HTTP status, headers (case-insensitive), body bytes, and the final URL."""

    status: int
    headers: dict
    body: bytes
    url: str


class _Pools:
    """Keep-alive connections, one pool a key, made anew in a forked process."""

    def __init__(self):
        self._lock = threading.Lock()
        self._pid = None
        self._sessions = {}

    def session(self, key, base_url, identity=None):
        """Return the session of a key; a new one when it was made for another certificate."""
        mark = identity.digest if identity else ""
        with self._lock:
            if self._pid != os.getpid():
                self._pid, self._sessions = os.getpid(), {}
            known, session = self._sessions.get(key, (None, None))
            if known != mark:
                session = _new_session(base_url, identity.context() if identity else None)
                self._sessions[key] = (mark, session)
            return session


_pools = _Pools()


def send(request, *, pool, timeouts, deadline=None, fresh=False, max_body=MAX_BODY, identity=None):
    """Send ``request`` and return the `Response`, whatever its status.

    pool: key of the connection pool (a connector). timeouts: (connect, read) in seconds.
    deadline: `time.monotonic()` value that the whole exchange must respect, or None.
    fresh: use a connection of its own, so that a stale one can't leave the outcome in doubt.
    identity: `certificates.Identity` to show to the server, or None.
    Raises `Unanswered`, or what ``identity`` raises when it can't be used.
    """
    session = _pools.session(pool, request.url, identity)
    if fresh:
        session = _new_session(request.url, session.context)
    try:
        return _follow(session, request, timeouts, deadline, max_body)
    finally:
        if fresh:
            session.close()


def _follow(session, request, timeouts, deadline, max_body):
    url = request.url
    for _hop in range(MAX_REDIRECTS + 1):
        response = _exchange(session, request, url, timeouts, deadline, max_body)
        if response.status not in _REDIRECTS or "Location" not in response.headers:
            return response
        target = urljoin(url, response.headers["Location"])
        if urlsplit(target)[:2] != urlsplit(url)[:2]:
            raise Unanswered(f"redirected to another host ({urlsplit(target).netloc})", sent=True)
        url = target
    raise Unanswered(f"more than {MAX_REDIRECTS} redirects", sent=True)


def _exchange(session, request, url, timeouts, deadline, max_body):
    limits = _limits(timeouts, deadline)
    opened = request.stream() if request.stream else nullcontext(request.body or None)
    try:
        with (
            opened as content,
            session.send(
                _prepared(session, request, url, content),
                verify=session.verify,
                proxies=session.proxies,
                timeout=limits,
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            body = _read(answer, max_body, time.monotonic() + 3 * limits[1], deadline)
            return Response(answer.status_code, answer.headers, body, answer.url)
    except requests.RequestException as error:
        if any(alert in _tls_reason(error) for alert in _CERTIFICATE_ALERTS):
            raise CertificateRefused(
                "our client certificate is not accepted", sent=False
            ) from error
        raise Unanswered(_words(error), _was_sent(error)) from error


def _prepared(session, request, url, content):
    """Prepare without ``Session.request``, whose merging of settings costs as much as the call."""
    return requests.Request(
        request.method,
        url,
        params=request.params,
        data=content,
        headers={**session.headers, **request.headers},
        auth=request.auth,
    ).prepare()


def _limits(timeouts, deadline):
    if deadline is None:
        return timeouts
    left = deadline - time.monotonic()
    if left <= 0:
        raise Unanswered("no time left before the deadline", sent=False)
    return min(timeouts[0], left), min(timeouts[1], left)


def _read(answer, max_body, slowest, deadline):
    latest = slowest if deadline is None else min(slowest, deadline + 1)
    chunks, size = [], 0
    for chunk in answer.iter_content(65536):
        size += len(chunk)
        if size > max_body:
            raise Unanswered(f"the answer is larger than {max_body} bytes", sent=True)
        if time.monotonic() > latest:
            raise Unanswered("the answer came too slowly", sent=True)
        chunks.append(chunk)
    return b"".join(chunks)


def _was_sent(error):
    never = (
        requests.ConnectTimeout,
        requests.exceptions.ProxyError,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidHeader,
    )
    if isinstance(error, never):
        return False
    if isinstance(error, requests.exceptions.SSLError):
        return not any(word in _tls_reason(error) for word in _HANDSHAKE)
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return not isinstance(reason, (NewConnectionError, ConnectTimeoutError))


def _tls_reason(error):
    """OpenSSL's name of what went wrong, "" when it was not TLS."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__context__
    return (error and error.reason) or ""


def _words(error):
    table = (
        (requests.ConnectTimeout, "no connection within the time-out"),
        (requests.Timeout, "no answer within the time-out"),
        (requests.exceptions.ProxyError, "the proxy refused the connection"),
        (requests.exceptions.ChunkedEncodingError, "the answer broke off"),
    )
    for kind, words in table:
        if isinstance(error, kind):
            return words
    if isinstance(error, requests.exceptions.SSLError) and not _was_sent(error):
        return "the TLS certificate or handshake was refused"
    if isinstance(error, requests.ConnectionError):
        return "the connection broke off" if _was_sent(error) else "no connection"
    return f"the request could not be made ({type(error).__name__})"


def _new_session(url, context=None):
    session = requests.Session()
    # requests would look up proxies and .netrc on every call; the environment does not change.
    session.trust_env = False
    session.proxies = requests.utils.get_environ_proxies(url)
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.cookies.set_policy(_NoCookies())
    session.context = context
    adapter = _Adapter(context, pool_connections=4, pool_maxsize=POOL_SIZE)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class _Adapter(HTTPAdapter):
    """Connects with an `ssl.SSLContext` of ours, where there is one."""

    def __init__(self, context, **options):
        self._options = {"ssl_context": context} if context else {}
        super().__init__(**options)

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, **options, **self._options)

    def proxy_manager_for(self, proxy, **options):
        return super().proxy_manager_for(proxy, **options, **self._options)


class _NoCookies(requests.cookies.cookielib.DefaultCookiePolicy):
    def set_ok(self, cookie, request):
        return False
