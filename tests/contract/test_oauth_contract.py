"""OAuth 2 judged by others: our client by oauthlib's server and Authlib's checks of assertions, the
sandbox's server by Authlib's client.
"""

import base64
import http.server
import threading
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import import_key
from oauthlib.oauth2 import RequestValidator, Server

from odoo.addons.finance_connector_base.providers.base import Provider
from odoo.addons.finance_connector_base.providers.errors import AuthFailed
from odoo.addons.finance_connector_base.providers.jwt import client_assertion
from odoo.addons.finance_connector_base.providers.oauth import OAuth2, new_secret
from odoo.addons.finance_connector_base.providers.session import ConnectorConfig, Session

from sandbox.oauth import CLIENTS
from tests.certificates import key_pem

REDIRECT = "http://localhost:8069/finance/oauth/callback"
CLIENT, SECRET = "contract-client", "contract secret: ü/+%"
SCOPES = ["read", "write"]


# === OUR CLIENT, oauthlib's SERVER === #


class Rules(RequestValidator):
    """What oauthlib asks of whoever keeps clients and tokens; it does the protocol itself."""

    def __init__(self):
        self.codes, self.tokens, self.refreshes, self.methods = {}, set(), {}, []

    def authenticate_client(self, request, *_arguments, **_options):
        header = request.headers.get("Authorization", "")
        if header:
            # the parts are form-encoded (RFC 6749, 2.3.1)
            pair = base64.b64decode(header.split()[1]).decode()
            shown = [unquote_plus(part) for part in pair.split(":")]
            self.methods.append("basic")
        else:
            shown = [request.client_id, request.client_secret]
            self.methods.append("post")
        request.client = SimpleNamespace(client_id=shown[0])
        return shown == [CLIENT, SECRET]

    def client_authentication_required(self, request, *_arguments, **_options):
        return True

    def authenticate_client_id(self, *_arguments, **_options):
        return False

    def validate_client_id(self, client_id, *_arguments, **_options):
        return client_id == CLIENT

    def validate_redirect_uri(self, client_id, redirect_uri, *_arguments, **_options):
        return redirect_uri == REDIRECT

    def validate_response_type(self, client_id, response_type, *_arguments, **_options):
        return response_type == "code"

    def validate_scopes(self, client_id, scopes, *_arguments, **_options):
        return set(scopes) <= set(SCOPES)

    def get_default_scopes(self, *_arguments, **_options):
        return SCOPES

    def is_pkce_required(self, client_id, request):
        return True

    def save_authorization_code(self, client_id, code, request, *_arguments, **_options):
        self.codes[code["code"]] = request

    def get_code_challenge(self, code, request):
        return self.codes[code].code_challenge

    def get_code_challenge_method(self, code, request):
        return self.codes[code].code_challenge_method

    def validate_code(self, client_id, code, client, request, *_arguments, **_options):
        asked = self.codes.get(code)
        request.user, request.scopes = "Sam", SCOPES
        return bool(asked) and asked.client_id == client_id

    def confirm_redirect_uri(self, client_id, code, redirect_uri, *_arguments, **_options):
        return redirect_uri == self.codes[code].redirect_uri

    def invalidate_authorization_code(self, client_id, code, request, *_arguments, **_options):
        del self.codes[code]

    def validate_grant_type(self, *_arguments, **_options):
        return True

    def validate_refresh_token(self, refresh_token, client, request, *_arguments, **_options):
        request.user = "Sam"
        return refresh_token in self.refreshes

    def get_original_scopes(self, refresh_token, request, *_arguments, **_options):
        return SCOPES

    def save_bearer_token(self, token, request, *_arguments, **_options):
        self.tokens.add(token["access_token"])
        if "refresh_token" in token:
            self.refreshes[token["refresh_token"]] = token
        if request.grant_type == "refresh_token":
            self.refreshes.pop(request.refresh_token)

    def validate_bearer_token(self, token, scopes, request):
        return token in self.tokens

    def revoke_token(self, token, hint, request, *_arguments, **_options):
        self.refreshes.pop(token, None)


