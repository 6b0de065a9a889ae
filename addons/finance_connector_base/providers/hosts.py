"""Which addresses a connector may call."""

import ipaddress
from urllib.parse import unquote, urlsplit


def host_of(url) -> str:
    """Return the lower-case host of a URL, "" when it has none or can't be read.

    >>> host_of("https://Rest.Example.com:8443/api")
    'rest.example.com'
    """
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def is_loopback(url, schemes=("https",)) -> bool:
    """Tell whether a URL stays on this machine: 127.0.0.0/8, ::1 or localhost.

    schemes: as `Provider.schemes`; where https is one, http is another. Names other than localhost
    are refused, whatever they resolve to.

    >>> [is_loopback(f"http://{host}/") for host in ("localhost:80", "127.1.2.3", "[::1]")]
    [True, True, True]
    >>> [is_loopback(f"http://{host}/") for host in ("127.0.0.1.example.com", "10.0.0.1", "")]
    [False, False, False]
    """
    host = host_of(url)
    if not is_address(url, local_schemes(schemes)):
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def local_schemes(schemes) -> tuple:
    """Return how the address of a stand-in on this machine may begin.

    >>> local_schemes(("https",))
    ('https', 'http')
    """
    return (*schemes, "http") if "https" in schemes else tuple(schemes)


def is_address(url, schemes=("http", "https")) -> bool:
    """Tell whether a URL has one of the schemes and a host, and no user name or password."""
    try:
        parts = urlsplit(url)
        _port = parts.port  # raises for a port that is no number
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc


def is_allowed(url, allowed_hosts, schemes=("https",)) -> bool:
    """Tell whether a self-hosted target may be called: its host stands in the list.

    allowed_hosts: text of odoo.conf, hosts separated by commas or blanks, exact names only.
    schemes: as `Provider.schemes`.

    >>> is_allowed("https://erp-gateway.example.com/v1", "sftp.example.com, erp-gateway.example.com")
    True
    >>> is_allowed("https://evil.example.com/", "example.com")
    False
    """
    names = {name.lower() for name in (allowed_hosts or "").replace(",", " ").split()}
    return is_address(url, schemes) and host_of(url) in names


def folder_of(url) -> str:
    """Return the absolute path of a file URL on this host, "" for all others.

    >>> folder_of("file:///srv/exports/bi")
    '/srv/exports/bi'
    >>> folder_of("file://elsewhere/srv"), folder_of("https://example.com/srv")
    ('', '')
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme != "file" or parts.netloc or parts.query or parts.fragment:
        return ""
    return unquote(parts.path) if parts.path.startswith("/") else ""
