"""A directory on an SFTP server whose key was pinned by a person."""

import contextlib
import errno
from urllib.parse import unquote, urlsplit

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.errors import AuthFailed, Transient
from odoo.addons.finance_connector_base.transports import TransportError
from odoo.addons.finance_connector_base.transports.sftp import Connection, library, short

from .destination import CHUNK, REGION, digest_of
from .files import FileDestination

KEY_LINE = r"(\S+ )?(ssh|ecdsa|sk|rsa)-\S+ [A-Za-z0-9+/=]+( .*)?"


class Sftp(FileDestination):
    """SFTP, version 3 of the protocol (draft-ietf-secsh-filexfer-02), as OpenSSH speaks it."""

    code = "export_sftp"
    label = "SFTP server"
    api_version = "3"
    schemes = ("sftp",)
    concurrency = 4
    settings = (
        REGION,
        Setting("user", "User Name", check=r"[^\s:@/]{1,64}"),
        Setting(
            "private_key",
            "Private Key",
            secret=True,
            kind="private_key",
            help="OpenSSH or PEM, without a passphrase.",
        ),
        Setting(
            "host_key",
            "Server's Key",
            check=KEY_LINE,
            help="A line as in known_hosts: ssh-ed25519 AAAA… Its owner tells it.",
        ),
    )

    def ping(self):
        """Sign in and look at the directory."""
        with self.visit(), self.place() as place, self.told("LIST", ""):
            place.look()
        return f"{place.host} lets {self.config.settings['user']} in; {place.path} is there."

    @contextlib.contextmanager
    def place(self):
        """Yield the directory, signed in."""
        address = urlsplit(self.config.base_url)
        settings = self.config.settings
        with self.told("CONNECT", ""):
            try:
                pinned = settings["host_key"]
                server = address.hostname, address.port or 22
                line = Connection(*server, settings["user"], settings["private_key"], pinned)
            except ValueError:
                words = "the server's key is no line as in known_hosts: ssh-ed25519 AAAA…"
                raise AuthFailed(f"{self.label}: {words}", code="host_key") from None
            place = Place(line, unquote(address.path)).__enter__()
        try:
            yield place
        finally:
            place.__exit__()


class Place:
    """A directory, through a `Connection`."""

    def __init__(self, connection, path):
        self.host, self.path = connection.host, path.rstrip("/") or "/"
        self._connection = connection

    def __enter__(self):
        self._connection.__enter__()
        return self

    def __exit__(self, *_exception):
        self._connection.__exit__()

    @property
    def _files(self):
        return self._connection.files

    def look(self):
        """Raise where the directory is not there."""
        with self._words(self.path):
            self._files.stat(self.path)

    def make(self, folder):
        """Have a folder."""
        for depth in range(len(folder)):
            path = self._path(folder[: depth + 1])
            with contextlib.suppress(OSError):
                self._files.mkdir(path, 0o750)
        with self._words(self._path(folder)):
            self._files.stat(self._path(folder))

    def names(self, folder):
        """Return the names in a folder; none where there is none."""
        path = self._path(folder)
        with self._words(path):
            try:
                return self._files.listdir(path)
            except FileNotFoundError:
                return []

    def digest(self, folder, name):
        """Return the SHA-256 of a file, None where there is none."""
        with self._words(name), self._opened(folder, name) as file:
            return file and digest_of(file)

    def read(self, folder, name, most):
        """Return what is in a small file, None where there is none."""
        with self._words(name), self._opened(folder, name) as file:
            return file and file.read(most)

    def write(self, folder, name, source):
        """Copy a `Checked`, and see that all of it arrived."""
        path = self._path(folder, name)
        with self._words(name):
            with self._files.open(path, "wb") as file:
                file.set_pipelined(True)
                for data in source:
                    file.write(data)
            if self._files.stat(path).st_size != len(source):
                raise Transient(f"{self.host} has only a part of {name}: the connection broke off")

    def rename(self, folder, before, after):
        """Give a file its name; SFTP's own rename refuses a name that is taken."""
        old, new = self._path(folder, before), self._path(folder, after)
        with self._words(after):
            try:
                self._files.rename(old, new)
            except OSError as error:
                # some servers know only OpenSSH's extension, which would replace
                if self._exists(new):
                    raise FileExistsError(new) from error
                self._files.posix_rename(old, new)

    def _exists(self, path):
        try:
            self._files.lstat(path)
        except FileNotFoundError:
            return False
        return True

    @contextlib.contextmanager
    def _opened(self, folder, name):
        try:
            file = self._files.open(self._path(folder, name), "rb", CHUNK)
        except FileNotFoundError:
            yield None
            return
        with file:
            yield file

    def _path(self, folder, *names):
        return "/".join((self.path.rstrip("/"), *folder, *names))

    @contextlib.contextmanager
    def _words(self, name):
        paramiko = library()
        try:
            yield
        except FileExistsError:
            raise
        except FileNotFoundError:
            raise TransportError("missing", path=name) from None
        except PermissionError:
            raise TransportError("denied", path=name) from None
        except (OSError, EOFError, paramiko.SSHException) as error:
            if getattr(error, "errno", None) == errno.ENOSPC:
                raise Transient(f"{self.host} is full: make room there", code="full") from error
            raise TransportError("connection", host=self.host, error=short(error)) from None
