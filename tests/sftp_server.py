"""An SFTP server for tests, on loopback and of one folder, with paramiko's own server classes."""

import contextlib
import os
import socket
import threading

import paramiko


class _Door(paramiko.ServerInterface):
    def __init__(self, user, key):
        self.user, self.key = user, key

    def check_auth_publickey(self, username, key):
        same = username == self.user and key.asbytes() == self.key.asbytes()
        return paramiko.AUTH_SUCCESSFUL if same else paramiko.AUTH_FAILED

    def get_allowed_auths(self, _username):
        return "publickey"

    def check_channel_request(self, _kind, _number):
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server, root, *arguments, **options):
        super().__init__(server, *arguments, **options)
        self.root = root

    def _real(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def list_folder(self, path):
        with self._errors() as failed:
            rows = []
            for name in os.listdir(self._real(path)):
                state = os.lstat(os.path.join(self._real(path), name))
                rows.append(paramiko.SFTPAttributes.from_stat(state, name))
            return rows
        return failed[0]

    def lstat(self, path):
        with self._errors() as failed:
            return paramiko.SFTPAttributes.from_stat(os.lstat(self._real(path)))
        return failed[0]

    def stat(self, path):
        with self._errors() as failed:
            return paramiko.SFTPAttributes.from_stat(os.stat(self._real(path)))
        return failed[0]

    def open(self, path, flags, _attributes):
        with self._errors() as failed:
            file = os.fdopen(
                os.open(self._real(path), flags, 0o640), "wb" if flags & os.O_WRONLY else "rb"
            )
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = handle.writefile = file
            return handle
        return failed[0]

    def mkdir(self, path, _attributes):
        with self._errors() as failed:
            os.mkdir(self._real(path))
            return paramiko.SFTP_OK
        return failed[0]

    def rename(self, old, new):
        with self._errors() as failed:
            if os.path.lexists(self._real(new)):
                return paramiko.SFTP_FAILURE
            os.rename(self._real(old), self._real(new))
            return paramiko.SFTP_OK
        return failed[0]

    def posix_rename(self, old, new):
        with self._errors() as failed:
            os.replace(self._real(old), self._real(new))
            return paramiko.SFTP_OK
        return failed[0]

    @contextlib.contextmanager
    def _errors(self):
        failed = []
        try:
            yield failed
        except OSError as error:
            failed.append(paramiko.SFTPServer.convert_errno(error.errno))


class SftpServer:
    """A context manager: ``port``, ``host_key`` (a line of known_hosts); lets ``key`` in as user."""

    def __init__(self, root, key, user="bank"):
        self.root, self.key, self.user = str(root), key, user
        self._own = paramiko.ECDSAKey.generate()
        self.host_key = f"{self._own.get_name()} {self._own.get_base64()}"

    def __enter__(self):
        self._line = socket.create_server(("127.0.0.1", 0))
        self.port = self._line.getsockname()[1]
        self._sessions = []
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_exception):
        self._line.close()
        for session in self._sessions:
            session.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                line, _address = self._line.accept()
                session = paramiko.Transport(line)
                session.add_server_key(self._own)
                session.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self.root)
                self._sessions.append(session)
                session.start_server(event=threading.Event(), server=_Door(self.user, self.key))
