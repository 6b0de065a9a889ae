"""Client certificates: what an administrator pastes, when it ends, and how it is shown to a server.

Keys stay off the disk: OpenSSL reads files only, so a key is given to it through a file in memory
(memfd) that is closed at once, and lives on in the `ssl.SSLContext` of the connector's pool.
"""

import hashlib
import os
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from urllib3.util.ssl_ import create_urllib3_context

from .errors import AuthFailed

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_LINE = 64


def clean_pem(text) -> str:
    """Return PEM blocks (RFC 7468) with their line breaks, which a text field takes away.

    >>> print(clean_pem("-----BEGIN X----- QUJD -----END X-----"), end="")
    -----BEGIN X-----
    QUJD
    -----END X-----
    """
    return "".join(_block(label, body) for label, body in _BLOCK.findall(text))


def _block(label, body):
    if ":" in body:
        raise ValueError("The key is in an old encrypted form; convert it: openssl pkcs8 -topk8")
    body = "".join(body.split())
    lines = (body[start : start + _LINE] for start in range(0, len(body), _LINE))
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def certificates_of(text) -> list:
    """Return the x509 certificates of PEM text, ours first. Raises ValueError in words."""
    try:
        found = x509.load_pem_x509_certificates(clean_pem(text).encode())
    except ValueError:
        found = []
    if not found:
        raise ValueError("This is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    return found


def clean_certificate(text) -> str:
    """Return a pasted certificate, with its chain, as PEM. Raises ValueError in words."""
    certificates_of(text)
    return clean_pem(text)


def clean_key(text) -> str:
    """Return a pasted private key as PEM; encrypted or not. Raises ValueError in words."""
    labels = [label for label, _body in _BLOCK.findall(text)]
    if len(labels) != 1 or not labels[0].endswith("PRIVATE KEY"):
        raise ValueError("This is not a private key in PEM form (-----BEGIN PRIVATE KEY-----)")
    return clean_pem(text)


def key_of(text, passphrase=""):
    """Return the private key of PEM text. Raises ValueError in words that quote nothing."""
    try:
        return load_pem_private_key(clean_pem(text).encode(), passphrase.encode() or None)
    except TypeError:
        needs = "has no passphrase, but one is entered" if passphrase else "needs its passphrase"
        raise ValueError(f"The private key {needs}") from None
    except Exception:
        # of cryptography's many kinds, none of which may carry key material further
        words = "The private key can't be read, or its passphrase is wrong"
        raise ValueError(words) from None


@dataclass(frozen=True)
class Kind:
    """What is special about the values of a setting.

    clean: text as pasted to text as kept, raises ValueError in words; ends: text as kept to the
    date of its end, None when it has none; shown: text as kept to what people may see of it.
    """

    clean: object
    ends: object = lambda text: None
    shown: object = lambda text: ""


def _end(text):
    return min(one.not_valid_after_utc for one in certificates_of(text)).date()


def _common_name(text):
    names = certificates_of(text)[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return names[0].value if names else ""


KINDS = {
    "certificate": Kind(clean_certificate, _end, _common_name),
    "private_key": Kind(clean_key),
}


@dataclass(frozen=True)
class ClientCertificate:
    """The vendor wants to see a client certificate (mutual TLS): the names of its settings.

    passphrase: "" where the vendor's keys never have one.
    """

    certificate: str = "certificate"
    key: str = "private_key"
    passphrase: str = ""

    def identity(self, settings) -> "Identity | None":
        """Return what is shown to the server, from a connector's settings; None for nothing."""
        names = (self.certificate, self.key, self.passphrase)
        values = [settings.get(name) or "" for name in names]
        return Identity(*values) if any(values) else None


@dataclass(frozen=True, repr=False)
class Identity:
    """A certificate with its private key, as PEM."""

    certificate: str
    key: str
    passphrase: str = ""

    @property
    def digest(self) -> str:
        """Tells identities apart, without telling what they are."""
        text = "\0".join((self.certificate, self.key, self.passphrase))
        return hashlib.sha256(text.encode()).hexdigest()

    def context(self) -> ssl.SSLContext:
        """Return a context that shows the certificate. Raises `AuthFailed` when it can't."""
        try:
            chain, key = certificates_of(self.certificate), key_of(self.key, self.passphrase)
            _check_pair(chain[0], key)
        except ValueError as error:
            raise AuthFailed(f"{error}. Nothing was sent") from None
        pem = [one.public_bytes(Encoding.PEM) for one in chain]
        pem.append(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        context = create_urllib3_context()
        with _in_memory(b"".join(pem)) as path:
            context.load_cert_chain(path)
        return context


def _check_pair(certificate, key):
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise ValueError("The private key does not belong to the client certificate")
    now = datetime.now(UTC)
    if certificate.not_valid_after_utc < now:
        ended = certificate.not_valid_after_utc.date()
        raise ValueError(f"The client certificate ended on {ended}")
    if certificate.not_valid_before_utc > now:
        begins = certificate.not_valid_before_utc.date()
        raise ValueError(f"The client certificate is not valid before {begins}")


class _in_memory:
    """A file that has a path for as long as it is open, and never a place on a disk."""

    def __init__(self, content):
        self._content = content

    def __enter__(self):
        self._file = os.fdopen(os.memfd_create("key", os.MFD_CLOEXEC), "wb")
        self._file.write(self._content)
        self._file.flush()
        return f"/proc/self/fd/{self._file.fileno()}"

    def __exit__(self, *_error):
        self._file.close()
