"""OAuth 2: how a vendor signs its clients in, declared as data, and our side of the dialogue.

Contract: RFC 6749 (framework), 6750 (bearer tokens), 7009 (revocation), 7523 (private_key_jwt),
7636 (PKCE), 8705 (tls_client_auth), 9207 (issuer in the answer) and 9700 (security).

The token endpoint is called through the template of `base.Provider`, so gate, recorder, time-outs,
client certificate and error classes are those of every other request. Where tokens are kept and
who may renew them is the business of the session's `tokens` port.
"""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from .base import NOT_DONE, Provider
from .certificates import key_of
from .contract import Answer
from .errors import AuthFailed, ContractBroken, Transient
from .jwt import client_assertion
from .masking import MASK, without_secrets
from .session import Recorder, Token

OPERATION = "sign_in"
AUTH_METHODS = (
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "tls_client_auth",
    "none",
)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DAY = 24 * 3600
# A token that lives for less than the leeway is used for this part of its life.
LEAST_USE = 0.75

# Vendors' names for the seconds that a refresh token has left; RFC 6749 has none.
REFRESH_LIFE = ("refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in")
# Everything else of the dialogue is a secret.
SHOWN_SENT = {
    "audience",
    "client_assertion_type",
    "client_id",
    "grant_type",
    "redirect_uri",
    "resource",
    "scope",
    "token_type_hint",
}
SHOWN_RECEIVED = {
    "error",
    "error_description",
    "error_uri",
    "expires_in",
    "scope",
    "token_type",
    *REFRESH_LIFE,
}
# RFC 6749, 5.2: what each error code means for whoever has to mend it.
REFUSALS = {
    "invalid_client": "the client ID or its secret is refused. Enter them again",
    "invalid_grant": "the sign-in has ended or was withdrawn. Sign in again",
    "unauthorized_client": "this client may not sign in this way. Change it at the vendor",
    "invalid_scope": "the client is not granted what it asks for. Change it at the vendor",
}
LATER = ("temporarily_unavailable", "server_error", "slow_down")


@dataclass(frozen=True)
class OAuth2:
    """How a vendor signs its clients in.

    token_url, authorize_url, revoke_url: a path below the connector's base URL, or a dict
    environment to full https URL for a vendor that signs in elsewhere; in the environment "local"
    the path of that URL is asked at the local address. With an authorize_url a person signs in
    (authorization code with PKCE, then refresh tokens); without, the client does (client
    credentials). scopes: what is asked for. auth_method: how the client proves itself, one of
    `AUTH_METHODS`; "tls_client_auth" and "none" send the client ID alone.
    client_id, client_secret, private_key, passphrase, key_id: names of the settings that hold
    them. algorithm: of private_key_jwt. issuer: as token_url; checked when the vendor names itself
    in its answer. leeway: seconds before its end that a token is renewed. sign_in_days: after so
    many days a person has to sign in again, however often tokens are renewed; None when the
    vendor's answers say it, or nothing does. authorize_params, token_params: what else the vendor
    wants to get.
    """

    token_url: object
    authorize_url: object = ""
    revoke_url: object = ""
    scopes: tuple = ()
    auth_method: str = "client_secret_basic"
    client_id: str = "client_id"
    client_secret: str = "client_secret"
    private_key: str = "private_key"
    passphrase: str = ""
    key_id: str = ""
    algorithm: str = ""
    issuer: object = ""
    leeway: float = 60.0
    sign_in_days: int | None = None
    authorize_params: dict = field(default_factory=dict)
    token_params: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.auth_method not in AUTH_METHODS:
            raise ValueError(f"{self.auth_method} is not one of {', '.join(AUTH_METHODS)}")
        for url in (self.token_url, self.authorize_url, self.revoke_url):
            full = url.values() if isinstance(url, dict) else ()
            if any(not one.startswith("https://") for one in full):
                raise ValueError(f"{url} must be https")

    @property
    def asks_a_person(self) -> bool:
        """Whether a person signs in, in a browser."""
        return bool(self.authorize_url)

    def client(self, provider) -> "Client":
        """Return our side of the dialogue for ``provider``."""
        return Client(provider, self)


