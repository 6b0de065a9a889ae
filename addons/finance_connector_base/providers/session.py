"""What a provider gets from outside: who it talks to, and three ports to the database.

The ports are the only way from a provider to the database, so a provider can run in any thread.
Odoo's side implements them in ``lanes/ports.py``; the classes here do nothing and are enough for
tests and tools without a database.
"""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ConnectorConfig:
    """One connector as a provider sees it; ``settings`` include the secrets, in the clear.

    timeouts are (connect, read) in seconds. base_url has no slash at its end. data: plain values that
    a provider without a vendor outside works from.
    """

    id: int
    name: str
    provider: str
    environment: str
    base_url: str
    api_version: str = ""
    settings: dict = field(default_factory=dict, repr=False)
    company_settings: dict = field(default_factory=dict)
    company_id: int = 0
    timeouts: tuple = (5.0, 20.0)
    secrets: tuple = field(default=(), repr=False)
    data: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ExchangeRecord:
    """One exchange with the outside, as the recorder gets it. Bodies are as sent and received.

    secrets: what may not stand in what people are shown of the bodies.
    """

    operation: str
    method: str
    url: str
    outcome: str
    duration_ms: float
    status: int | None = None
    error_code: str = ""
    error_text: str = ""
    request_id: str = ""
    request_body: bytes = b""
    response_body: bytes = b""
    secrets: tuple = field(default=(), repr=False)


@dataclass(frozen=True)
class Token:
    """What a vendor gave for our credentials or for somebody's sign-in (RFC 6749, 5.1).

    access, refresh: the tokens, "" when there is none. client: digest of the credentials they were
    given for. renew_at: when to get the next one; ends_at: when a person has to sign in again; both
    in seconds since 1970, None when the vendor does not say.
    """

    access: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)
    scope: str = ""
    client: str = ""
    renew_at: float | None = None
    ends_at: float | None = None

    def serves(self, client, refused=""):
        """Return whether it may be used now for these credentials, and is not the refused one."""
        fresh = self.renew_at is None or time.time() < self.renew_at
        return bool(self.access) and fresh and self.client == client and self.access != refused


class Gate:
    """Rate limit and circuit breaker of a connector."""

    def enter(self):
        """Take one place and return a ticket; raise `Held` when there is to be no call now."""

    def leave(self, ticket, error=None):
        """Give the ticket back and say how it went; ``error`` is None or a `ProviderError`."""


class Tokens:
    """Access tokens that outlive a process (OAuth 2). This one forgets them with itself."""

    def __init__(self):
        self._token = None

    def get(self, fetch, *, client="", refused=""):
        """Return a `Token` that serves.

        fetch(token, keep): called when a new one is needed, for one caller at a time whatever the
        number of threads, processes and hosts; gets the stored `Token` or None, and calls
        keep(token) the moment that the vendor has answered. client: digest of our credentials.
        refused: an access token that looked valid, but that the vendor does not accept.
        """
        if self._token is None or not self._token.serves(client, refused):
            fetch(self._token, self.keep)
        return self._token

    def keep(self, token):
        """Store a token that somebody got by signing in; it replaces what there was."""
        self._token = token


class Recorder:
    """Keeps what was exchanged."""

    def sending(self):
        """The request is about to leave."""

    def received(self, exchange: ExchangeRecord):
        """The exchange is over, with or without an answer."""


@dataclass
class Session:
    """One provider at work.

    effect: "question" (nothing changes at the vendor), "idempotent" (the vendor knows a repeated
    request) or "once" (it does not). deadline: value of `time.monotonic()` after which no answer is
    of use, or None. key: the idempotency key of the job, for vendors that take one.
    """

    config: ConnectorConfig
    gate: Gate = field(default_factory=Gate)
    tokens: Tokens = field(default_factory=Tokens)
    recorder: Recorder = field(default_factory=Recorder)
    effect: str = "question"
    operation: str = ""
    key: str = ""
    trace_id: str = ""
    deadline: float | None = None

    def time_left(self):
        """Return the seconds until the deadline, None when there is none."""
        return None if self.deadline is None else self.deadline - time.monotonic()
