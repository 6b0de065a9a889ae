"""A vendor that answers after a while: ``python -m benchmarks.lib.slow_vendor PORT``.

``POST /echo`` answers what it got after 20 ms, ``POST /slow`` after a second; ``GET /log`` lists
the requests of /slow with their times. One thread and no framework, so that it takes next to
nothing of the processors that are measured.
"""

import asyncio
import json
import sys
import time

WAITS = {"/echo": 0.02, "/slow": 1.0}


class Vendor:
    """Keeps the log of slow requests: dicts with body, at and done (`time.time()`, or None)."""

    def __init__(self):
        self.log = []

    async def serve(self, reader, writer):
        """Answer the requests of one connection until it is closed."""
        try:
            while line := await reader.readline():
                method, path, _ = line.decode().split()
                body = await self._body(reader)
                answer = json.dumps(await self._answer(method, path, body)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%s" % (len(answer), answer)
                )
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _body(self, reader):
        length = 0
        while (line := await reader.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(await reader.readexactly(length)) if length else {}

    async def _answer(self, method, path, body):
        if method == "GET":
            return self.log if path == "/log" else {}
        entry = {"body": body, "at": time.time(), "done": None}
        if path == "/slow":
            self.log.append(entry)
        await asyncio.sleep(WAITS[path])
        entry["done"] = time.time()
        return {"text": body.get("text", "")}


async def _main(port):
    server = await asyncio.start_server(Vendor().serve, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
