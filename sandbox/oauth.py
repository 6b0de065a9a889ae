"""A vendor whose clients sign in with OAuth 2: authorization server and the API behind it.

Written from RFC 6749, 6750, 7009, 7636, 8705 (tls_client_auth) and 9700 (rotation, reuse).
Base URL: ``http://127.0.0.1:8099/oauth``; any loopback redirect address is a registered one.

=======================  =========================================================================
``GET /authorize``       a page on which Sam Sandbox allows the access, or refuses it, with one click
``POST /token``          client_credentials, authorization_code (PKCE required), refresh_token
``POST /revoke``         forgets a token and all that came from the same sign-in
``GET /me``              with a token: ``{"text": "Sam Sandbox"}``
``GET|POST /echo``       with a token: as :mod:`sandbox.echo`
``PUT /settings``        behaviour from now on, see :data:`SETTINGS`; not a part of the standard
``POST /expire``         the tokens given so far are refused from now on; not a part of the standard
=======================  =========================================================================

State: ``{"signed_in", "tokens": {"active", "given", "refreshed"}, "reused", "done"}``.
"""

import base64
import hashlib
import html
import secrets
import time
from dataclasses import dataclass
from urllib.parse import unquote, urlencode, urlsplit

from .echo import Echo
from .vendor import Refusal, Response, Vendor

__all__ = ["CLIENTS", "OAuth"]

PERSON = "Sam Sandbox"
#: Made-up clients: how each proves itself, and its secret.
CLIENTS = {
    "sandbox-client": ("client_secret_basic", "SANDBOX-CLIENT-SECRET-0001"),
    "sandbox-form": ("client_secret_post", "SANDBOX-CLIENT-SECRET-0002"),
    "sandbox-public": ("none", ""),
    # known by the common name of its certificate, on the port that asks for one
    "sandbox-tls": ("tls_client_auth", ""),
}
#: expires_in, refresh_expires_in: seconds, None = not said and for ever. rotate: each refresh token
#: serves once; reuse_grace: seconds in which it may serve again, after which its reuse ends the
#: whole sign-in.
SETTINGS = {"expires_in": 3600, "refresh_expires_in": None, "rotate": True, "reuse_grace": 0}
SCOPES = {"read", "write"}
CODE_SECONDS = 60
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass
class Grant:
    """One sign-in, or one client that signed in for itself, and whether it still counts."""

    client_id: str
    scope: str
    person: str = ""
    active: bool = True


@dataclass
class Given:
    """A code or token of a grant. used_at: when it served, None before."""

    grant: Grant
    expires_at: float | None
    used_at: float | None = None
    bound_to: tuple = ()


