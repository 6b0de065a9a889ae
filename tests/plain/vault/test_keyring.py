"""Where keys come from, and what is refused."""

import base64
import os

import pytest

from odoo.addons.finance_connector_base.vault import KeyRing, VaultLocked, new_key_line

KEY_A = base64.b64encode(b"a" * 32).decode()
KEY_B = base64.b64encode(b"b" * 32).decode()


def test_first_key_is_primary_and_all_are_kept():
    ring = KeyRing.from_text(f"# made up\n\nnew:{KEY_A}\nold:{KEY_B}\n")
    assert ring.primary_id == "new"
    assert ring.key_ids == ("new", "old")


def test_keys_may_stand_in_one_line():
    assert KeyRing.from_text(f"new:{KEY_A}, old:{KEY_B}").key_ids == ("new", "old")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no key"),
        ("# nothing", "no key"),
        (KEY_A, "not of the form"),
        (f"bad id:{KEY_A}", "not of the form"),
        (f"k:{KEY_A}\nk:{KEY_B}", "twice"),
        ("k:***", "not valid base64"),
        ("k:c2hvcnQ=", "5 bytes instead of 32"),
    ],
)
def test_bad_text_locks_the_vault_and_says_why(text, words):
    with pytest.raises(VaultLocked, match=words):
        KeyRing.from_text(text)


def test_no_message_and_no_repr_shows_a_key():
    with pytest.raises(VaultLocked) as caught:
        KeyRing.from_text(f"k:{KEY_A}x")
    assert KEY_A not in str(caught.value)
    assert caught.value.__cause__ is None
    assert KEY_A not in repr(KeyRing.from_text(f"k:{KEY_A}"))


def test_first_source_that_is_set_wins(tmp_path):
    file = tmp_path / "keys"
    file.write_text(f"file:{KEY_A}")
    file.chmod(0o600)
    options = {"finance_vault_key_file": str(file), "finance_vault_keys": f"conf:{KEY_A}"}
    environ = {"FINANCE_VAULT_KEYS": f"env:{KEY_A}"}
    assert KeyRing.from_sources(environ, options).primary_id == "env"
    assert KeyRing.from_sources({}, options).primary_id == "file"
    assert KeyRing.from_sources({"FINANCE_VAULT_KEY_FILE": str(file)}, {}).primary_id == "file"
    del options["finance_vault_key_file"]
    assert KeyRing.from_sources({}, options).primary_id == "conf"


def test_no_source_says_where_to_put_a_key():
    with pytest.raises(VaultLocked, match="finance_vault_key_file"):
        KeyRing.from_sources({}, {})


def test_source_that_is_set_but_unusable_is_not_passed_over(tmp_path):
    options = {"finance_vault_keys": f"conf:{KEY_A}"}
    with pytest.raises(VaultLocked, match="can't be read"):
        KeyRing.from_sources({"FINANCE_VAULT_KEY_FILE": str(tmp_path / "none")}, options)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602])
def test_key_file_open_to_others_is_refused(tmp_path, mode):
    file = tmp_path / "keys"
    file.write_text(f"k:{KEY_A}")
    file.chmod(mode)
    with pytest.raises(VaultLocked, match="chmod 600"):
        KeyRing.from_file(file)


def test_changed_key_file_counts_at_once(tmp_path):
    file = tmp_path / "keys"
    for key_id in ("one", "two"):
        file.write_text(f"{key_id}:{KEY_A}")
        os.chmod(file, 0o600)
        assert KeyRing.from_file(file).primary_id == key_id


def test_new_key_line_is_a_key():
    assert KeyRing.from_text(new_key_line("k-1")).primary_id == "k-1"
    assert new_key_line("k-1") != new_key_line("k-1")
    with pytest.raises(ValueError):
        new_key_line("no spaces")
