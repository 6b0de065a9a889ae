"""``python3 -m scripts <command>``; the Makefile calls these."""

import importlib
import signal
import sys

from .console import Failure, say

COMMANDS = {
    "setup": "commands.setup",
    "run": "run",
    "test": "testing",
    "bench": "commands.bench",
    "lint": "lint",
    "pot": "commands.pot",
    "reset": "commands.reset",
    "env": "commands.env",
    "postgres": "commands.postgres_command",
    "copy": "commands.copy",
    "drop": "commands.drop",
    "odoo": "commands.odoo",
    "verify": "commands.verify",
    "feeds": "feeds",
}


def main():
    """Run the command; one line on failure."""
    # A shell that starts us in the background makes us deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        say(f"usage: python3 -m scripts {{{','.join(COMMANDS)}}} …")
        return 2
    module, _, name = COMMANDS[sys.argv[1]].partition(".")
    command = getattr(importlib.import_module(f"scripts.{module}"), name or "main")
    try:
        return command(sys.argv[2:]) or 0
    except Failure as failure:
        say(f"FAIL  {failure}")
        return 1
    except KeyboardInterrupt:
        return 130


sys.exit(main())
