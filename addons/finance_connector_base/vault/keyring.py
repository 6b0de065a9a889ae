"""The keys of the vault and the places they come from.

A key is one line ``<key-id>:<base64 of 32 bytes>``. Several keys stand on several lines or are
separated by commas. The first key seals; every key opens, so that a new key is put in front and
the old one is taken away once everything has been sealed again.
"""

import base64
import binascii
import functools
import os
import re
import secrets
import stat

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import VaultLocked

KEY_BYTES = 32
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")

ENV_KEYS = "FINANCE_VAULT_KEYS"
ENV_FILE = "FINANCE_VAULT_KEY_FILE"
OPTION_KEYS = "finance_vault_keys"
OPTION_FILE = "finance_vault_key_file"

WHERE_TO_PUT_A_KEY = (
    f"Put a line '<key-id>:<base64 of {KEY_BYTES} bytes>' in a file that only the Odoo user can "
    f"read and name that file in odoo.conf ({OPTION_FILE} = /path) or in the environment variable "
    f"{ENV_FILE}; or put the line itself in the environment variable {ENV_KEYS} or in odoo.conf "
    f"({OPTION_KEYS} = ...). Keep a copy of the key apart from the database backups."
)


def new_key_line(key_id):
    """Return a fresh random key as the line that a key file wants, without a line break.

    :param str key_id: 1 to 32 letters, digits, dots, dashes or underscores
    """
    if not KEY_ID.fullmatch(key_id):
        raise ValueError("A key id has 1 to 32 letters, digits, dots, dashes or underscores.")
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


class KeyRing:
    """Keys by id; the first one is :attr:`primary_id` and seals, all of them open."""

    def __init__(self, keys):
        """:param dict[str, bytes] keys: 32 byte keys by key id, the sealing key first
        :raises VaultLocked: there is no key
        """
        if not keys:
            raise VaultLocked(f"The vault has no key. {WHERE_TO_PUT_A_KEY}")
        self._keys = dict(keys)
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.primary_id = next(iter(keys))

    def __repr__(self):
        return f"<KeyRing {', '.join(self._ciphers)}>"

    @property
    def key_ids(self):
        """The ids of all keys, the sealing one first."""
        return tuple(self._ciphers)

    def cipher(self, key_id):
        """Return the cipher of a key id, or None when the ring doesn't hold that key."""
        return self._ciphers.get(key_id)

    def derived(self, key_id, purpose):
        """Return 32 bytes that only the holder of a key can make, other ones for each purpose.

        HKDF-SHA256 (RFC 5869) without salt; the key itself is never used for anything else.
        """
        hkdf = HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode())
        return hkdf.derive(self._keys[key_id])

    @classmethod
    def from_text(cls, text):
        """Read keys from their text form. Blank lines and lines that start with # are skipped.

        :raises VaultLocked: no key in the text, or one that can't be read (named by its position)
        """
        return _parsed(cls, text)

    @classmethod
    def from_sources(cls, environ, options):
        """Read the keys from the first source that is set; sources are never mixed.

        Order: ``FINANCE_VAULT_KEYS``, ``FINANCE_VAULT_KEY_FILE`` (environment), then
        ``finance_vault_key_file``, ``finance_vault_keys`` (odoo.conf).

        :param Mapping environ: the process environment
        :param Mapping options: the options of odoo.conf, or anything with ``get``
        :raises VaultLocked: no source is set, or the one that is can't be used
        """
        sources = (
            (environ.get(ENV_KEYS), cls.from_text),
            (environ.get(ENV_FILE), cls.from_file),
            (options.get(OPTION_FILE), cls.from_file),
            (options.get(OPTION_KEYS), cls.from_text),
        )
        for value, read in sources:
            if value:
                return read(value)
        raise VaultLocked(f"The vault has no key. {WHERE_TO_PUT_A_KEY}")

    @classmethod
    def from_file(cls, path):
        """Read the keys from a file that nobody but its owner can read.

        :raises VaultLocked: the file is missing, unreadable, or open to group or others
        """
        try:
            with open(path, encoding="ascii") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & 0o077:
                    raise VaultLocked(
                        f"The vault key file {path} is open to other users (mode {mode:04o}). "
                        f"Close it with: chmod 600 {path}"
                    )
                return cls.from_text(file.read())
        except OSError as error:
            raise VaultLocked(
                f"The vault key file {path} can't be read: {error.strerror}. {WHERE_TO_PUT_A_KEY}"
            ) from error
        except UnicodeDecodeError:
            raise VaultLocked(f"The vault key file {path} is not a text file.") from None


@functools.lru_cache(maxsize=8)
def _parsed(cls, text):
    keys = {}
    for position, line in enumerate(_entries(text), start=1):
        key_id, separator, encoded = line.partition(":")
        key_id = key_id.strip()
        if not separator or not KEY_ID.fullmatch(key_id):
            raise VaultLocked(
                f"Vault key number {position} is not of the form '<key-id>:<base64>'."
            )
        if key_id in keys:
            raise VaultLocked(f"The vault key id {key_id} stands there twice.")
        keys[key_id] = _decoded(key_id, encoded)
    return cls(keys)


def _entries(text):
    for line in text.splitlines():
        if line.strip().startswith("#"):
            continue
        yield from (part.strip() for part in line.split(",") if part.strip())


def _decoded(key_id, encoded):
    # "from None": the original error would carry the text of the key into logs
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise VaultLocked(f"The vault key {key_id} is not valid base64.") from None
    if len(key) != KEY_BYTES:
        raise VaultLocked(f"The vault key {key_id} has {len(key)} bytes instead of {KEY_BYTES}.")
    return key
