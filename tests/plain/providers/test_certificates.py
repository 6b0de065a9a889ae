"""Client certificates: what is pasted, what is refused, and what a server sees."""

import doctest
import os
from datetime import UTC, datetime, timedelta

import pytest

from odoo.addons.finance_connector_base.providers import certificates, http
from odoo.addons.finance_connector_base.providers.base import Provider
from odoo.addons.finance_connector_base.providers.certificates import (
    KINDS,
    ClientCertificate,
    Identity,
)
from odoo.addons.finance_connector_base.providers.errors import AuthFailed, Transient
from odoo.addons.finance_connector_base.providers.oauth import OAuth2
from odoo.addons.finance_connector_base.providers.session import (
    ConnectorConfig,
    Recorder,
    Session,
)

from sandbox.server import SandboxServer, mutual_tls
from tests.certificates import Authority

AUTHORITY = Authority()
CERTIFICATE, KEY = AUTHORITY.issue("sandbox-tls")
PASSPHRASE = "planted-passphrase-51"


class Bank(Provider):
    """Knows its clients by their certificate, and gives them tokens for it (RFC 8705)."""

    code, label = "bank", "Bank"
    certificate = ClientCertificate(passphrase="passphrase")
    oauth = OAuth2("/token", auth_method="tls_client_auth")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A sandbox that asks for client certificates; our side trusts its CA."""
    folder = tmp_path_factory.mktemp("tls")
    before = os.environ.get("REQUESTS_CA_BUNDLE")
    os.environ["REQUESTS_CA_BUNDLE"] = str(AUTHORITY.serve_from(folder))
    server = SandboxServer(tls=mutual_tls(folder)).start()
    yield f"{server.url}/oauth"
    server.shutdown()
    os.environ.pop("REQUESTS_CA_BUNDLE")
    if before:
        os.environ["REQUESTS_CA_BUNDLE"] = before


def bank_at(url, certificate=CERTIFICATE, key=KEY, passphrase="", effect="question"):
    settings = {
        "client_id": "sandbox-tls",
        "certificate": certificate,
        "private_key": key,
        "passphrase": passphrase,
    }
    config = ConnectorConfig(
        7, "Bank", "bank", "local", url, timeouts=(2.0, 2.0), settings=settings
    )
    return Bank(Session(config, effect=effect, recorder=Seen()))


class Seen(Recorder):
    def __init__(self):
        self.exchanges = []

    def received(self, exchange):
        self.exchanges.append(exchange)


def me(bank):
    return bank.send("GET", "/me")["text"]


def test_examples_in_the_docs():
    assert doctest.testmod(certificates).failed == 0


# === WHAT IS PASTED === #


@pytest.mark.parametrize("between", ["", " ", "\n", "\r\n"])
def test_line_breaks_may_be_lost(between):
    pasted = between.join(CERTIFICATE.splitlines())
    assert KINDS["certificate"].clean(pasted) == CERTIFICATE
    assert KINDS["private_key"].clean(between.join(KEY.splitlines())) == KEY


def test_certificate_says_when_it_ends_and_whose_it_is():
    kind = KINDS["certificate"]
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    assert kind.ends(CERTIFICATE) == day
    assert kind.shown(CERTIFICATE) == "sandbox-tls"
    soon, _key = AUTHORITY.issue("intermediate", days=5)
    assert kind.ends(CERTIFICATE + soon) == day - timedelta(days=25), "the first that ends counts"


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("certificate", "MIIB", "not a certificate in PEM form"),
        ("certificate", KEY, "not a certificate in PEM form"),
        ("certificate", CERTIFICATE.replace("MII", "AAA"), "not a certificate in PEM form"),
        ("private_key", CERTIFICATE, "not a private key in PEM form"),
        ("private_key", KEY + KEY, "not a private key in PEM form"),
        (
            "private_key",
            "-----BEGIN RSA PRIVATE KEY----- Proc-Type: 4,ENCRYPTED AA -----END RSA PRIVATE KEY-----",
            "openssl pkcs8 -topk8",
        ),
    ],
)
def test_refused_at_entry(kind, value, words):
    with pytest.raises(ValueError, match=words):
        KINDS[kind].clean(value)


# === WHAT CAN'T BE USED === #


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ((CERTIFICATE, AUTHORITY.issue("other")[1]), "does not belong to the client certificate"),
        (AUTHORITY.issue("old", days=-3), "certificate ended on"),
        ((CERTIFICATE, AUTHORITY.issue("x", passphrase=PASSPHRASE)[1]), "needs its passphrase"),
        (
            (CERTIFICATE, AUTHORITY.issue("x", passphrase=PASSPHRASE)[1], "wrong-one"),
            "passphrase is wrong",
        ),
        ((CERTIFICATE, KEY, PASSPHRASE), "has no passphrase, but one is entered"),
        (("", KEY), "not a certificate"),
        ((CERTIFICATE, ""), "can't be read"),
    ],
)
def test_words_for_what_does_not_fit(identity, words):
    with pytest.raises(AuthFailed, match=words) as raised:
        Identity(*identity).context()
    secrets = (PASSPHRASE, "wrong-one", identity[1][30:60] or PASSPHRASE)
    assert not [secret for secret in secrets if secret in str(raised.value)]


def test_a_wrong_pair_reaches_nobody(url):
    bank = bank_at(url, key=AUTHORITY.issue("other")[1])
    with pytest.raises(AuthFailed, match="Nothing was sent"):
        me(bank)
    assert [exchange.outcome for exchange in bank.session.recorder.exchanges] == ["auth"]


# === WHAT THE SERVER SEES === #


def test_token_and_request_by_certificate(url):
    assert me(bank_at(url)) == "nobody, for itself"


def test_encrypted_key(url):
    certificate, key = AUTHORITY.issue("sandbox-tls", passphrase=PASSPHRASE)
    assert me(bank_at(url, certificate, key, PASSPHRASE)) == "nobody, for itself"


def test_a_new_certificate_is_shown_at_once(url):
    """The pool's open connections belong to the old one."""
    bank = bank_at(url)
    me(bank)
    certificate, key = AUTHORITY.issue("somebody-else")
    with pytest.raises(AuthFailed, match="does not sign us in"):
        me(bank_at(url, certificate, key))
    assert me(bank_at(url))


