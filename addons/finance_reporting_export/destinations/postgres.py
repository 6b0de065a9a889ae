"""A PostgreSQL warehouse: a table per feed, each batch in one transaction.

The tables stand in a schema of their own. ``finance_batches`` tells which batches were loaded: a repeated
delivery finds itself there and does nothing, and a batch that leaves one out is refused. What a
table has is changed row by row, so that views, grants and indexes of the warehouse stay, and its
readers see the batch before or this one, whole.
"""

import contextlib
import tempfile
from urllib.parse import unquote, urlsplit

import psycopg2
from psycopg2 import errors as codes

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.certificates import clean_pem
from odoo.addons.finance_connector_base.providers.errors import AuthFailed, Rejected, Transient

from ..canonical.delivery import ACCEPTED, WAITING, Acknowledgement, Receipt
from .destination import REGION, Destination, whole
from .warehouse import Warehouse

LOCAL = "prefer"
LATER = (
    psycopg2.OperationalError,
    codes.SerializationFailure,
    codes.DeadlockDetected,
    codes.LockNotAvailable,
    psycopg2.InterfaceError,
)
# SQLSTATE classes of a connection that is refused for who we are.
CREDENTIALS = ("28", "3D")
# What it says of wrong content quotes the content.
CONTENT = "22"
SECONDS = 10
# How long another delivery is waited for.
LOCK_SECONDS = 20


class Postgres(Destination):
    """PostgreSQL 12 or later, by COPY."""

    code = "export_postgres"
    label = "PostgreSQL warehouse"
    api_version = "3.0"
    schemes = ("postgresql",)
    concurrency = 2
    settings = (
        REGION,
        Setting("user", "User Name", check=r"[^\s:@/]{1,63}"),
        Setting("password", "Password", secret=True),
        Setting("schema", "Schema", default="odoo", check=r"[a-z_][a-z0-9_]{0,40}"),
        Setting(
            "sslmode",
            "TLS",
            default="verify-full",
            check="require|verify-ca|verify-full",
            help="verify-full: the server shows a certificate of its own name. On this machine TLS "
            "is used where the server has it.",
        ),
        Setting(
            "ca",
            "Certificate Authority",
            required=False,
            help="PEM, of who issued the server's certificate. Empty: those of the system.",
        ),
    )

    def ping(self):
        """Sign in, and look whether the schema may be written to."""
        with self.visit(), self.told("SELECT", ""), self._connected() as connection:
            version, may = Warehouse(connection, self._schema()).look()
        if not may:
            raise Rejected(
                f"{self.label}: {self.config.settings['user']} may not write to the schema"
                f" {self._schema()}, or create it",
                code="rights",
            )
        return f"PostgreSQL {version}: {self._schema()} can be written to."

    def _schema(self):
        return self.config.settings.get("schema") or "odoo"

    # === DELIVERY === #

    def _deliver(self, delivery):
        manifest = whole(delivery.manifest)
        names = tuple(parcel.name for parcel in delivery.all)
        facts = {"files": len(names), "bytes": sum(parcel.bytes for parcel in delivery.all)}
        with self.visit(), self.told("COPY", f"/{delivery.folder}", **facts):
            with self._connected() as connection:
                new = Warehouse(connection, self._schema()).load(delivery, manifest)
        if not new:
            return Receipt((), names)
        return Receipt(names, (), facts["bytes"])

    def _answer(self, delivery):
        with self.visit(), self.told("SELECT", f"/{delivery.folder}"):
            with self._connected() as connection:
                rows = Warehouse(connection, self._schema()).rows_of(delivery)
        if rows is None:
            return Acknowledgement(WAITING)
        return Acknowledgement(ACCEPTED, rows)

    @contextlib.contextmanager
    def _connected(self):
        """Yield a connection; what is done inside is one transaction."""
        with contextlib.ExitStack() as stack, self._words():
            connection = psycopg2.connect(**self._parameters(stack))
            stack.callback(connection.close)
            with connection:
                yield connection

    def _parameters(self, stack):
        address, settings = urlsplit(self.config.base_url), self.config.settings
        local = self.config.environment == "local"
        parameters = {
            "host": address.hostname,
            "port": address.port or 5432,
            "dbname": unquote(address.path.strip("/")) or "postgres",
            "user": settings["user"],
            "password": settings["password"],
            "sslmode": LOCAL if local else settings.get("sslmode") or "verify-full",
            "connect_timeout": SECONDS,
            "application_name": "finance_reporting_export",
            "keepalives_idle": 30,
            "options": "-c client_encoding=UTF8 -c timezone=UTC -c datestyle=ISO"
            f" -c lock_timeout={LOCK_SECONDS}s",
        }
        if local or parameters["sslmode"] == "require":
            return parameters
        if settings.get("ca"):
            file = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".pem"))
            file.write(clean_pem(settings["ca"]))
            file.flush()
            return parameters | {"sslrootcert": file.name}
        return parameters | {"sslrootcert": "system"}

    @contextlib.contextmanager
    def _words(self):
        """Turn what PostgreSQL raises into the error classes."""
        try:
            yield
        except psycopg2.Error as error:
            raise self._failure(error) from error

    def _failure(self, error):
        state, words = error.pgcode or "", _words_of(error)
        refused = not state and any(
            part in words for part in ("authentication", "role", "database")
        )
        if state[:2] in CREDENTIALS or refused:
            return AuthFailed(f"{self.label}: {words}", code=state)
        if isinstance(error, LATER):
            return Transient(f"{self.label}: {words}", code=state)
        return Rejected(f"{self.label}: {words}", code=state)


def _words_of(error):
    """Return the first line of what PostgreSQL says; never the row, which may hold names."""
    text = (error.diag.message_primary if error.diag else "") or str(error).strip()
    if (error.pgcode or "").startswith(CONTENT):
        text = text.partition(":")[0]
    return text.splitlines()[0][:300] if text else type(error).__name__
