"""A connection to an SFTP server whose key was pinned by a person.

paramiko is an optional package; without it there is a clear message and nothing else changes.
"""

import base64
import io
import socket

from . import TransportError

SECONDS = 20
KINDS = ("Ed25519Key", "ECDSAKey", "RSAKey")


def library():
    """Return paramiko. Raises TransportError where it is not installed."""
    try:
        import paramiko
    except ImportError:
        raise TransportError("paramiko") from None
    return paramiko


def private_key(text: str):
    """Return the key in ``text``: OpenSSH or PEM, without a passphrase. Raises TransportError."""
    paramiko = library()
    for kind in KINDS:
        try:
            return getattr(paramiko, kind).from_private_key(io.StringIO(text))
        except Exception:  # noqa: BLE001, S112 - each kind of key fails in ways of its own
            continue
    raise TransportError("key")


def host_key(text: str) -> tuple[str, bytes]:
    """Return (kind, key) of a line as in known_hosts: "ssh-ed25519 AAAA…", with a host or without.

    Raises ValueError.
    """
    words = (text or "").split()
    kinds = [
        i for i, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-", "rsa-"))
    ]
    if not kinds or kinds[0] + 1 >= len(words):
        raise ValueError(text)
    kind, key = words[kinds[0]], base64.b64decode(words[kinds[0] + 1], validate=True)
    if not key[4:].startswith(kind.encode()):
        raise ValueError(text)
    return kind, key


class Connection:
    """An SFTP session. A context manager; raises TransportError.

    key: the private key as text. pinned: the server's key, a line as in known_hosts: another one is
    refused before anything is said about us. `files` is paramiko's SFTPClient while it is open.
    """

    def __init__(self, host, port, user, key, pinned):
        self.host, self.port, self.user = host, port, user
        self.key = private_key(key)
        self.pinned = host_key(pinned)
        self._transport = self.files = None

    def __enter__(self):
        paramiko = library()
        try:
            self._transport = self._connected(paramiko)
            self.files = paramiko.SFTPClient.from_transport(self._transport)
            self.files.get_channel().settimeout(SECONDS)
        except paramiko.AuthenticationException:
            self.__exit__()
            raise TransportError("login", host=self.host, user=self.user) from None
        except (OSError, EOFError, paramiko.SSHException) as error:
            self.__exit__()
            raise TransportError("connection", host=self.host, error=short(error)) from None
        except TransportError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception):
        for one in (self.files, self._transport):
            if one:
                one.close()

    def _connected(self, paramiko):
        line = socket.create_connection((self.host, self.port), timeout=SECONDS)
        transport = self._transport = paramiko.Transport(line)
        transport.banner_timeout = transport.auth_timeout = SECONDS
        # the server shows the kind of key that is pinned, not the one that it likes best
        transport.get_security_options().key_types = _algorithms(transport, self.pinned[0])
        transport.start_client(timeout=SECONDS)
        shown = transport.get_remote_server_key()
        if (shown.get_name(), shown.asbytes()) != self.pinned:
            raise TransportError("host_key", host=self.host)
        transport.auth_publickey(self.user, self.key)
        return transport


def _algorithms(transport, kind):
    """Return the algorithms by which a key of a kind is shown; an RSA key has several."""
    known = transport.get_security_options().key_types
    wanted = ("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,)
    return tuple(name for name in known if name in wanted) or known


def short(error) -> str:
    """Return the first line of what an error says, or its name."""
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