@pytest.mark.parametrize("effect", ["question", "once"])
def test_certificate_of_another_authority(url, effect):
    stranger = Authority().issue("sandbox-tls")
    with pytest.raises(AuthFailed, match="client certificate is not accepted"):
        me(bank_at(url, *stranger, effect=effect))


@pytest.mark.parametrize("effect", ["question", "once"])
def test_no_certificate_where_one_is_wanted(url, effect):
    class Plain(Provider):
        code, label = "plain", "Plain"

    config = ConnectorConfig(8, "Plain", "plain", "local", url, timeouts=(2.0, 2.0))
    with pytest.raises(AuthFailed, match="client certificate is not accepted"):
        Plain(Session(config, effect=effect)).send("GET", "/me")


@pytest.mark.parametrize("effect", ["question", "once"])
def test_server_that_we_do_not_trust(url, effect, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setattr(http, "_pools", http._Pools())
    with pytest.raises(Transient, match="TLS certificate or handshake"):
        me(bank_at(url, effect=effect))


def test_no_key_on_a_disk(url, tmp_path, monkeypatch):
    """Neither a temporary file, nor anything open when the context is made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = []
    real = os.memfd_create
    monkeypatch.setattr(os, "memfd_create", lambda *a: seen.append(real(*a)) or seen[-1])
    Identity(CERTIFICATE, KEY).context()
    assert len(seen) == 1 and not list(tmp_path.iterdir())
    with pytest.raises(OSError):
        os.fstat(seen[0])
