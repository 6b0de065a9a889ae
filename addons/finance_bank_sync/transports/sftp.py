"""A directory on an SFTP server, whose key was pinned by a person.

paramiko is an optional package; without it there is a clear message and nothing else changes.
"""

import contextlib
import io
import socket
import stat

from . import MOST_BYTES, Found, PickupError, is_waiting, plain

SECONDS = 20
KINDS = ("Ed25519Key", "ECDSAKey", "RSAKey")


def library():
    """Return paramiko. Raises PickupError where it is not installed."""
    try:
        import paramiko
    except ImportError:
        raise PickupError("paramiko") from None
    return paramiko


def private_key(text: str):
    """Return the key in ``text``: OpenSSH or PEM, without a passphrase. Raises PickupError."""
    paramiko = library()
    for kind in KINDS:
        try:
            return getattr(paramiko, kind).from_private_key(io.StringIO(text))
        except Exception:  # noqa: BLE001, S112 - each kind of key fails in ways of its own
            continue
    raise PickupError("key")


def host_key(text: str) -> tuple[str, bytes]:
    """Return (kind, key) of a line as in known_hosts: "ssh-ed25519 AAAA…", with a host or without.

    Raises ValueError.
    """
    import base64

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


class Sftp:
    """Files that wait in a directory of an SFTP server. A context manager; raises PickupError.

    key: the private key as text. pinned: the server's key, a line as in known_hosts: another one is
    refused before anything is said about us.
    """

    source = "sftp"

    def __init__(self, host, port, user, key, pinned, path):
        self.host, self.port, self.user, self.path = host, port, user, path.rstrip("/") or "/"
        self.key = private_key(key)
        self.pinned = host_key(pinned)
        self._transport = self._files = None

    def __enter__(self):
        paramiko = library()
        try:
            self._transport = self._connected(paramiko)
            self._files = paramiko.SFTPClient.from_transport(self._transport)
            self._files.get_channel().settimeout(SECONDS)
        except paramiko.AuthenticationException:
            self.__exit__()
            raise PickupError("login", host=self.host, user=self.user) from None
        except (OSError, EOFError, paramiko.SSHException) as error:
            self.__exit__()
            raise PickupError("connection", host=self.host, error=_short(error)) from None
        except PickupError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception):
        for one in (self._files, self._transport):
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
            raise PickupError("host_key", host=self.host)
        transport.auth_publickey(self.user, self.key)
        return transport

    def files(self) -> list[Found]:
        """Return the files that wait, the oldest first; links and folders are none."""
        try:
            rows = self._files.listdir_attr(self.path)
        except FileNotFoundError:
            raise PickupError("missing", path=self.path) from None
        except PermissionError:
            raise PickupError("denied", path=self.path) from None
        found = [
            Found(row.filename, row.st_size or 0, int(row.st_mtime or 0))
            for row in rows
            if stat.S_ISREG(row.st_mode or 0) and is_waiting(row.filename)
        ]
        return sorted(found, key=lambda one: (one.changed, one.name))

    def read(self, found: Found) -> bytes:
        """Return what is in a file, if it is still the one that was found."""
        if found.size > MOST_BYTES:
            raise PickupError("size", name=found.name, most=MOST_BYTES >> 20)
        place = self._place(found.name)
        try:
            if not stat.S_ISREG(self._files.lstat(place).st_mode or 0):
                raise PickupError("changed", name=found.name)
            with self._files.open(place, "rb") as file:
                file.prefetch(found.size)
                content = file.read(found.size + 1)
            state = self._files.lstat(place)
        except OSError:
            raise PickupError("changed", name=found.name) from None
        if len(content) != found.size or (state.st_size, int(state.st_mtime or 0)) != (
            found.size,
            found.changed,
        ):
            raise PickupError("changed", name=found.name)
        return content

    def move(self, name: str, below: str):
        """Put a file into a directory below; what is there already keeps its name."""
        folder = f"{self.path}/{below}"
        with contextlib.suppress(OSError):
            self._files.mkdir(folder)
        stem, dot, kind = plain(name).rpartition(".")
        for number in range(1, 100):
            free = name if number == 1 else f"{stem or kind}-{number}{dot and stem and '.' + kind}"
            try:
                # SFTP's rename refuses a name that is taken
                self._files.rename(self._place(name), f"{folder}/{free}")
                return
            except FileNotFoundError:
                return
            except OSError:
                continue
        raise PickupError("denied", path=folder)

    def _place(self, name):
        return f"{self.path}/{plain(name)}"


def _algorithms(transport, kind):
    """Return the algorithms by which a key of a kind is shown; an RSA key has several."""
    known = transport.get_security_options().key_types
    wanted = ("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,)
    return tuple(name for name in known if name in wanted) or known


def _short(error):
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
