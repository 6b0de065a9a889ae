"""AWS Signature Version 4, as S3 and what is compatible with it want it.

Source: AWS General Reference, "Create a signed AWS API request"; for S3 the path is encoded once.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY = hashlib.sha256(b"").hexdigest()


def sign(method, url, headers, *, key_id, secret, region, digest, now=None, service="s3") -> dict:
    """Return the headers of a request with those of its signature.

    url: as it is sent, its path and query encoded as by `encoded`. headers: those that are to be
    signed, without Host. digest: SHA-256 of the body as hexadecimal digits. now: UTC, aware.
    """
    now = now or datetime.now(UTC)
    stamp, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    headers = headers | {"x-amz-date": stamp, "x-amz-content-sha256": digest}
    signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    signed["host"] = host(url)
    names = ";".join(sorted(signed))
    request = "\n".join(
        (
            method,
            urlsplit(url).path or "/",
            _query(url),
            *(f"{name}:{signed[name]}" for name in sorted(signed)),
            "",
            names,
            digest,
        )
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    authorization = (
        f"{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers | {"Authorization": authorization}


def encoded(path) -> str:
    """Return a path with all but unreserved characters and slashes encoded.

    >>> encoded("/bi/a b+c~d")
    '/bi/a%20b%2Bc~d'
    """
    return quote(path, safe="/-_.~")


def host(url) -> str:
    """Return the Host header of a URL: with a port where it is not the scheme's own.

    >>> host("https://S3.example.com:443/x"), host("http://127.0.0.1:9000/x")
    ('s3.example.com', '127.0.0.1:9000')
    """
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}[parts.scheme]
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return name if parts.port in (None, usual) else f"{name}:{parts.port}"


def _query(url):
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return "&".join(sorted(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in pairs))
