"""What is sealed opens only where it belongs."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.finance_connector_base.vault import KeyRing, SealBroken, Vault, VaultLocked

OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()


def vault(*keys, uuid="db-1"):
    return Vault(KeyRing.from_text("\n".join(keys or (OLD,))), uuid)


@given(st.binary(max_size=2000), st.lists(st.text(max_size=20), max_size=4))
def test_what_is_sealed_opens_again(data, context):
    sealed = vault().seal(data, *context)
    assert vault().open(sealed, *context) == data


def test_same_value_is_sealed_differently_each_time():
    assert vault().seal(b"secret", "a") != vault().seal(b"secret", "a")


def test_plaintext_is_not_inside():
    assert b"very-secret" not in vault().seal(b"very-secret", "a")


@pytest.mark.parametrize("context", [(), ("x",), ("a", "c"), ("ab",), ("a", "b", ""), ("b", "a")])
def test_other_place_does_not_open(context):
    sealed = vault().seal(b"secret", "a", "b")
    with pytest.raises(SealBroken):
        vault().open(sealed, *context)


def test_other_database_does_not_open():
    sealed = vault().seal(b"secret", "a")
    with pytest.raises(SealBroken):
        vault(uuid="db-2").open(sealed, "a")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_any_changed_byte_is_noticed(position, change):
    sealed = bytearray(vault().seal(b"secret", "a"))
    sealed[position % len(sealed)] ^= change
    with pytest.raises((SealBroken, VaultLocked)):
        vault().open(bytes(sealed), "a")


@given(st.binary(max_size=60))
def test_rubbish_is_refused(data):
    with pytest.raises((SealBroken, VaultLocked)):
        vault().open(data, "a")


def test_truncated_value_is_refused():
    sealed = vault().seal(b"", "a")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            vault().open(sealed[:length], "a")


def test_missing_key_is_named():
    sealed = vault(OLD).seal(b"secret", "a")
    with pytest.raises(VaultLocked, match="old"):
        vault(NEW).open(sealed, "a")


def test_rotation_opens_with_the_old_key_and_seals_with_the_new():
    sealed = vault(OLD).seal(b"secret", "a")
    both = vault(NEW, OLD)
    assert both.open(sealed, "a") == b"secret"
    assert not both.is_current(sealed)
    again = both.reseal(sealed, "a")
    assert both.is_current(again)
    assert both.reseal(again, "a") == again
    assert vault(NEW).open(again, "a") == b"secret"


def test_same_key_id_with_another_key_does_not_open():
    sealed = vault(OLD).seal(b"secret", "a")
    other = "old:" + base64.b64encode(b"x" * 32).decode()
    with pytest.raises(SealBroken):
        vault(other).open(sealed, "a")


def test_database_without_uuid_is_locked():
    with pytest.raises(VaultLocked):
        vault(uuid="")
