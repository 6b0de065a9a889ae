"""Every destination with its real server on loopback: SFTP, S3, PostgreSQL, HTTP, a folder."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import uuid
from pathlib import Path

import psycopg2
import pytest

from odoo.addons.finance_connector_base.providers.errors import Rejected
from odoo.addons.finance_connector_base.providers.masking import mask_body
from odoo.addons.finance_connector_base.providers.session import ConnectorConfig, Session
from odoo.addons.finance_reporting_export.canonical.delivery import Delivery, Parcel
from odoo.addons.finance_reporting_export.canonical.schema import Column, Schema
from odoo.addons.finance_reporting_export.destinations.folder import Folder
from odoo.addons.finance_reporting_export.destinations.https import Https
from odoo.addons.finance_reporting_export.destinations.postgres import Postgres
from odoo.addons.finance_reporting_export.destinations.s3 import S3
from odoo.addons.finance_reporting_export.destinations.sftp import Sftp

from sandbox.server import SandboxServer
from sandbox.warehouse import TOKEN
from tests.contract.vendors import Memory
from tests.door import Door

SECRET = "SANDBOX-SECRET-0001"
KEY_ID = "AKIAFINANCE0SANDBOX1"
# Values for whoever needs a Parquet file, a header line, or a refusal of another column.
COLUMNS = (
    Column("id", "integer", "Id of the item.", "id", required=True),
    Column("entity", "string", "Name of the company.", "company_id.name", required=True),
    Column("period", "string", "Month, as 2026-03.", "=period", required=True),
    Column("label", "string", "Label; may have line breaks.", "name"),
    Column("effective_date", "date", "Accounting date.", "date"),
    Column("changed", "datetime", "When it was changed last, UTC.", "write_date"),
    Column("balance", "decimal", "Debit less credit.", "balance", scale=2),
    Column("posted", "boolean", "Whether it is posted.", "posted"),
    Column("analytic", "json", "Distribution by analytic account.", "analytic_distribution"),
)
OPERATION = Column("operation", "string", "U or D.", "='U'", required=True)
SCHEMA = Schema("journal_items", 1, "Journal items", COLUMNS, ("id",))
DELTA = Schema("journal_items", 1, "Journal items", (OPERATION, *COLUMNS), ("id",))


def line(number, label="Desk", balance="10.00", entity="Alder", period="2026-03"):
    """Return one row of the feed as CSV."""
    quoted = label.replace('"', '""')
    return (
        f'{number},{entity},{period},"{quoted}",2026-03-{number % 28 + 1:02},2026-03-31T08:15:00Z,'
        f'{balance},true,"{{""1"": 100.0}}"'
    )


def content(lines, schema=SCHEMA):
    """Return a CSV file."""
    return "\n".join([",".join(schema.names), *lines, ""]).encode()


def parcel(name, data, rows=None, compression="", schema=SCHEMA, mode="full", **options):
    """Return a `Parcel` of bytes in memory."""
    rows = max(0, data.count(b"\n") - 1) if rows is None else rows
    data = gzip.compress(data, mtime=0) if compression == "gzip" else data
    options = {"format": "csv", "feed": schema.feed} | options
    return Parcel(
        name, len(data), hashlib.sha256(data).hexdigest(), lambda: io.BytesIO(data),
        mode=mode, compression=compression, schema=schema, rows=rows, **options,
    )  # fmt: skip


def delivery(*parcels, number=1, export="group", run=None):
    """Return a `Delivery` with a small manifest."""
    resources = [{"path": one.name, "finance:rows": one.rows} for one in parcels]
    manifest = json.dumps({"name": export, "resources": resources}).encode()
    return Delivery(
        run or f"{uuid.uuid5(uuid.NAMESPACE_URL, f'{export}/{number}')}",
        export,
        number,
        f"{export}/{number}",
        parcels,
        small("datapackage.json", manifest),
    )


def small(name, data):
    """Return a `Parcel` that is no feed's."""
    return Parcel(name, len(data), hashlib.sha256(data).hexdigest(), lambda: io.BytesIO(data))


