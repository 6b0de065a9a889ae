"""Authenticated encryption of secrets and payloads. Plain Python: no Odoo import."""

from .errors import SealBroken, VaultError, VaultLocked
from .keyring import KEY_BYTES, KeyRing, new_key_line
from .stream import SealedReader, SealedWriter
from .vault import Vault

__all__ = [
    "KEY_BYTES",
    "KeyRing",
    "SealBroken",
    "SealedReader",
    "SealedWriter",
    "Vault",
    "VaultError",
    "VaultLocked",
    "new_key_line",
]