class Client(Provider):
    """Gets, renews and gives back the tokens of one provider at work."""

    def __init__(self, vendor, declared):
        session = vendor.session
        recorder = _Discreet(session.recorder)
        super().__init__(
            replace(session, effect="question", operation=OPERATION, recorder=recorder)
        )
        self.label, self.certificate = vendor.label, vendor.certificate
        self.declared = declared
        self._token, self._is_new, self._sent = Token(), False, ()

    # === WHAT A PROVIDER ASKS FOR === #

    @property
    def secrets(self) -> tuple:
        """The tokens known so far."""
        return tuple(filter(None, (self._token.access, self._token.refresh)))

    def token(self, refused="") -> Token:
        """Return a token that serves, from the store or anew.

        Raises `AuthFailed` when a person has to do something first, `Transient` or `Held` when it
        is worth trying later; in none of these cases anything was done at the vendor.
        """
        self._is_new = False
        tokens = self.session.tokens
        self._token = tokens.get(self._fetch, client=self._digest(), refused=refused)
        return self._token

    def renew(self) -> bool:
        """Replace the token that the vendor refuses; return whether there is another one now."""
        if self._is_new:
            return False
        self.token(refused=self._token.access)
        return True

    def _fetch(self, known, keep):
        if not self.declared.asks_a_person:
            self._ask({"grant_type": "client_credentials", **self._scope()}, None, keep)
            return
        if known is None or not known.access:
            raise AuthFailed(f"Nobody has signed in at {self.label} yet: press Sign In")
        if not known.refresh:
            raise AuthFailed(f"The sign-in at {self.label} has ended. Sign in again")
        self._ask({"grant_type": "refresh_token", "refresh_token": known.refresh}, known, keep)

    # === A PERSON SIGNS IN === #

    def authorization_url(self, redirect_url, state, verifier) -> str:
        """Return where to send the person's browser (RFC 6749, 4.1.1; RFC 7636, 4.3).

        redirect_url: where the vendor sends it back. state, verifier: random texts of
        `new_secret`, which come back, and are shown to the token endpoint.
        """
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._setting(self.declared.client_id),
            "redirect_uri": redirect_url,
            **self._scope(),
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **self.declared.authorize_params,
        }
        address = self._address(self.declared.authorize_url)
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query, quote_via=quote)}"

    def redeem(self, code, redirect_url, verifier, issuer="") -> Token:
        """Turn the code that the browser brought back into a `Token`, and store it.

        issuer: what the vendor called itself in that answer, "" when it did not. Raises as `token`.
        """
        expected = self.declared.issuer and self._address(self.declared.issuer)
        if expected and issuer and issuer != expected:
            raise AuthFailed(f"The answer came from {issuer}, not from {self.label}")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_url,
            "code_verifier": verifier,
        }
        return self._ask(form, None, self.session.tokens.keep)

    def revoke(self, token):
        """Tell the vendor to forget a `Token` (RFC 7009). Raises the error classes."""
        if not self.declared.revoke_url:
            return
        hint = "refresh_token" if token.refresh else "access_token"
        form = {"token": token.refresh or token.access, "token_type_hint": hint}
        self._post(self.declared.revoke_url, form, lambda response: None)

    # === DIALOGUE === #

    def _ask(self, form, known, keep):
        """Return the `Token` that the vendor gives for ``form``; kept before anything else."""
        started = time.time()

        def read(response):
            token = self._read(Answer(self._parse(response), "token"), known, started)
            keep(token)
            return token

        try:
            self._token = self._post(self.declared.token_url, form, read)
        except ContractBroken as error:
            # of the sign-in, not of what was to be done: that was not even sent
            raise Transient(error.message, status=error.status) from error
        self._is_new = True
        return self._token

    def _post(self, declared_url, form, read):
        url = self._address(declared_url)
        form = {**form, **self._proof(url), **self.declared.token_params}
        self._sent = tuple(value for name, value in form.items() if name not in SHOWN_SENT)
        return self._send(self._request("POST", url, None, None, form), read)

    def _read(self, answer, known, started):
        kind = answer.text("token_type")
        if kind.lower() != "bearer":
            raise ContractBroken(f"The token is of the type {kind[:40]}", field="token.token_type")
        seconds = answer.decimal("expires_in", default=None)
        return Token(
            access=answer.text("access_token"),
            refresh=answer.text("refresh_token", default="") or (known.refresh if known else ""),
            scope=answer.text("scope", default="") or " ".join(self.declared.scopes),
            client=self._digest(),
            renew_at=None if seconds is None else started + self._use(float(seconds)),
            ends_at=self._ends_at(answer, known, started),
        )

    def _use(self, seconds):
        return max(seconds - self.declared.leeway, seconds * LEAST_USE)

    def _ends_at(self, answer, known, started):
        if not self.declared.asks_a_person:
            return None
        if self.declared.sign_in_days:
            return known.ends_at if known else started + self.declared.sign_in_days * DAY
        lives = (answer.decimal(name, default=None) for name in REFRESH_LIFE)
        seconds = next((life for life in lives if life), None)
        # a refresh token that isn't replaced keeps the end that it was given with
        return started + float(seconds) if seconds else known and known.ends_at

    def _digest(self):
        """Tell credentials apart; stands with the token, sealed."""
        names = ("client_id", "client_secret", "private_key")
        values = [self.config.settings.get(getattr(self.declared, name)) or "" for name in names]
        text = "\0".join((self._address(self.declared.token_url), *values))
        return hashlib.sha256(text.encode()).hexdigest()

    def _proof(self, url):
        """Return the form fields by which the client says and proves who it is."""
        method, client_id = self.declared.auth_method, self._setting(self.declared.client_id)
        if method == "client_secret_basic":
            return {}
        if method == "client_secret_post":
            secret = self._setting(self.declared.client_secret)
            return {"client_id": client_id, "client_secret": secret}
        if method != "private_key_jwt":
            return {"client_id": client_id}
        return {
            "client_id": client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(client_id, url),
        }

    def _assertion(self, client_id, url):
        declared = self.declared
        names = (declared.private_key, declared.passphrase, declared.key_id)
        pem, passphrase, key_id = (self.config.settings.get(name) or "" for name in names)
        try:
            key = key_of(pem, passphrase)
            return client_assertion(
                key, client_id, url, key_id=key_id, algorithm=declared.algorithm
            )
        except ValueError as error:
            raise AuthFailed(f"{error}. Nothing was sent") from None

    def _scope(self):
        return {"scope": " ".join(self.declared.scopes)} if self.declared.scopes else {}

    def _setting(self, name):
        return self.config.settings.get(name) or ""

    def _address(self, declared):
        """Return the URL that a declared path or URL stands for in this environment."""
        if isinstance(declared, dict):
            if self.config.environment != "local":
                return declared[self.config.environment]
            declared = urlsplit(next(iter(declared.values()))).path
        return f"{self.config.base_url}{declared}"

    # === HOOKS OF THE TEMPLATE === #

    def url(self, path):
        return path

    def authorize(self, request):
        if self.declared.auth_method != "client_secret_basic":
            return
        names = (self.declared.client_id, self.declared.client_secret)
        # Each part is written as in a form first (RFC 6749, 2.3.1).
        pair = ":".join(quote(self._setting(name), safe="") for name in names)
        request.headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"

    def classify(self, response):
        if response.status >= 500 or response.status in NOT_DONE:
            return None
        code, words = _error_of(response)
        if code in LATER:
            return Transient(f"{self.label} can't sign us in now{words}", code=code)
        meaning = REFUSALS.get(code, "the request is refused")
        return AuthFailed(f"{self.label} does not sign us in: {meaning}{words}", code=code)

    def _secrets(self):
        return (*super()._secrets(), *self.secrets, *self._sent)


