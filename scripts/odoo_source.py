"""Finding Odoo 19: what the user names, what is installed, the cache, Debian's archive, git."""

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path

from . import debian
from .console import Failure, run_logged, say, step
from .paths import CACHE, PYTHON

SERIES = (19, 0)
REPOSITORY = "https://github.com/odoo/odoo.git"
UNPACKED = CACHE / "odoo"
CLONED = CACHE / "odoo-git"
REMEDY = "ODOO_PATH=<folder of an Odoo 19.0 checkout> make run"


@dataclasses.dataclass(frozen=True)
class OdooSource:
    """One Odoo 19: the folder to put on PYTHONPATH (None when installed) and its addons folders."""

    python_path: Path | None
    addons: tuple[Path, ...]
    origin: str


def find_odoo(fetch=True):
    """The Odoo 19 to use; downloads it when there is none and ``fetch`` is true."""
    if named := os.environ.get("ODOO_PATH"):
        return _named(Path(named).expanduser().resolve())
    found = _installed() or _cached()
    if found:
        return found
    if not fetch:
        raise Failure("Odoo 19 is not here yet.", "make setup")
    _download()
    found = _cached()
    if not found:
        raise Failure("What was downloaded is not Odoo 19.0.", REMEDY)
    return found


def _named(folder):
    source = _at(folder, "ODOO_PATH")
    if not source:
        raise Failure(f"ODOO_PATH={folder} holds no Odoo {SERIES[0]}.{SERIES[1]}.", REMEDY)
    return source


def _installed():
    """An ``odoo`` that .venv can import. Asked from ``/``: odoo's own folder shadows modules."""
    question = "import odoo.release as r; print(r.__file__)"
    asked = subprocess.run(
        [PYTHON, "-c", question], cwd="/", capture_output=True, text=True, env=_clean_environment()
    )
    if asked.returncode:
        return None
    source = _at(Path(asked.stdout.strip()).parent.parent, "installed")
    return source and dataclasses.replace(source, python_path=None)


def _clean_environment():
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def _cached():
    return _at(UNPACKED / "usr/lib/python3/dist-packages", "Debian package") or _at(CLONED, "git")


def _at(folder, origin):
    """The Odoo whose package ``odoo`` is in ``folder``, if it is of the right series."""
    release = folder / "odoo" / "release.py"
    if not release.is_file() or _series(release) != SERIES:
        return None
    places = (folder / "odoo" / "addons", folder / "addons")
    return OdooSource(folder, tuple(place for place in places if _complete(place)), origin)


def _series(release):
    found = re.search(r"version_info\s*=\s*\((\d+),\s*(\d+)", release.read_text())
    return found and (int(found[1]), int(found[2]))


def _complete(addons):
    """Addons with their manifests, not the copy without data that one package carries."""
    return any((addons / name / "__manifest__.py").is_file() for name in ("base", "web"))


def _download():
    if debian.available():
        try:
            debian.fetch(UNPACKED)
            return
        except Failure as failure:
            say(f"      Debian's archive did not work: {failure}")
    if not shutil.which("git"):
        raise Failure("Odoo 19 was not found and git is missing.", REMEDY)
    with step("Odoo 19: clone of its public repository (this takes minutes)"):
        shutil.rmtree(CLONED, ignore_errors=True)
        branch = f"{SERIES[0]}.{SERIES[1]}"
        clone = ["git", "clone", "--depth", "1", "--branch", branch, REPOSITORY, str(CLONED)]
        run_logged(clone, "git-clone", REMEDY)
