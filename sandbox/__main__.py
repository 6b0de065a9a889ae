"""Command line: ``python -m sandbox [--host H] [--port N] [--latency-ms MS] [--keep N]``.

``--tls-folder F`` adds a second port, for clients with a certificate: see ``mutual_tls``.
"""

import argparse
import os
import signal
import sys

from .server import DEFAULT_PORT, SandboxServer, mutual_tls


def parse_arguments(argv=None):
    """Return the options of the command line; ``--port 0`` takes a free port."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("FINANCE_SANDBOX_PORT", DEFAULT_PORT))
    )
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every vendor call")
    parser.add_argument("--keep", type=int, default=20_000, help="requests kept in the log")
    parser.add_argument("--tls-folder", help="server.pem and ca.pem of a second port, with TLS")
    parser.add_argument("--verbose", action="store_true", help="one line a request on stderr")
    return parser.parse_args(argv)


def main(argv=None):
    """Serve until interrupted; the first line printed names the URL."""
    options = parse_arguments(argv)
    server = SandboxServer(
        (options.host, options.port),
        latency_ms=options.latency_ms,
        keep=options.keep,
        verbose=options.verbose,
    )
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit(0))
    prefixes = ", ".join(f"/{name}" for name in sorted(server.sandbox.vendors))
    print(f"sandbox: serving {prefixes} on {server.url}", flush=True)
    if options.tls_folder:
        tls = mutual_tls(options.tls_folder)
        second = SandboxServer((options.host, 0), sandbox=server.sandbox, tls=tls).start()
        print(f"sandbox: with client certificates on {second.url}", flush=True)
    try:
        server.serve_forever(poll_interval=0.5)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


if __name__ == "__main__":
    main()
