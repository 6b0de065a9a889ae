"""Files that wait in a folder: nothing outside it is touched, nothing is read half."""

import os

import pytest

from odoo.addons.finance_bank_sync.transports import MOST_BYTES, Found, PickupError
from odoo.addons.finance_bank_sync.transports.folder import Folder, allowed, roots
from odoo.addons.finance_bank_sync.transports.sftp import host_key
from odoo.addons.finance_connector_base.transports import WORDS

ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIBJQAdmxxhSP6Oxhn7mB9PtAsxDE0XlV0NbnhzTESODR"


@pytest.fixture
def place(tmp_path):
    """An opened folder with a file, and beside it a secret."""
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "a.xml").write_bytes(b"one")
    (tmp_path / "secret.xml").write_bytes(b"secret")
    return tmp_path / "bank"


def refused(code, call, *arguments):
    """The call is refused for this reason, which can be told in words."""
    with pytest.raises(PickupError) as caught:
        call(*arguments)
    assert caught.value.code == code
    assert "%(" not in str(caught.value)


def names(folder):
    """Names of the files that wait."""
    return [found.name for found in folder.files()]


def test_reads_and_moves(place):
    """A file is read whole, and put away under a free name."""
    (place / "done").mkdir()
    (place / "done" / "a.xml").write_bytes(b"earlier")
    with Folder(str(place), [place.parent]) as folder:
        (found,) = folder.files()
        assert folder.read(found) == b"one"
        folder.move("a.xml", "done")
        assert folder.files() == []
        folder.move("a.xml", "done")  # somebody else was faster
    assert (place / "done" / "a.xml").read_bytes() == b"earlier"
    assert (place / "done" / "a-2.xml").read_bytes() == b"one"


def test_waits_for_who_writes(place):
    """What is being written is not there yet; what changed since it was found is not read."""
    for name in (".hidden", "b.xml.part", "c.TMP", "d.filepart"):
        (place / name).write_bytes(b"x")
    with Folder(str(place), [place]) as folder:
        assert names(folder) == ["a.xml"]
        (found,) = folder.files()
        (place / "a.xml").write_bytes(b"one and more")
        refused("changed", folder.read, found)
        os.utime(place / "a.xml", (1, 1))
        refused("changed", folder.read, Found("a.xml", 12, found.changed))
        assert folder.read(Found("a.xml", 12, 1)) == b"one and more"
        refused("size", folder.read, Found("a.xml", MOST_BYTES + 1, 1))


def test_follows_no_link(place):
    """A link is no file, nor when it takes a file's place after it was found."""
    with Folder(str(place), [place]) as folder:
        (found,) = folder.files()
        (place / "link.xml").symlink_to(place.parent / "secret.xml")
        assert names(folder) == ["a.xml"]
        (place / "a.xml").unlink()
        (place / "a.xml").symlink_to(place.parent / "secret.xml")
        refused("changed", folder.read, found)
        refused("changed", folder.read, Found("a.xml", 6, found.changed))
        (place / "elsewhere").mkdir()
        (place / "done").symlink_to(place / "elsewhere")
        (place / "b.xml").write_bytes(b"two")
        refused("denied", folder.move, "b.xml", "done")
    assert (place.parent / "secret.xml").read_bytes() == b"secret"


def test_no_name_leads_out(place):
    """Names are plain ones, whoever gives them."""
    with Folder(str(place), [place]) as folder:
        for name in ("../secret.xml", "/etc/passwd", "..", "", "a\0b"):
            refused("name", folder.read, Found(name, 6, 1))
            refused("name", folder.move, name, "done")


def test_a_fifo_keeps_nobody_waiting(place):
    """What is no file is not opened for reading for ever."""
    os.mkfifo(place / "pipe.xml")
    with Folder(str(place), [place]) as folder:
        assert names(folder) == ["a.xml"]
        refused(
            "changed", folder.read, Found("pipe.xml", 0, int((place / "pipe.xml").stat().st_mtime))
        )


def test_only_below_what_is_opened(place):
    """odoo.conf says which folders; links in between and ways up are refused."""
    opened = [place]
    assert allowed(str(place), opened) == place
    refused("closed", allowed, str(place), [])
    refused("missing", Folder(str(place / "none"), opened).__enter__)
    for path in (place.parent, f"{place}/../secret.xml", "bank", "", f"{place}x", "/"):
        refused("outside", allowed, str(path), opened)
    (place / "way").symlink_to(place.parent)
    refused("link", allowed, str(place / "way"), opened)
    refused("link", allowed, str(place / "way" / "bank"), opened)


def test_roots():
    """Relative paths open nothing."""
    assert [str(root) for root in roots("/srv/bank, /mnt/x ,relative,")] == ["/srv/bank", "/mnt/x"]
    assert roots(None) == []


def test_host_key():
    """A line of known_hosts, with the host or without; nothing else."""
    kind, key = host_key(f"sftp.bank.example ssh-ed25519 {ED25519} comment")
    assert kind == "ssh-ed25519"
    assert host_key(f"ssh-ed25519 {ED25519}") == (kind, key)
    for text in ("", "ssh-ed25519", f"ssh-rsa {ED25519}", "ssh-ed25519 !!!!", ED25519):
        with pytest.raises(ValueError):  # noqa: PT011 - any
            host_key(text)


def test_every_reason_has_words():
    """Each code can be told."""
    assert all(words.endswith((".", "%(error)s")) or code for code, words in WORDS.items())
