"""What contract tests talk to: the sandbox, and servers for exported batches."""

import os
import uuid

import pytest

from scripts import postgres
from scripts.databases import Databases
from tests.contract import destinations as made
from tests.contract.avatax import (  # noqa: F401
    avatax,
    avatax_conformity,
    avatax_contract,
    avatax_sdk,
)


@pytest.fixture
def sandbox_url(sandbox):
    """Base URL of the empty sandbox, without a vendor's prefix."""
    return sandbox.base_url


@pytest.fixture(scope="session")
def s3_server():
    """One bucket: its server takes a second to start."""
    place = made.S3Place()
    yield place
    place.close()


@pytest.fixture(scope="session")
def warehouse_server():
    """A database of the test cluster."""
    name = f"fc_warehouse_{uuid.uuid4().hex[:8]}"
    with postgres.server("test") as cluster:
        databases = Databases(cluster)
        databases.sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE template0')
        place = made.PostgresPlace((os.environ | cluster.environment)["PGHOST"], name)
        yield place
        place.close()
        databases.drop(name)


@pytest.fixture
def place(request, tmp_path):
    """The destination of the parameter, empty."""
    kind = request.param
    if kind == "folder":
        yield made.FolderPlace(tmp_path)
    elif kind in ("sftp", "https"):
        found = made.SftpPlace(tmp_path) if kind == "sftp" else made.HttpsPlace()
        yield found
        found.close()
    else:
        found = request.getfixturevalue({"s3": "s3_server", "postgres": "warehouse_server"}[kind])
        found.fresh()
        yield found
