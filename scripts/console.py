"""What a person sees: one line a step, one line on failure with the command that mends it."""

import contextlib
import subprocess
import sys
import threading
import time

from .paths import LOGS, ensure


class Failure(Exception):
    """Something is missing. Printed as one line; ``remedy`` is the command that mends it."""

    def __init__(self, what, remedy=None):
        super().__init__(what)
        self.remedy = remedy

    def __str__(self):
        what = super().__str__()
        return f"{what} Try: {self.remedy}" if self.remedy else what


def say(text=""):
    """Print one line for people, at once."""
    print(text, flush=True)


@contextlib.contextmanager
def step(title):
    """Show ``title`` while the block runs and its seconds at the end."""
    stop = threading.Event()
    started = time.monotonic()
    ticker = threading.Thread(target=_tick, args=(title, stop, started), daemon=True)
    if sys.stdout.isatty():
        ticker.start()
    else:
        say(f"  ..  {title}")
    outcome = "FAIL"
    try:
        yield
        outcome = " ok "
    finally:
        stop.set()
        if ticker.is_alive():
            ticker.join()
        clear = "\r\033[K" if sys.stdout.isatty() else ""
        say(f"{clear} {outcome} {title} ({time.monotonic() - started:.1f} s)")


def _tick(title, stop, started):
    while not stop.wait(0.5):
        sys.stdout.write(f"\r\033[K  ..  {title} ({time.monotonic() - started:.0f} s)")
        sys.stdout.flush()


def run_logged(argv, name, remedy=None, **options):
    """Run ``argv`` with its output in ``.cache/logs/<name>.log``; raise Failure when it fails."""
    log = ensure(LOGS) / f"{name}.log"
    with log.open("wb") as out:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **options
        )
    if done.returncode:
        raise Failure(f"{name} failed: {last_words(log)} (whole log: {log})", remedy)
    return log


def last_words(log):
    """The last telling line of a log file."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() or line.startswith("E:")]
    return (errors or lines or ["no output"])[-1][:300]
