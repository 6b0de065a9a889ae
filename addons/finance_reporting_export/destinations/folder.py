"""A folder on this host: a share of the warehouse, say, that odoo.conf opens."""

import contextlib
import errno
import os
import stat

from odoo.addons.finance_connector_base.providers.errors import Transient
from odoo.addons.finance_connector_base.providers.hosts import folder_of
from odoo.addons.finance_connector_base.transports import TransportError
from odoo.addons.finance_connector_base.transports.folder import OPEN, READ, open_folder

from .destination import REGION, digest_of
from .files import FileDestination

WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
# No room, or a quota is used up: somebody makes room, and the same delivery works.
FULL = {errno.ENOSPC, errno.EDQUOT}
# Of shares of some kinds.
NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
# Of a share whose server is away.
AWAY = {errno.EIO, errno.ESTALE}


class Folder(FileDestination):
    """A folder on this host, below one of finance_allowed_folders of odoo.conf."""

    code = "export_folder"
    label = "Folder on this server"
    api_version = "POSIX"
    schemes = ("file",)
    settings = (REGION,)

    def ping(self):
        """Look whether files may be written."""
        path = folder_of(self.config.base_url)
        with self.told("LIST", ""), Place(path) as place:
            if not os.access(f"/proc/self/fd/{place.root}", os.W_OK | os.X_OK):
                raise TransportError("denied", path=path)
        return f"Files can be written to {path}."

    @contextlib.contextmanager
    def place(self):
        """Yield the open folder."""
        with self.told("OPEN", ""):
            place = Place(folder_of(self.config.base_url)).__enter__()
        try:
            yield place
        finally:
            place.__exit__()


class Place:
    """A folder that is open; no link below it is followed, whoever puts one there."""

    def __init__(self, path):
        self.path = path
        self.root = None

    def __enter__(self):
        self.root = open_folder(self.path)
        return self

    def __exit__(self, *_exception):
        os.close(self.root)

    def make(self, folder):
        """Have a folder."""
        with self._below((), folder, make=True):
            pass

    def names(self, folder):
        """Return the names in a folder; none where there is none."""
        try:
            with self._below(folder) as below, self._words("/".join(folder)):
                return os.listdir(below)
        except TransportError as error:
            if error.code == "missing":
                return []
            raise

    def digest(self, folder, name):
        """Return the SHA-256 of a file, None where there is none."""
        try:
            with self._below(folder) as below, self._read(below, name) as file:
                return file and digest_of(file)
        except TransportError as error:
            if error.code == "missing":
                return None
            raise

    def read(self, folder, name, most):
        """Return what is in a small file, None where there is none."""
        try:
            with self._below(folder) as below, self._read(below, name) as file:
                return file and file.read(most)
        except TransportError as error:
            if error.code == "missing":
                return None
            raise

    def write(self, folder, name, source):
        """Copy a `Checked`; it is on the disk at the end."""
        with self._below(folder) as below, self._words(name):
            handle = os.open(name, WRITE, 0o640, dir_fd=below)
            with os.fdopen(handle, "wb") as file:
                for data in source:
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())

    def rename(self, folder, before, after):
        """Give a file its name: a link fails where a rename would replace."""
        with self._below(folder) as below, self._words(after):
            try:
                os.link(before, after, src_dir_fd=below, dst_dir_fd=below, follow_symlinks=False)
                os.unlink(before, dir_fd=below)
            except OSError as error:
                if error.errno not in NO_LINKS:
                    raise
                self._rename(below, before, after)
            os.fsync(below)

    @staticmethod
    def _rename(below, before, after):
        """The same on a share that has no links."""
        with contextlib.suppress(FileNotFoundError):
            os.lstat(after, dir_fd=below)
            raise FileExistsError(after)
        os.rename(before, after, src_dir_fd=below, dst_dir_fd=below)

    @contextlib.contextmanager
    def _below(self, folder, more=(), make=False):
        """Yield the descriptor of a folder below."""
        opened = [os.dup(self.root)]
        try:
            for name in (*folder, *more):
                with self._words(name):
                    if make:
                        with contextlib.suppress(FileExistsError):
                            os.mkdir(name, 0o750, dir_fd=opened[-1])
                            os.fsync(opened[-1])
                    opened.append(os.open(name, OPEN, dir_fd=opened[-1]))
            yield opened[-1]
        finally:
            for one in opened:
                os.close(one)

    @contextlib.contextmanager
    def _read(self, below, name):
        try:
            handle = os.open(name, READ, dir_fd=below)
        except FileNotFoundError:
            yield None
            return
        except OSError:
            raise TransportError("denied", path=f"{self.path}/…/{name}") from None
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise TransportError("denied", path=f"{self.path}/…/{name}")
            yield file

    @contextlib.contextmanager
    def _words(self, name):
        try:
            yield
        except FileExistsError:
            raise
        except FileNotFoundError:
            raise TransportError("missing", path=f"{self.path}/…/{name}") from None
        except OSError as error:
            if error.errno in FULL:
                raise Transient(f"{self.path} is full: make room there", code="full") from error
            if error.errno in AWAY:
                raise Transient(
                    f"{self.path} can't be written to now ({error.strerror})"
                ) from error
            raise TransportError("denied", path=f"{self.path}/…/{name}") from None