class Handler(http.server.BaseHTTPRequestHandler):
    """oauthlib behind HTTP."""

    def do_GET(self):
        server, headers = self.server.oauth, dict(self.headers)
        if self.path.startswith("/authorize"):
            scopes, asked = server.validate_authorization_request(self._url(), "GET", None, headers)
            answer = server.create_authorization_response(
                self._url(), "GET", None, headers, scopes, asked
            )
            return self._answer(*answer)
        valid, _request = server.verify_request(self._url(), "GET", None, headers, ["read"])
        return self._answer({}, '{"text": "Sam"}' if valid else "{}", 200 if valid else 401)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        call = {
            "/token": self.server.oauth.create_token_response,
            "/revoke": self.server.oauth.create_revocation_response,
        }[self.path]
        self._answer(*call(self._url(), "POST", body, dict(self.headers)))

    def _url(self):
        return f"https://{self.headers['Host']}{self.path}"

    def _answer(self, headers, body, status):
        content = (body or "").encode()
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments):
        return


@pytest.fixture
def judge():
    """oauthlib's server on loopback, with what its validator has seen."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.rules = Rules()
    server.oauth = Server(server.rules)
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()


def provider(url, declared, client=CLIENT, secret=SECRET):
    """A vendor at ``url`` that signs in as ``declared``."""

    class Vendor(Provider):
        code, label, oauth = "judged", "Judged", declared

    settings = {"client_id": client, "client_secret": secret}
    return Vendor(Session(ConnectorConfig(1, "x", "judged", "local", url, settings=settings)))


@pytest.mark.parametrize("method", ["basic", "post"])
def test_client_credentials(judge, method):
    vendor = provider(
        judge.url, OAuth2("/token", scopes=("read",), auth_method=f"client_secret_{method}")
    )
    assert vendor.send("GET", "/me") == {"text": "Sam"}
    assert judge.rules.methods == [method]


def test_authorization_code_renewal_and_revocation(judge):
    vendor = provider(
        judge.url, OAuth2("/token", "/authorize", "/revoke", scopes=("read", "write"))
    )
    state, verifier = new_secret(), new_secret()
    page = vendor.client.authorization_url(REDIRECT, state, verifier)
    target = requests.get(page, allow_redirects=False, timeout=5).headers["Location"]
    answer = parse_qs(urlsplit(target).query)
    assert answer["state"] == [state]
    first = vendor.client.redeem(answer["code"][0], REDIRECT, verifier)
    judge.rules.tokens.clear()
    assert vendor.send("GET", "/me") == {"text": "Sam"}
    second = vendor.session.tokens.get(None, client=first.client)
    assert first.refresh not in judge.rules.refreshes and second.refresh in judge.rules.refreshes
    vendor.client.revoke(second)
    judge.rules.tokens.clear()
    with pytest.raises(AuthFailed, match="Sign in again"):
        vendor.send("GET", "/me")


def test_wrong_verifier_is_refused_by_the_judge(judge):
    vendor = provider(judge.url, OAuth2("/token", "/authorize"))
    page = vendor.client.authorization_url(REDIRECT, "s", new_secret())
    target = requests.get(page, allow_redirects=False, timeout=5).headers["Location"]
    with pytest.raises(AuthFailed):
        vendor.client.redeem(parse_qs(urlsplit(target).query)["code"][0], REDIRECT, new_secret())


# === OUR ASSERTIONS, Authlib's CHECKS === #


class Assertions(JWTBearerClientAssertion):
    """Authlib's side of private_key_jwt, for one client and one key."""

    def __init__(self, key):
        super().__init__()
        self.key, self.used = key, set()

    def get_audiences(self):
        return ["https://id.example.com/token"]

    def validate_jti(self, claims, jti):
        fresh = jti not in self.used
        self.used.add(jti)
        return fresh

    def resolve_client_public_key(self, client):
        return self.key

    def process_assertion_claims(self, assertion, resolve_key):
        # as Authlib's, which does not take the PS256 that banks ask for unless told so
        token = jwt.decode(assertion, resolve_key, algorithms=["RS256", "PS256", "ES256"])
        self.verify_claims(token.claims)
        return token.claims


RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256")])
def test_private_key_jwt(key, algorithm):
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    judge = Assertions(import_key(public, "RSA" if key is RSA else "EC"))
    vendor = provider("https://id.example.com", OAuth2(
        "/token", auth_method="private_key_jwt", algorithm=algorithm, key_id="key_id"))  # fmt: skip
    vendor.config.settings.update(private_key=key_pem(key), key_id="k1")
    form = vendor.client._proof("https://id.example.com/token")
    client = SimpleNamespace(check_endpoint_auth_method=lambda method, endpoint: True)
    request = SimpleNamespace(form=form)
    assert judge(lambda client_id: client if client_id == CLIENT else None, request) is client
    headers, _claims = judge.extract_assertion(form["client_assertion"])
    assert (headers["alg"], headers["kid"]) == (algorithm, "k1")
    with pytest.raises(InvalidClientError, match="used before"):
        judge(lambda _client_id: client, request)
    other = client_assertion(key, CLIENT, "https://evil.example/token", algorithm=algorithm)
    with pytest.raises(InvalidClientError):
        judge(lambda _client_id: client, SimpleNamespace(form=form | {"client_assertion": other}))


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "RS256"), (RSA, "ES256"), (RSA, "HS256")])
def test_key_of_another_kind(key, algorithm):
    with pytest.raises(ValueError, match="not of the kind"):
        client_assertion(key, CLIENT, "https://id.example.com", algorithm=algorithm)


# === THE SANDBOX, Authlib's CLIENT === #


@pytest.fixture
def endpoint(sandbox_url, monkeypatch):
    """The sandbox's authorization server; Authlib wants https unless told so."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    return f"{sandbox_url}/oauth"


def session(client="sandbox-client", method="client_secret_basic", **options):
    secret = CLIENTS[client][1]
    return OAuth2Session(client, secret, token_endpoint_auth_method=method, **options)


@pytest.mark.parametrize(
    ("client", "method"),
    [("sandbox-client", "client_secret_basic"), ("sandbox-form", "client_secret_post")],
)
def test_sandbox_client_credentials(endpoint, client, method):
    authlib = session(client, method, scope="read")
    token = authlib.fetch_token(f"{endpoint}/token", grant_type="client_credentials")
    assert token["scope"] == "read" and "refresh_token" not in token
    assert authlib.get(f"{endpoint}/me").json() == {"text": "nobody, for itself"}
    assert (
        requests.get(f"{endpoint}/me", timeout=5).headers["WWW-Authenticate"].startswith("Bearer")
    )


def test_sandbox_sign_in_rotation_and_reuse(endpoint, sandbox):
    authlib = session(
        scope="read write", redirect_uri=REDIRECT, code_challenge_method="S256",
        revocation_endpoint_auth_method="client_secret_basic",
    )  # fmt: skip
    verifier = generate_token(48)
    page, state = authlib.create_authorization_url(f"{endpoint}/authorize", code_verifier=verifier)
    shown = requests.get(page, timeout=5)
    assert "Allow as Sam Sandbox" in shown.text
    form = {name: value[0] for name, value in parse_qs(urlsplit(page).query).items()}
    answer = requests.post(
        f"{endpoint}/authorize", form | {"decision": "allow"}, allow_redirects=False, timeout=5
    )
    token = authlib.fetch_token(
        f"{endpoint}/token",
        authorization_response=answer.headers["Location"],
        state=state,
        code_verifier=verifier,
    )
    assert authlib.get(f"{endpoint}/me").json() == {"text": "Sam Sandbox"}
    renewed = authlib.refresh_token(f"{endpoint}/token", refresh_token=token["refresh_token"])
    assert renewed["refresh_token"] != token["refresh_token"]
    with pytest.raises(OAuthError, match="used before"):
        authlib.refresh_token(f"{endpoint}/token", refresh_token=token["refresh_token"])
    assert sandbox.state("oauth")["reused"] == 1
    with pytest.raises(OAuthError, match="invalid_grant"):
        authlib.refresh_token(f"{endpoint}/token", refresh_token=renewed["refresh_token"])


def test_sandbox_revocation(endpoint):
    authlib = session(revocation_endpoint_auth_method="client_secret_basic")
    token = authlib.fetch_token(f"{endpoint}/token", grant_type="client_credentials")
    assert authlib.revoke_token(f"{endpoint}/revoke", token["access_token"]).status_code == 200
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert requests.get(f"{endpoint}/me", headers=headers, timeout=5).status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "admin"}, 400, "invalid_scope"),
        ({"grant_type": "refresh_token", "refresh_token": "?"}, 400, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "?"}, 400, "invalid_grant"),
    ],
)
def test_sandbox_refusals(endpoint, form, status, error):
    auth = ("sandbox-client", CLIENTS["sandbox-client"][1])
    answer = requests.post(f"{endpoint}/token", form, auth=auth, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    answer = requests.post(f"{endpoint}/token", form, auth=("sandbox-client", "no"), timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
