"""A signed JWT by which a client proves who it is (RFC 7523, section 3)."""

import base64
import json
import time
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

SECONDS = 120
_HASH = hashes.SHA256()
_COORDINATE = 32


def client_assertion(key, client_id, audience, *, key_id="", algorithm="") -> str:
    """Return the JWT that signs ``client_id`` in at ``audience``, valid for two minutes.

    key: private key of `cryptography`, RSA or on the curve P-256. algorithm: "RS256", "PS256" or
    "ES256" (RFC 7518, 3.1); "" chooses the first that fits the key. Raises ValueError for a key
    of another kind.
    """
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": uuid4().hex,
        "iat": now,
        "exp": now + SECONDS,
    }
    return signed(key, claims, key_id=key_id, algorithm=algorithm)


def signed(key, claims, *, key_id="", algorithm="") -> str:
    """Return ``claims`` (a dict of JSON values) as a signed JWT (RFC 7519); else as
    `client_assertion`."""
    algorithm = algorithm or ("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": key_id} if key_id else {})
    text = f"{_encoded(header)}.{_encoded(claims)}"
    return f"{text}.{_base64(_signed(key, algorithm, text.encode()))}"


def _signed(key, algorithm, data):
    if isinstance(key, rsa.RSAPrivateKey) and algorithm == "RS256":
        return key.sign(data, padding.PKCS1v15(), _HASH)
    if isinstance(key, rsa.RSAPrivateKey) and algorithm == "PS256":
        return key.sign(data, padding.PSS(padding.MGF1(_HASH), _HASH.digest_size), _HASH)
    on_curve = isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    if on_curve and algorithm == "ES256":
        numbers = decode_dss_signature(key.sign(data, ec.ECDSA(_HASH)))
        return b"".join(number.to_bytes(_COORDINATE, "big") for number in numbers)
    raise ValueError(f"The private key is not of the kind that {algorithm} signs with")


def _encoded(value):
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
