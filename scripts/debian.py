"""Odoo 19 from Debian's archive, with apt's own signature check and nothing of the system touched.

Package ``odoo-19`` is in the suite ``sid`` only; it links to fonts and scripts of other packages,
which are taken from ``trixie``, where the linked files still are.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .console import Failure, run_logged, step
from .paths import CACHE, ensure

PACKAGES = {
    "sid": ["odoo-19"],
    "trixie": [
        "fonts-font-awesome",
        "fonts-inconsolata",
        "fonts-montserrat",
        "fonts-ocr-b",
        "fonts-roboto-unhinted",
        "libjs-jquery",
        "libjs-jquery-form",
        "libjs-underscore",
    ],
}
# An incomplete second copy of the addons, documentation and translations: 840 of 1,300 MB.
LEFT_OUT = ("./usr/lib/python3/dist-packages/addons", "./usr/share/doc", "*.po", "*.pot")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Removed from the package for its licence; a page that asks for it logs an error, tours fail.
MISSING_FILE = "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"


def available():
    """Can this machine take packages from a Debian archive?"""
    return bool(
        shutil.which("apt-get") and shutil.which("dpkg-deb") and KEYRING.exists() and mirror()
    )


def mirror():
    """The address of the Debian archive this machine is set up with, or None."""
    return os.environ.get("DEBIAN_MIRROR") or _mirror_of_lists() or _mirror_of_sources()


def fetch(target):
    """Unpack Odoo 19 into the folder ``target``; returns the folder that holds package ``odoo``."""
    work = CACHE / "apt"
    with step("Odoo 19: package lists of Debian's archive"):
        options = _private_apt(work)
        run_logged(["apt-get", *options, "update"], "apt-update", "ODOO_PATH=<an Odoo 19 checkout>")
    with step("Odoo 19: download (about 130 MB)"):
        names = [f"{name}/{suite}" for suite, group in PACKAGES.items() for name in group]
        run_logged(["apt-get", *options, "download", *names], "apt-download", cwd=work / "debs")
    unpacking = target.with_name(target.name + ".unpacking")
    shutil.rmtree(unpacking, ignore_errors=True)
    with step("Odoo 19: unpack"):
        for deb in sorted((work / "debs").glob("*.deb")):
            _unpack(deb, ensure(unpacking))
        _stub_missing_file(unpacking / "usr/lib/python3/dist-packages")
    shutil.rmtree(target, ignore_errors=True)
    unpacking.rename(target)
    shutil.rmtree(work)
    return target / "usr/lib/python3/dist-packages"


def _mirror_of_lists():
    line = "$(LABEL)|$(ORIGIN)|$(SUITE)|$(REPO_URI)"
    asked = subprocess.run(
        ["apt-get", "indextargets", "--format", line, "Identifier: Packages"],
        capture_output=True,
        text=True,
    )
    rows = [row.split("|") for row in asked.stdout.splitlines()]
    return next((row[3] for row in rows if len(row) == 4 and row[0] == row[1] == "Debian"), None)


def _mirror_of_sources():
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.[ls]*[ts]"))]
    text = "\n".join(file.read_text(errors="replace") for file in files if file.is_file())
    found = re.findall(r"(?m)^(?:URIs:|deb (?:\[[^]]*\] )?)\s*(\S+/debian/?)(?=\s|$)", text)
    return found[0] if found else None


def _private_apt(work):
    """Options that make apt keep everything below ``work``."""
    shutil.rmtree(work, ignore_errors=True)
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        ensure(work / folder)
    (work / "status").touch()
    source = f"deb [arch=all signed-by={KEYRING}] {mirror()}"
    (work / "sources.list").write_text("".join(f"{source} {suite} main\n" for suite in PACKAGES))
    settings = {
        "Dir::State": work / "state",
        "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache",
        "Dir::Etc::SourceList": work / "sources.list",
        "Dir::Etc::SourceParts": "-",
        "APT::Sandbox::User": "",
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
    }
    return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


def _unpack(deb, target):
    excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as package:
        unpacked = subprocess.run(
            ["tar", "-x", "--no-same-owner", "-C", target, *excluded], stdin=package.stdout
        )
    if unpacked.returncode or package.returncode:
        raise Failure(f"{deb.name} could not be unpacked (disk full?).", "df -h .")


def _stub_missing_file(python_path):
    file = python_path / MISSING_FILE
    if file.exists():
        return
    ensure(file.parent)
    file.write_text("/* Not in this distribution of Odoo. */\n")
