"""One sandbox process for the contract tests, on a free port."""

import subprocess
import sys

import pytest

from sandbox.client import SandboxControl
from tests.contract.openapi import ROOT


@pytest.fixture(scope="session")
def sandbox_url():
    """Base URL of a sandbox started for this test run, as a user starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert " on http://" in line, f"the sandbox did not start: {line!r}"
        yield line.rpartition(" on ")[2].strip()
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def sandbox(sandbox_url):
    """The control of an empty sandbox."""
    control = SandboxControl(sandbox_url)
    control.reset()
    return control
