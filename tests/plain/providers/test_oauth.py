"""Tokens: got, renewed, refused, given back; and seen by nobody. Against the sandbox's server."""

import doctest
import time
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest

from odoo.addons.finance_connector_base.providers import oauth
from odoo.addons.finance_connector_base.providers.base import Provider
from odoo.addons.finance_connector_base.providers.errors import AuthFailed, Held, Transient
from odoo.addons.finance_connector_base.providers.oauth import OAuth2, new_secret
from odoo.addons.finance_connector_base.providers.session import (
    ConnectorConfig,
    Gate,
    Recorder,
    Session,
)

from sandbox.oauth import CLIENTS
from sandbox.server import SandboxServer

REDIRECT = "http://localhost:8069/finance/oauth/callback"
CLIENT = "sandbox-client"
# RFC 7636, appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class Bank(Provider):
    """A vendor whose clients sign in for themselves."""

    code, label = "bank", "Bank"
    oauth = OAuth2("/token", scopes=("read",))

    def me(self):
        return self.send("GET", "/me")["text"]

    def echo(self, text):
        return self.send("POST", "/echo", json={"text": text, "key": "k"})["text"]


class PersonalBank(Bank):
    """A vendor at which a person signs in."""

    oauth = OAuth2("/token", "/authorize", "/revoke", scopes=("read", "write"))


class Exchanges(Recorder):
    def __init__(self):
        self.all = []

    def received(self, exchange):
        self.all.append(exchange)


@pytest.fixture(scope="module")
def server():
    server = SandboxServer().start()
    yield server
    server.shutdown()


@pytest.fixture
def vendor(server):
    """The sandbox's authorization server, without memory of other tests."""
    server.sandbox.reset()
    vendor = server.sandbox.vendors["oauth"]
    vendor.url = f"{server.url}/oauth"
    vendor.faults = lambda *rules: server.sandbox.faults.replace(list(rules))
    return vendor


def at(vendor, cls=Bank, client=CLIENT, secret=None, **values):
    secret = CLIENTS[client][1] if secret is None else secret
    config = ConnectorConfig(
        1, "Bank", "bank", "local", vendor.url, timeouts=(1.0, 0.5), secrets=(secret,),
        settings={"client_id": client, "client_secret": secret},
    )  # fmt: skip
    return cls(Session(config, recorder=Exchanges(), **values))


def again(provider, **values):
    """The same connector in another job: what is kept is the tokens port."""
    session = provider.session
    values = {"tokens": session.tokens, "recorder": session.recorder} | values
    return type(provider)(Session(session.config, **values))


def signed_in(vendor, cls=PersonalBank):
    """A provider after a person's sign-in."""
    bank = at(vendor, cls)
    verifier, state = new_secret(), new_secret()
    answer = walk(bank.client.authorization_url(REDIRECT, state, verifier))
    assert answer["state"] == [state]
    bank.client.redeem(answer["code"][0], REDIRECT, verifier)
    return bank


def walk(url, decision="allow"):
    """What the browser brings back after one click on the vendor's page."""

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_arguments):
            return None

    page, _mark, query = url.partition("?")
    form = f"{query}&decision={decision}".encode()
    with pytest.raises(Exception) as redirect:
        build_opener(Stay).open(Request(page, form), timeout=5)
    target = redirect.value.headers["Location"]
    assert target.startswith(f"{REDIRECT}?")
    return parse_qs(urlsplit(target).query)


def stored(provider):
    """The token that is kept."""
    return provider.session.tokens.get(None, client=provider.client._digest())


def asked(provider):
    """How often the token endpoint was called."""
    return sum(exchange.operation == "sign_in" for exchange in provider.session.recorder.all)


def test_examples_in_the_docs():
    assert doctest.testmod(oauth).failed == 0


# === GETTING TOKENS === #


@pytest.mark.parametrize(
    ("client", "method"),
    [
        ("sandbox-client", "client_secret_basic"),
        ("sandbox-form", "client_secret_post"),
        ("sandbox-public", "none"),
    ],
)
def test_client_signs_in_once(vendor, client, method):
    class Other(Bank):
        oauth = OAuth2("/token", auth_method=method)

    bank = at(vendor, Other, client)
    assert [bank.me(), again(bank).me()] == ["nobody, for itself"] * 2
    assert asked(bank) == 1


def test_secret_with_every_character(vendor, monkeypatch):
    secret = 'a:b+c%2F d&é"\\'
    monkeypatch.setitem(CLIENTS, "odd:client", ("client_secret_basic", secret))
    assert at(vendor, client="odd:client", secret=secret).me()


def test_token_is_renewed_before_its_end(vendor, monkeypatch):
    vendor.settings["expires_in"] = 100
    bank = at(vendor)
    bank.me()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 70)
    again(bank).me()
    assert asked(bank) == 1, "the leeway is no longer than a quarter of the token's life"
    monkeypatch.setattr(time, "time", lambda: now + 80)
    again(bank).me()
    assert asked(bank) == 2


