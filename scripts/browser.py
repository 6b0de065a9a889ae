"""Chromium for browser tests: installed through apt when we may, else the command is named."""

import os
import shutil

from .console import Failure, run_logged, step

NAMES = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser")
PACKAGES = ("chromium", "fonts-liberation")
COMMAND = f"apt-get install {' '.join(PACKAGES)}"


def ensure_browser():
    """Make sure that a Chromium is on PATH; a browser test must never be skipped for want of it."""
    if any(shutil.which(name) for name in NAMES):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failure("Chromium is missing; browser tests need it.", f"sudo {COMMAND}")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with step("Chromium: install through apt"):
        run_logged(["apt-get", "update"], "chromium-update", env=quiet)
        install = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
        run_logged(install, "chromium", COMMAND, env=quiet)