def usual(number=1, export="group"):
    """Return a delivery of two files."""
    return delivery(
        parcel(
            "journal_items-2026-03.csv",
            content([line(1), line(2, 'two\nlines, "q"', "-10.00")]),
            rows=2,
        ),
        parcel("journal_items-2026-04.csv.gz", content([line(3)]), compression="gzip"),
        number=number,
        export=export,
    )


def refused(place, what, code, cls=Rejected, **settings):
    """The delivery is refused for this reason, in words without secrets."""
    provider = place.open(**settings)
    with pytest.raises(cls) as caught:
        provider.deliver(what)
    if code is not None:
        assert caught.value.code == code, str(caught.value)
    no_secret(place, provider)
    return str(caught.value)


def no_secret(place, provider):
    """Nothing that people see of the exchanges holds a secret, or a row."""
    for exchange in provider.session.recorder.exchanges:
        shown = [exchange.url, exchange.error_text, mask_body(exchange.request_body)]
        for secret in provider.config.secrets:
            assert not any(secret in text for text in shown)
        assert b"Desk" not in exchange.request_body, "the rows stand in the log"


class Place:
    """One destination, its server and what is there, for whom a test does not care which."""

    provider = None
    settings = {}
    regions = ()
    read_seconds = 5.0

    def open(self, **settings):
        """Return the provider at work; it remembers its exchanges."""
        settings = {"region": "eu-central-1"} | self.settings | settings
        secrets = [one.name for one in self.provider.settings if one.secret]
        config = ConnectorConfig(
            id=70,
            name=self.provider.label,
            provider=self.provider.code,
            environment="local",
            base_url=self.address(),
            api_version=self.provider.api_version,
            settings=settings,
            company_id=1,
            timeouts=(2.0, self.read_seconds),
            secrets=tuple(settings[name] for name in secrets if name in settings),
            data={"regions": self.regions},
        )
        return self.provider(Session(config, recorder=Memory(), effect="idempotent", key="job-1"))

    def address(self):
        """Return the base URL."""
        raise NotImplementedError

    def files(self):
        """Return {path: bytes} of what is there."""
        raise NotImplementedError

    def put(self, path, data):
        """Have a file there that is not ours."""
        raise NotImplementedError

    def down(self):
        """Return a context manager in which the server can't be reached."""
        raise NotImplementedError


class FolderPlace(Place):
    """A folder."""

    provider = Folder

    def __init__(self, root):
        self.root = Path(root)

    def address(self):
        return f"file://{self.root}"

    def files(self):
        files = (file for file in self.root.rglob("*") if file.is_file())
        return {str(file.relative_to(self.root)): file.read_bytes() for file in files}

    def put(self, path, data):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


class SftpPlace(FolderPlace):
    """A folder behind an SFTP server."""

    provider = Sftp

    def __init__(self, root):
        import paramiko

        from tests.sftp_server import SftpServer

        super().__init__(root)
        self.key = paramiko.ECDSAKey.generate()
        self.server = SftpServer(root, self.key, "loader").__enter__()
        text = io.StringIO()
        self.key.write_private_key(text)
        self.settings = {
            "user": "loader",
            "private_key": text.getvalue(),
            "host_key": self.server.host_key,
        }

    def address(self):
        return f"sftp://127.0.0.1:{self.server.port}/"

    def close(self):
        self.server.__exit__()


