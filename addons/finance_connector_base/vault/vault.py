"""Sealing and opening of bytes, bound to the place they belong to.

Layout of a sealed value: ``FV1``, one byte length of the key id, the key id, a 12 byte random
nonce, then ciphertext and tag of AES-256-GCM (NIST SP 800-38D). Header, database uuid and context
are the associated data: a value that is copied to another row, field or database doesn't open.
"""

import os

from cryptography.exceptions import InvalidTag

from .errors import SealBroken, VaultLocked

MAGIC = b"FV1"
NONCE_BYTES = 12
TAG_BYTES = 16


class Vault:
    """Seals and opens values of one database with the keys of a ring."""

    def __init__(self, keyring, database_uuid):
        """:param KeyRing keyring: the keys
        :param str database_uuid: Odoo's ``database.uuid``; kept when a database is moved
        """
        if not database_uuid:
            raise VaultLocked("The database has no uuid, so nothing can be sealed in it.")
        self.keyring = keyring
        self._database_uuid = database_uuid

    def seal(self, data, *context):
        """Encrypt bytes with the primary key.

        :param bytes data: what is to be kept secret
        :param str context: where it belongs, e.g. model, record, field; needed again to open it
        :rtype: bytes
        """
        key_id = self.keyring.primary_id
        header = self.head()
        nonce = os.urandom(NONCE_BYTES)
        cipher = self.keyring.cipher(key_id)
        return header + nonce + cipher.encrypt(nonce, bytes(data), self._bound(header, context))

    def head(self):
        """The bytes that every value sealed with the primary key begins with."""
        return _head(self.keyring.primary_id)

    def older_heads(self):
        """The beginnings of values sealed with the other keys of the ring."""
        return [_head(key) for key in self.keyring.key_ids if key != self.keyring.primary_id]

    def open(self, sealed, *context):
        """Decrypt what :meth:`seal` returned for the same context.

        :param bytes sealed: the sealed value
        :rtype: bytes
        :raises VaultLocked: the ring doesn't hold the key it was sealed with
        :raises SealBroken: altered, or sealed for another place or database
        """
        sealed = bytes(sealed)
        key_id, header, body = _split(sealed)
        cipher = self.keyring.cipher(key_id)
        if cipher is None:
            raise VaultLocked(
                f"This value is sealed with the vault key {key_id}, which is not in the key ring. "
                "Put that key back, behind the first one."
            )
        nonce, ciphertext = body[:NONCE_BYTES], body[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, ciphertext, self._bound(header, context))
        except InvalidTag:
            raise SealBroken(
                "A sealed value doesn't open: it was altered, or belongs to another record or "
                "another database."
            ) from None

    def can_open(self, sealed):
        """Tell whether the ring has the key of a value."""
        return self.keyring.cipher(_split(bytes(sealed))[0]) is not None

    def is_current(self, sealed):
        """Tell whether a value is sealed with the primary key."""
        return _split(bytes(sealed))[0] == self.keyring.primary_id

    def reseal(self, sealed, *context):
        """Return the same value sealed with the primary key, unchanged when it already is."""
        if self.is_current(sealed):
            return bytes(sealed)
        return self.seal(self.open(sealed, *context), *context)

    def _bound(self, header, context):
        # each part with its length: ("ab", "c") must never equal ("a", "bc")
        parts = [header, self._database_uuid.encode(), *(text.encode() for text in context)]
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _head(key_id):
    return MAGIC + bytes([len(key_id)]) + key_id.encode()


def _split(sealed):
    """Return (key id, header, nonce + ciphertext)."""
    start = len(MAGIC) + 1
    if not sealed.startswith(MAGIC) or len(sealed) < start:
        raise SealBroken("This is not a sealed value.")
    end = start + sealed[len(MAGIC)]
    if len(sealed) < end + NONCE_BYTES + TAG_BYTES:
        raise SealBroken("A sealed value is cut short.")
    try:
        key_id = sealed[start:end].decode("ascii")
    except UnicodeDecodeError:
        raise SealBroken("This is not a sealed value.") from None
    return key_id, sealed[:end], sealed[end:]
