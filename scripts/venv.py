"""The virtual environment ``.venv``, made once and again when a requirements file changes."""

import hashlib
import subprocess
import sys

from .console import Failure, run_logged, step
from .paths import PYTHON, ROOT, VENV

RUNTIME = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
# What DEVELOPMENT needs besides, without the packages that it depends on.
ALONE = "requirements-dev-alone.txt"
NO_MODULE = "your package manager, for example: apt-get install python3-venv"


def ensure_venv(requirements=RUNTIME):
    """Make ``.venv`` hold what the file ``requirements`` names; a no-op when it already does."""
    if sys.version_info < (3, 11):  # noqa: UP036 — this runs on whatever python3 is
        raise Failure("Python 3.11 or 3.12 is needed.", "make PYTHON=python3.12 <target>")
    if not _works():
        with step("Python environment .venv"):
            _create()
    stamp = VENV / f".installed-{requirements}"
    digest = _digest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    with step(f"Python packages of {requirements}"):
        _install(requirements)
        if requirements == DEVELOPMENT:
            _install(ALONE, "--no-deps")
    stamp.write_text(digest)


def _install(requirements, *options):
    command = ["-m", "pip", "install", "--disable-pip-version-check", *options, "-r"]
    retry = f"{PYTHON} {' '.join(command)} {requirements}"
    run_logged([PYTHON, *command, ROOT / requirements], "pip", retry)


def _works():
    if not PYTHON.exists():
        return False
    return not subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode


def _create():
    try:
        run_logged([sys.executable, "-m", "venv", "--clear", VENV], "venv")
    except Failure as failure:
        raise Failure(f"Python's venv module does not work: {failure}.", NO_MODULE) from failure


def _digest():
    text = "".join((ROOT / name).read_text() for name in (RUNTIME, DEVELOPMENT, ALONE))
    return hashlib.sha256((text + sys.version).encode()).hexdigest()