def test_unknown_end_lasts_until_it_is_refused(vendor):
    vendor.settings["expires_in"] = None
    bank = at(vendor)
    bank.me()
    vendor.expire(None)
    assert again(bank).me()
    assert asked(bank) == 2


def test_other_credentials_get_a_token_of_their_own(vendor):
    bank = at(vendor)
    bank.me()
    other = at(vendor, secret="WRONG-SECRET-0000", tokens=bank.session.tokens)
    with pytest.raises(AuthFailed, match="client ID or its secret is refused"):
        other.me()
    assert again(bank).me(), "the token of the right secret is still there"


# === A PERSON SIGNS IN === #


def test_code_with_pkce_state_and_scopes(vendor):
    bank = signed_in(vendor)
    assert bank.me() == "Sam Sandbox"
    token = stored(bank)
    assert (token.scope, bool(token.refresh)) == ("read write", True)


def test_address_has_what_the_standards_ask_for(vendor):
    bank = at(vendor, PersonalBank)
    query = parse_qs(urlsplit(bank.client.authorization_url(REDIRECT, "s", VERIFIER)).query)
    assert {name: value[0] for name, value in query.items()} == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": REDIRECT,
        "scope": "read write",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


def test_refused_by_the_person(vendor):
    url = at(vendor, PersonalBank).client.authorization_url(REDIRECT, "s", new_secret())
    assert walk(url, "refuse")["error"] == ["access_denied"]


@pytest.mark.parametrize("wrong", ["verifier", "redirect", "code"])
def test_a_stolen_code_is_worth_nothing(vendor, wrong):
    bank = at(vendor, PersonalBank)
    verifier = new_secret()
    code = walk(bank.client.authorization_url(REDIRECT, "s", verifier))["code"][0]
    values = {"code": code, "redirect": REDIRECT, "verifier": verifier} | {wrong: REDIRECT + "x"}
    with pytest.raises(AuthFailed, match="invalid_grant"):
        bank.client.redeem(values["code"], values["redirect"], values["verifier"])


def test_answer_of_another_issuer(vendor):
    class Named(PersonalBank):
        oauth = OAuth2("/token", "/authorize", issuer={"production": "https://bank.example/id"})

    bank = at(vendor, Named)
    with pytest.raises(AuthFailed, match="came from https://evil.example"):
        bank.client.redeem("code", REDIRECT, "v", issuer="https://evil.example")
    assert asked(bank) == 0


def test_nobody_has_signed_in(vendor):
    bank = at(vendor, PersonalBank)
    with pytest.raises(AuthFailed, match="Nobody has signed in at Bank yet"):
        bank.me()
    assert bank.session.recorder.all == []


# === RENEWING === #


def test_rotation(vendor):
    bank = signed_in(vendor)
    for _time in range(3):
        vendor.expire(None)
        assert again(bank).me() == "Sam Sandbox"
    assert vendor.state()["tokens"]["refreshed"] == 3
    assert vendor.state()["reused"] == 0


def test_refresh_token_that_is_not_replaced_is_kept(vendor):
    vendor.settings["rotate"] = False
    bank = signed_in(vendor)
    for _time in range(2):
        vendor.expire(None)
        assert again(bank).me() == "Sam Sandbox"


def test_a_withdrawn_sign_in_says_what_to_do(vendor):
    bank = signed_in(vendor)
    token = stored(bank)
    bank.client.revoke(token)
    with pytest.raises(AuthFailed, match="Sign in again") as raised:
        again(bank).me()
    assert raised.value.code == "invalid_grant"


def test_end_of_the_refresh_token(vendor):
    vendor.settings["refresh_expires_in"] = 1000
    assert stored(signed_in(vendor)).ends_at == pytest.approx(time.time() + 1000, abs=5)


def test_renewing_tokens_does_not_renew_a_consent(vendor):
    class Consent(PersonalBank):
        oauth = OAuth2("/token", "/authorize", sign_in_days=90)

    bank = signed_in(vendor, Consent)
    ends_at = stored(bank).ends_at
    assert ends_at == pytest.approx(time.time() + 90 * 24 * 3600, abs=5)
    vendor.expire(None)
    again(bank).me()
    assert vendor.counts["refreshed"] == 1
    assert stored(bank).ends_at == ends_at


# === A TOKEN THAT LOOKS VALID IS REFUSED === #


@pytest.mark.parametrize("effect", ["question", "idempotent"])
def test_renewed_once_and_sent_again(vendor, effect):
    bank = at(vendor)
    bank.me()
    vendor.expire(None)
    assert again(bank, effect=effect).echo("hello") == "hello"
    assert asked(bank) == 2
    assert vendor.state()["done"]["k"]["times"] == 1


