"""One port for a prefork Odoo: WebSockets to its evented process, everything else to its workers.

What a reverse proxy does in production, in as little as `make run` needs: a connection is passed
on by its first line. Browsers open a WebSocket on a connection of its own, so that is enough.
"""

import asyncio
import contextlib
import threading

CHUNK = 65536


class Front:
    """Listens on ``port`` of the loopback address in a thread of its own while entered."""

    def __init__(self, port, http_port, websocket_port):
        self.port = port
        self._targets = {True: websocket_port, False: http_port}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", self.port)
        asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return self

    def __exit__(self, *exception):
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self, reader, writer):
        with contextlib.suppress(OSError):
            first_line = await reader.readline()
            is_websocket = b" /websocket?" in first_line or b" /websocket " in first_line
            target = await asyncio.open_connection("127.0.0.1", self._targets[is_websocket])
            target[1].write(first_line)
            await asyncio.gather(_pump(reader, target[1]), _pump(target[0], writer))
        writer.close()


async def _pump(reader, writer):
    """Copy until the end, then pass the end on."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