class _Discreet(Recorder):
    """Hands exchanges on without tokens, codes and proofs: not even sealed are they kept."""

    def __init__(self, recorder):
        self._recorder = recorder

    def sending(self):
        self._recorder.sending()

    def received(self, exchange):
        body = exchange.request_body
        # a vendor that signs in with JSON instead of a form
        is_json = body.startswith(b"{")
        sent = discreet_json(body, SHOWN_SENT) if is_json else discreet_form(body)
        received = without_secrets(discreet_json(exchange.response_body), exchange.secrets)
        self._recorder.received(
            replace(exchange, request_body=sent.encode(), response_body=received.encode())
        )


def new_secret() -> str:
    """Return a random text of 64 letters, digits, "-" and "_": a state, a code verifier."""
    return secrets.token_urlsafe(48)


def discreet_form(body) -> str:
    """Return a form of the dialogue, its secret values hidden.

    >>> discreet_form(b"grant_type=refresh_token&refresh_token=abc")
    'grant_type=refresh_token&refresh_token=••••'
    """
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return "&".join(f"{name}={value if name in SHOWN_SENT else MASK}" for name, value in pairs)


def discreet_json(body, shown=frozenset(SHOWN_RECEIVED)) -> str:
    """Return a JSON object of the dialogue, all values but those of the fields ``shown`` hidden; of
    another form, its size.

    >>> discreet_json(b'{"access_token": "abc", "expires_in": 60}')
    '{"access_token": "••••", "expires_in": 60}'
    """
    if not body:
        return ""
    try:
        values = json.loads(body)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return f"({len(body)} bytes that are no token answer)"
    safe = {name: value if name in shown else MASK for name, value in values.items()}
    return json.dumps(safe, ensure_ascii=False)


def _error_of(response):
    """Return (code, further words) of an error answer (RFC 6749, 5.2)."""
    try:
        answer = json.loads(response.body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return "", f" ({response.status})"
    description = str(answer.get("error_description") or "")[:200]
    return str(answer.get("error") or "")[:60], f" ({description})" if description else ""
