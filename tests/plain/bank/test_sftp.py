"""SFTP against a real server on loopback: paramiko's own."""

import io

import pytest

from odoo.addons.finance_bank_sync.transports import Found, PickupError
from odoo.addons.finance_bank_sync.transports.sftp import Sftp

paramiko = pytest.importorskip("paramiko", reason="optional: paramiko is not installed")
from tests.sftp_server import SftpServer  # noqa: E402


@pytest.fixture(scope="module")
def key():
    """The client's key."""
    return paramiko.ECDSAKey.generate()


def text_of(key):
    """A private key as people paste it."""
    text = io.StringIO()
    key.write_private_key(text)
    return text.getvalue()


@pytest.fixture
def server(tmp_path, key):
    """A started server with one file."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.xml").write_bytes(b"one" * 20_000)
    with SftpServer(tmp_path, key) as running:
        yield running


def connect(server, key, user="bank", pinned=None, path="/out"):
    """Return the place; nothing is called yet."""
    return Sftp("127.0.0.1", server.port, user, text_of(key), pinned or server.host_key, path)


def test_reads_and_moves(server, key, tmp_path):
    """A file is read whole and put away under a free name."""
    (tmp_path / "out" / "done").mkdir()
    (tmp_path / "out" / "done" / "a.xml").write_bytes(b"earlier")
    with connect(server, key) as place:
        (found,) = place.files()
        assert place.read(found) == b"one" * 20_000
        place.move("a.xml", "done")
        assert place.files() == []
    assert (tmp_path / "out" / "done" / "a.xml").read_bytes() == b"earlier"
    assert (tmp_path / "out" / "done" / "a-2.xml").stat().st_size == 60_000


def test_links_and_parts_are_no_files(server, key, tmp_path):
    """Nor is what changed since it was found."""
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "out" / "link.xml").symlink_to(tmp_path / "secret")
    (tmp_path / "out" / "b.xml.part").write_bytes(b"x")
    with connect(server, key) as place:
        (found,) = place.files()
        assert found.name == "a.xml"
        for other in (Found("link.xml", 6, found.changed), Found("a.xml", 5, found.changed)):
            with pytest.raises(PickupError, match="written to"):
                place.read(other)
        with pytest.raises(PickupError, match="plain name"):
            place.read(Found("../secret", 6, 1))


def test_another_key_of_the_server_is_refused(server, key):
    """Before anybody says who we are."""
    other = paramiko.ECDSAKey.generate()
    pinned = f"{other.get_name()} {other.get_base64()}"
    with pytest.raises(PickupError) as caught, connect(server, key, pinned=pinned):
        pass
    assert caught.value.code == "host_key"


@pytest.mark.parametrize("user", ["bank", "somebody"])
def test_another_key_of_ours_is_refused(server, key, user):
    """In words that name the host and who wanted in."""
    used = paramiko.ECDSAKey.generate() if user == "bank" else key
    with pytest.raises(PickupError, match=f"does not let {user} in"), connect(server, used, user):
        pass


def test_nobody_there(key, server):
    """Refused connections and missing folders are told apart."""
    with (
        pytest.raises(PickupError, match="is not there"),
        connect(server, key, path="/no") as place,
    ):
        place.files()
    server.port = 1
    with pytest.raises(PickupError, match="can't be reached"), connect(server, key):
        pass


def test_bad_private_key():
    """What is no key is refused when it is entered."""
    with pytest.raises(PickupError, match="can't be read"):
        Sftp("h", 22, "u", "no key", "ssh-ed25519 x", "/")
