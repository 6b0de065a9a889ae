"""Which addresses a connector may call."""

import ipaddress
from urllib.parse import urlsplit


def host_of(url) -> str:
    """Return the lower-case host of a URL, "" when it has none or can't be read.

    >>> host_of("https://Rest.Example.com:8443/api")
    'rest.example.com'
    """
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def is_loopback(url) -> bool:
    """Tell whether an http(s) URL stays on this machine: 127.0.0.0/8, ::1 or localhost.

    Names other than localhost are refused, whatever they resolve to.

    >>> [is_loopback(f"http://{host}/") for host in ("localhost:80", "127.1.2.3", "[::1]")]
    [True, True, True]
    >>> [is_loopback(f"http://{host}/") for host in ("127.0.0.1.example.com", "10.0.0.1", "")]
    [False, False, False]
    """
    host = host_of(url)
    if not is_http(url):
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_http(url) -> bool:
    """Tell whether a URL is http or https, has a host, and carries no user name or password."""
    try:
        parts = urlsplit(url)
        _port = parts.port  # raises for a port that is no number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def is_allowed(url, allowed_hosts) -> bool:
    """Tell whether a self-hosted target may be called: https, and its host stands in the list.

    allowed_hosts: text of odoo.conf, hosts separated by commas or blanks, exact names only.

    >>> is_allowed("https://erp-gateway.example.com/v1", "sftp.example.com, erp-gateway.example.com")
    True
    >>> is_allowed("https://evil.example.com/", "example.com")
    False
    """
    names = {name.lower() for name in (allowed_hosts or "").replace(",", " ").split()}
    return is_http(url) and urlsplit(url).scheme == "https" and host_of(url) in names