def test_what_must_not_be_repeated_is_not(vendor):
    bank = at(vendor)
    bank.me()
    vendor.expire(None)
    gate = Counter()
    with pytest.raises(Transient, match="nothing was done"):
        again(bank, effect="once", gate=gate).echo("hello")
    assert vendor.state()["done"] == {}
    assert "Transient" not in gate.ended, "the vendor is not failing"
    assert again(bank, effect="once").echo("hello") == "hello"
    assert asked(bank) == 2


def test_refused_for_good_asks_no_more_than_once(vendor, monkeypatch):
    bank = at(vendor)
    bank.me()
    monkeypatch.setattr(vendor, "_serves", lambda given: False)
    with pytest.raises(AuthFailed):
        again(bank).me()
    assert asked(bank) == 2
    fresh = at(vendor)
    with pytest.raises(AuthFailed):
        fresh.me()
    assert asked(fresh) == 1, "a token that was got just now is not replaced"


class Counter(Gate):
    def __init__(self):
        self.ended = []

    def leave(self, ticket, error=None):
        self.ended.append(type(error).__name__ if error else "ok")


# === TROUBLE AT THE TOKEN ENDPOINT === #


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("429", "transient"),
        ("500", "transient"),
        ("503", "transient"),
        ("drop", "transient"),
        ("act_then_timeout", "transient"),
        ("malformed", "contract"),
    ],
)
@pytest.mark.parametrize("effect", ["question", "once"])
def test_what_was_not_sent_is_never_in_doubt(vendor, kind, outcome, effect):
    vendor.faults({"kind": kind, "match": "POST /token$", "delay_ms": 900})
    bank = at(vendor, effect=effect)
    with pytest.raises(Transient):
        bank.echo("hello")
    assert [exchange.outcome for exchange in bank.session.recorder.all] == [outcome]
    assert vendor.state()["done"] == {}
    vendor.faults()
    assert again(bank, effect=effect).echo("hello") == "hello"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ({"error": "invalid_scope"}, AuthFailed, "not granted what it asks for"),
        ({"error": "unauthorized_client"}, AuthFailed, "may not sign in this way"),
        ({"error": "slow_down"}, Transient, "can't sign us in now"),
        ({"error": "made_up"}, AuthFailed, "the request is refused"),
        (["?"], AuthFailed, "refused .400."),
    ],
)
def test_words_of_a_refusal(vendor, monkeypatch, answer, error, words):
    from sandbox.vendor import Response

    monkeypatch.setattr(vendor, "token", lambda request: Response(400, answer))
    with pytest.raises(error, match=words):
        at(vendor).me()


@pytest.mark.parametrize(
    "answer",
    [
        {"access_token": "t"},
        {"token_type": "Bearer"},
        {"access_token": "t", "token_type": "mac"},
        {"access_token": "t", "token_type": "bearer", "expires_in": "soon"},
        [],
    ],
)
def test_answers_that_are_not_as_promised(vendor, monkeypatch, answer):
    from sandbox.vendor import Response

    monkeypatch.setattr(vendor, "token", lambda request: Response(200, answer))
    bank = at(vendor)
    with pytest.raises(Transient):
        bank.me()
    assert bank.session.recorder.all[0].outcome == "contract"


def test_closed_gate_keeps_the_token_request_back_too(vendor):
    class Closed(Gate):
        def enter(self):
            raise Held("stopped", retry_after=60, reason="stopped")

    with pytest.raises(Held):
        at(vendor, gate=Closed()).me()
    assert vendor.counts["given"] == 0


# === NOBODY SEES THEM === #


def test_no_exchange_shows_a_secret(vendor):
    bank = signed_in(vendor)
    bank.me()
    vendor.expire(None)
    bank = again(bank)
    bank.me()
    bank.client.revoke(stored(bank))
    with pytest.raises(AuthFailed):
        again(bank).me()
    planted = {
        *vendor.codes, *vendor.accesses, *vendor.refreshes, CLIENTS[CLIENT][1],
    }  # fmt: skip
    assert len(planted) >= 6
    signs = [one for one in bank.session.recorder.all if one.operation == "sign_in"]
    assert len(signs) >= 4
    for exchange in signs:
        shown = repr(exchange)
        assert not [secret for secret in planted if secret in shown], exchange
    refused = [one for one in bank.session.recorder.all if one.status == 401]
    assert all(token in str(refused[0].secrets) for token in list(vendor.accesses)[:1])
    assert not [secret for one in refused for secret in planted if secret in one.error_text]


def test_declarations_are_checked():
    with pytest.raises(ValueError, match="is not one of"):
        OAuth2("/token", auth_method="digest")
    with pytest.raises(ValueError, match="must be https"):
        OAuth2({"production": "http://id.example.com/token"})


def test_local_stand_in_replaces_the_vendors_host(vendor):
    class Far(Bank):
        oauth = OAuth2({"production": "https://id.example.com/token"})

    assert at(vendor, Far).me()
    config = ConnectorConfig(1, "Bank", "bank", "production", "https://api.example.com")
    assert Far(Session(config)).client._address(Far.oauth.token_url) == (
        "https://id.example.com/token"
    )
