"""Signatures of seals and exports: Ed25519 (RFC 8032) with a key that the vault's key gives.

The private key is derived (HKDF-SHA256, RFC 5869) from a key of the key ring, so that it is never in
the database and nothing more has to be kept. A public key is known by its fingerprint: the SHA-256
of its DER form (RFC 8410), what ``openssl pkey -pubin -outform DER | sha256sum`` prints.
"""

import functools
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

PURPOSE = "finance audit seal"


class Signer:
    """One key of the ring as a signing key. public_key: 64 hexadecimal digits."""

    def __init__(self, key_id, secret):
        """:param bytes secret: 32 bytes derived for this purpose alone"""
        self.key_id = key_id
        self._private = Ed25519PrivateKey.from_private_bytes(secret)
        self.public_key = self._private.public_key().public_bytes_raw().hex()
        self.fingerprint = fingerprint(self.public_key)

    def sign(self, payload) -> str:
        """Return the signature of bytes, as 128 hexadecimal digits."""
        return self._private.sign(payload).hex()


def signers(ring) -> list:
    """Return a `Signer` for each key of a key ring, the one that signs first."""
    return [Signer(key_id, ring.derived(key_id, PURPOSE)) for key_id in ring.key_ids]


def is_signed(public_key, signature, payload) -> bool:
    """Tell whether a signature of bytes was made with this key; keys and signatures in hex."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), payload)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


@functools.lru_cache(maxsize=64)
def fingerprint(public_key) -> str:
    """Return the fingerprint of a public key given in hex; "" when it is no key."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    except (ValueError, TypeError):
        return ""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def pem(public_key) -> bytes:
    """Return a public key given in hex as a PEM file, as openssl reads it."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_key_of(pem_bytes) -> str:
    """Return the key of a PEM file in hex. Raises ValueError when there is none of ours in it."""
    key = load_pem_public_key(pem_bytes)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key")
    return key.public_bytes_raw().hex()
