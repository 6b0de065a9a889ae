"""The whole vocabulary of failure. Every failure of an exchange is one of these.

| class            | what it means                                   | what the job does                |
|------------------|-------------------------------------------------|----------------------------------|
| `Transient`      | not done; the same request may work later       | waits and tries again            |
| `Rejected`       | the vendor says no; a person changes something  | ends, exception for a person     |
| `AuthFailed`     | the credentials are refused                     | waits, the connector stops       |
| `Uncertain`      | sent, no answer: done or not done, nobody knows | asks the vendor, or a person     |
| `ContractBroken` | the answer is not what the contract says        | keeps the answer, exception      |
| `Held`           | the gate says not now; nothing was sent         | waits, no attempt is counted     |
"""


class ProviderError(Exception):
    """A failed exchange.

    message: what happened, in words and without secrets. code: the vendor's error code.
    status: HTTP status, None when there was no answer. request_id: the vendor's id of the request.
    retry_after: seconds that the vendor asks to wait, None when it does not say.
    """

    def __init__(self, message, *, code="", status=None, request_id="", retry_after=None):
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self):
        return f"{self.message} ({self.code})" if self.code else self.message


class Transient(ProviderError):
    """Not done, and the same request may work later: no connection, 429, 5xx, overload."""


class Rejected(ProviderError):
    """Refused for its content: a person must change something. Carries the vendor's words."""


class AuthFailed(ProviderError):
    """The vendor refuses the credentials: nothing more is sent until somebody mends them."""


class Uncertain(ProviderError):
    """Sent, but no answer came: it may have been done. Never repeated blindly."""


class ContractBroken(ProviderError):
    """The answer is not what the contract says.

    field: the path of the field in the answer. version: the API version that was expected.
    """

    def __init__(self, message, *, field="", version="", **kwargs):
        super().__init__(message, **kwargs)
        self.field = field
        self.version = version


class Held(ProviderError):
    """The rate limit or the circuit breaker says not now; nothing was sent.

    retry_after: seconds until it is worth asking again. reason: "rate", "open", "stopped", "busy"
    or "token" (another one renews it).
    """

    def __init__(self, message, *, retry_after, reason):
        super().__init__(message, retry_after=retry_after)
        self.reason = reason
