"""A port on loopback that leads to a Unix socket: the test cluster listens on nothing else."""

import contextlib
import socket
import threading


class Door:
    """A port on loopback that leads to a Unix socket."""

    def __init__(self, path):
        self.path = path
        self._line = socket.create_server(("127.0.0.1", 0))
        self.port = self._line.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        """Let nobody in any more."""
        self._line.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                outside, _address = self._line.accept()
                inside = socket.socket(socket.AF_UNIX)
                inside.connect(self.path)
                for pair in ((outside, inside), (inside, outside)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
