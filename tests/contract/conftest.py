"""One sandbox process for the contract tests, on a free port."""

import pytest

from sandbox.client import SandboxProcess
from tests.contract.avatax import (  # noqa: F401
    avatax,
    avatax_conformity,
    avatax_contract,
    avatax_sdk,
)


@pytest.fixture(scope="session")
def sandbox_process():
    """The control of a sandbox started for this test run, as a user starts it."""
    with SandboxProcess() as control:
        yield control


@pytest.fixture
def sandbox(sandbox_process):
    """The control of an empty sandbox."""
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture
def sandbox_url(sandbox):
    """Base URL of the empty sandbox, without a vendor's prefix."""
    return sandbox.base_url