class OAuth(Vendor):
    """Authorization server and resource server in one."""

    prefix = "oauth"
    routes = (
        ("GET", "/authorize", "authorize"),
        ("POST", "/authorize", "decide"),
        ("POST", "/token", "token"),
        ("POST", "/revoke", "revoke"),
        ("GET", "/me", "me"),
        ("POST", "/echo", "echo"),
        ("GET", "/echo", "find"),
        ("PUT", "/settings", "change"),
        ("POST", "/expire", "expire"),
    )

    def reset(self):
        """Forget all grants, and behave as usual."""
        self.settings = dict(SETTINGS)
        self.codes, self.accesses, self.refreshes = {}, {}, {}
        self.counts = {"given": 0, "refreshed": 0}
        self.signed_in, self.reused = 0, 0
        self.api = Echo()

    def state(self):
        """Return who signed in, what was given, and how often a used refresh token came back."""
        active = sum(self._serves(given) for given in self.accesses.values())
        return {
            "signed_in": self.signed_in,
            "tokens": {"active": active, **self.counts},
            "reused": self.reused,
            **self.api.state(),
        }

    def trouble(self, status):
        """Return the body of a fault, as 5.2 and usual practice have it."""
        code = "temporarily_unavailable" if status in (429, 503) else "server_error"
        return {"error": code, "error_description": f"made up for a test ({status})"}

    # === AUTHORIZATION ENDPOINT (4.1.1, 4.1.2) === #

    def authorize(self, request):
        """Show the page; what does not name a client and a known address is refused on the spot."""
        asked = request.query
        self._check_redirect(asked)
        wrong = self._wrong_question(asked)
        if wrong:
            return _send_back(asked, {"error": wrong})
        return Response(content=_page(asked).encode(), content_type="text/html; charset=utf-8")

    def decide(self, request):
        """Send the browser back with a code, or with access_denied."""
        asked = request.form
        self._check_redirect(asked)
        if asked.get("decision") != "allow":
            return _send_back(
                asked, {"error": "access_denied", "error_description": f"{PERSON} said no"}
            )
        self.signed_in += 1
        code = secrets.token_urlsafe(24)
        self.codes[code] = Given(
            Grant(asked["client_id"], asked.get("scope", ""), PERSON),
            time.time() + CODE_SECONDS,
            bound_to=(asked["client_id"], asked["redirect_uri"], asked["code_challenge"]),
        )
        return _send_back(asked, {"code": code})

    def _check_redirect(self, asked):
        known = asked.get("client_id") in CLIENTS
        if not known or urlsplit(asked.get("redirect_uri", "")).hostname not in LOOPBACK:
            words = b"<p>This client or its redirect address is not registered.</p>"
            raise Refusal(Response(400, content=words, content_type="text/html; charset=utf-8"))

    def _wrong_question(self, asked):
        if asked.get("response_type") != "code":
            return "unsupported_response_type"
        if (
            asked.get("code_challenge_method") != "S256"
            or len(asked.get("code_challenge", "")) < 43
        ):
            return "invalid_request"
        return "" if set(asked.get("scope", "").split()) <= SCOPES else "invalid_scope"

    # === TOKEN ENDPOINT (4.1.3, 4.4.2, 6) === #

    def token(self, request):
        """Give tokens for what the request shows."""
        if not request.header("content-type").startswith("application/x-www-form-urlencoded"):
            raise _refusal("invalid_request", "a form is expected")
        client_id, form = self._client(request), request.form
        grants = {
            "client_credentials": self._of_client,
            "authorization_code": self._of_code,
            "refresh_token": self._of_refresh,
        }
        grant_type = form.get("grant_type")
        if grant_type not in grants:
            raise _refusal("unsupported_grant_type", f"{grant_type!r} is not supported")
        return Response(
            200,
            grants[grant_type](client_id, form),
            headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
        )

    def _client(self, request):
        """Return the id of the client that the request proves to come from (2.3, RFC 8705, 2.1)."""
        form, header = request.form, request.header("authorization")
        shown = "client_secret_post" if "client_secret" in form else "none"
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        if header.lower().startswith("basic "):
            pair = base64.b64decode(header[6:]).decode()
            client_id, _colon, secret = (unquote(part) for part in pair.partition(":"))
            shown = "client_secret_basic"
        method, expected = CLIENTS.get(client_id, ("", ""))
        if method == "tls_client_auth":
            shown, expected = method, request.peer
            secret = client_id
        fits = secrets.compare_digest(secret.encode(), expected.encode())
        if not method or shown != method or not fits:
            raise _refusal("invalid_client", "client authentication failed", 401)
        return client_id

    def _of_client(self, client_id, form):
        scope = form.get("scope", "")
        if not set(scope.split()) <= SCOPES:
            raise _refusal("invalid_scope", f"not all of {scope!r} is granted")
        return self._give(Grant(client_id, scope), with_refresh=False)

    def _of_code(self, client_id, form):
        given = self.codes.get(form.get("code"))
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        shown = (
            client_id,
            form.get("redirect_uri"),
            base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        )
        if not given or not self._serves(given) or given.bound_to != shown:
            raise _refusal("invalid_grant", "the code is unknown, too old or not for this request")
        if given.used_at is not None:
            given.grant.active = False
            raise _refusal("invalid_grant", "the code was used before")
        given.used_at = time.time()
        return self._give(given.grant)

    def _of_refresh(self, client_id, form):
        given = self.refreshes.get(form.get("refresh_token"))
        if not given or not self._serves(given) or given.grant.client_id != client_id:
            raise _refusal("invalid_grant", "the refresh token is unknown, ended or withdrawn")
        now = time.time()
        if given.used_at is not None and now - given.used_at > self.settings["reuse_grace"]:
            self.reused += 1
            given.grant.active = False
            raise _refusal("invalid_grant", "the refresh token was used before")
        if self.settings["rotate"]:
            given.used_at = given.used_at or now
        self.counts["refreshed"] += 1
        return self._give(given.grant, with_refresh=self.settings["rotate"])

    def _give(self, grant, with_refresh=True):
        answer = {"token_type": "Bearer"} | ({"scope": grant.scope} if grant.scope else {})
        answer["access_token"] = self._new(self.accesses, grant, "expires_in", answer)
        if with_refresh:
            life = "refresh_expires_in"
            answer["refresh_token"] = self._new(self.refreshes, grant, life, answer)
        self.counts["given"] += 1
        return answer

    def _new(self, tokens, grant, life, answer):
        seconds = self.settings[life]
        if seconds is not None:
            answer[life] = seconds
        token = secrets.token_urlsafe(32)
        tokens[token] = Given(grant, None if seconds is None else time.time() + seconds)
        return token

    def _serves(self, given):
        alive = given.expires_at is None or time.time() < given.expires_at
        return alive and given.grant.active

    def revoke(self, request):
        """Withdraw the grant of a token; an unknown one is as good as withdrawn (RFC 7009, 2.2)."""
        client_id = self._client(request)
        token = request.form.get("token")
        for given in (self.refreshes.get(token), self.accesses.get(token)):
            if given and given.grant.client_id == client_id:
                given.grant.active = False
        return Response(200)

    # === THE API BEHIND IT (RFC 6750) === #

    def me(self, request):
        """Say who signed in."""
        return Response(200, {"text": self._bearer(request).person or "nobody, for itself"})

    def echo(self, request):
        """Do it."""
        self._bearer(request)
        return self.api.echo(request)

    def find(self, request):
        """Say what was done under a key."""
        self._bearer(request)
        return self.api.find(request)

    def _bearer(self, request):
        scheme, _space, token = request.header("authorization").partition(" ")
        given = self.accesses.get(token) if scheme.lower() == "bearer" else None
        if given and self._serves(given):
            return given.grant
        answer = Response(401, {"error": "invalid_token", "error_description": f"not {token}"})
        answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        raise Refusal(answer)

    # === FOR TESTS === #

    def change(self, request):
        """Behave differently."""
        self.settings |= {name: request.json()[name] for name in request.json() if name in SETTINGS}
        return Response(200, self.settings)

    def expire(self, _request):
        """Refuse the access tokens given so far, however valid they look."""
        for given in self.accesses.values():
            given.expires_at = 0.0
        return Response(200, {"expired": len(self.accesses)})


def _refusal(code, words, status=400):
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="token"'
    return Refusal(Response(status, {"error": code, "error_description": words}, headers=headers))


def _send_back(asked, values):
    values = values | ({"state": asked["state"]} if "state" in asked else {})
    target = asked["redirect_uri"]
    target += ("&" if "?" in target else "?") + urlencode(values)
    return Response(302, content=b"", headers={"Location": target})


def _page(asked):
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in asked.items()
    )
    return f"""<!doctype html><meta charset="utf-8"><title>Sandbox sign-in</title>
<body style="font-family: sans-serif; max-width: 30em; margin: 4em auto">
<h1>Sandbox Bank</h1>
<p><b>{html.escape(asked["client_id"])}</b> asks for access to the account of {PERSON}:
{html.escape(asked.get("scope", "") or "everything")}.</p>
<form method="post" action="authorize">{fields}
<button name="decision" value="allow">Allow as {PERSON}</button>
<button name="decision" value="refuse">Refuse</button>
</form></body>"""