class S3Place(Place):
    """A bucket of moto, which checks signatures with botocore's signer."""

    provider = S3
    settings = {"bucket": "warehouse", "prefix": "bi/odoo", "access_key_id": KEY_ID}

    def __init__(self):
        import boto3
        from moto import settings
        from moto.core.authorization import ActionAuthenticatorMixin
        from moto.server import ThreadedMotoServer

        self._settings, self._door = settings, ActionAuthenticatorMixin
        self.server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self.server.start()
        host, self.port = self.server.get_host_and_port()
        self.url = f"http://{host}:{self.port}"
        options = {"endpoint_url": self.url, "region_name": "eu-central-1"}
        options |= {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        self.iam, self.s3 = boto3.client("iam", **options), boto3.client("s3", **options)
        self.iam.create_user(UserName="loader")
        allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self.iam.put_user_policy(UserName="loader", PolicyName="all", PolicyDocument=policy)
        key = self.iam.create_access_key(UserName="loader")["AccessKey"]
        self.settings = self.settings | {
            "access_key_id": key["AccessKeyId"],
            "secret_access_key": key["SecretAccessKey"],
        }

    def fresh(self):
        """Empty the bucket."""
        with self.unlocked():
            with contextlib.suppress(self.s3.exceptions.NoSuchBucket):
                for path in self.files():
                    self.s3.delete_object(Bucket="warehouse", Key=f"bi/odoo/{path}")
                self.s3.delete_bucket(Bucket="warehouse")
            where = {"LocationConstraint": "eu-central-1"}
            self.s3.create_bucket(Bucket="warehouse", CreateBucketConfiguration=where)
        self._settings.INITIAL_NO_AUTH_ACTION_COUNT = 0

    @contextlib.contextmanager
    def unlocked(self):
        """Let the test in without a signature."""
        before = self._settings.INITIAL_NO_AUTH_ACTION_COUNT
        self._settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        try:
            yield
        finally:
            self._settings.INITIAL_NO_AUTH_ACTION_COUNT = before

    def address(self):
        return self.url

    def files(self):
        with self.unlocked():
            found = self.s3.list_objects_v2(Bucket="warehouse").get("Contents", ())
            return {
                row["Key"].removeprefix("bi/odoo/"): self.s3.get_object(
                    Bucket="warehouse", Key=row["Key"]
                )["Body"].read()
                for row in found
            }

    def put(self, path, data):
        with self.unlocked():
            self.s3.put_object(Bucket="warehouse", Key=f"bi/odoo/{path}", Body=data)

    def close(self):
        self._settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        self.server.stop()


class HttpsPlace(Place):
    """The sandbox's warehouse."""

    provider = Https
    settings = {"secret": TOKEN}
    read_seconds = 0.5

    def __init__(self):
        self.server = SandboxServer().start()

    @property
    def vendor(self):
        """The warehouse itself."""
        return self.server.sandbox.vendors["warehouse"]

    def address(self):
        return f"{self.server.url}/warehouse"

    def files(self):
        return dict(self.vendor.files)

    def put(self, path, data):
        self.vendor.files[path] = data

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class PostgresPlace(Place):
    """A database of the cluster, through a port that leads to its socket."""

    provider = Postgres
    settings = {"user": "odoo", "password": SECRET, "schema": "warehouse"}

    def __init__(self, folder, database):
        self.database = database
        self.door = Door(os.path.join(folder, ".s.PGSQL.5432"))
        self.folder = folder

    def fresh(self):
        """Forget the warehouse."""
        self.sql("DROP SCHEMA IF EXISTS warehouse CASCADE")

    def address(self):
        return f"postgresql://127.0.0.1:{self.door.port}/{self.database}"

    def sql(self, query, *values):
        """Run a statement; return its rows."""
        with self.connected() as connection, connection.cursor() as cursor:
            cursor.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def connected(self):
        """Give a connection of the warehouse's own, committed at the end."""
        connection = psycopg2.connect(host=self.folder, dbname=self.database, user="odoo")
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def rows(self, columns="id, label, balance"):
        """Return what the table has."""
        return self.sql(f"SELECT {columns} FROM warehouse.journal_items ORDER BY 1")

    def close(self):
        self.door.close()
