"""``verify``: check a database, a dump or an export from the command line, without Odoo."""

import argparse
import contextlib
import os
import sys
import zipfile
from pathlib import Path

from ..vault import KeyRing, Vault, VaultError
from .head import head_file, read_heads
from .index import Index
from .package import is_package, verify_package
from .place import evidence_dir
from .signing import fingerprint, public_key_of
from .sources import DatabaseSource, Unusable, dump_of
from .verify import trust_of, verify

SOUND, BROKEN, NOT_CHECKED = 0, 1, 2
EXITS = {"sound": SOUND, "broken": BROKEN}

DESCRIPTION = """
Check the audit trail of Finance Connect: that no sealed event was changed, deleted, inserted or put
into another order, and that the seals are those that were made. Exit code: 0 unbroken, 1 broken,
2 not checked or not proved.
"""


def main(arguments=None) -> int:
    """Run the command; print what it found; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        report = _report(options)
    except (Unusable, VaultError, OSError, ValueError, zipfile.BadZipFile) as error:
        _say("Not checked.", str(error))
        return NOT_CHECKED
    _say(*report.sentences())
    return EXITS.get(report.outcome, NOT_CHECKED)


def _parser():
    parser = argparse.ArgumentParser(prog="evidence", description=DESCRIPTION)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("verify", description=DESCRIPTION)
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "file", nargs="?", type=Path, help="dump of pg_dump, backup of Odoo, or exported zip"
    )
    what.add_argument("--database", metavar="DSN", help="name or connection string of a database")
    command.add_argument(
        "--key-file", type=Path, metavar="FILE",
        help="the vault's key file; by default the key in FINANCE_VAULT_KEY_FILE or _KEYS",
    )  # fmt: skip
    command.add_argument(
        "--public-key", action="append", default=[], metavar="FINGERPRINT|FILE",
        help="a signing key to trust: its fingerprint, or its PEM file; may be repeated",
    )  # fmt: skip
    command.add_argument(
        "--head", type=Path, metavar="FILE",
        help="the head file; of a database it is looked for where this server keeps it",
    )  # fmt: skip
    return parser


def _report(options):
    ring = _ring(options.key_file)
    marks = frozenset(map(_fingerprint, options.public_key))
    if options.file and is_package(options.file):
        return verify_package(options.file, trust_of(ring, marks))
    with _source(options) as (source, path), Index() as index:
        heads = read_heads(path)[1] if path else {}

        def trust(uuid):
            return trust_of(ring, marks, heads, path, Vault(ring, uuid) if ring else None)

        return verify(source, index, trust)


def _ring(key_file):
    if key_file:
        return KeyRing.from_file(key_file)
    with contextlib.suppress(VaultError):
        return KeyRing.from_sources(os.environ, {})
    return None


def _fingerprint(text):
    """A fingerprint from itself, or from the PEM file it names."""
    plain = text.replace(":", "").replace(" ", "").lower()
    if len(plain) == 64 and set(plain) <= set("0123456789abcdef"):
        return plain
    try:
        return fingerprint(public_key_of(Path(text).read_bytes()))
    except (OSError, ValueError) as error:
        raise Unusable(
            f"{text} is neither a fingerprint (64 hexadecimal digits) nor a PEM file: {error}"
        ) from None


@contextlib.contextmanager
def _source(options):
    """Yield (source, path of the head file or None)."""
    if options.head and not options.head.exists():
        raise Unusable(f"There is no head file {options.head}.")
    if options.file:
        yield dump_of(options.file), options.head
        return
    with contextlib.closing(_connected(options.database)) as connection:
        source = DatabaseSource(connection)
        key_file = {"FINANCE_VAULT_KEY_FILE": str(options.key_file)} if options.key_file else {}
        folder = evidence_dir(os.environ | key_file, {})
        yield source, options.head or head_file(folder, *source.identity())


def _connected(dsn):
    try:
        import psycopg2
    except ImportError:
        raise Unusable("psycopg2 is missing: install it, or give a dump of the database.") from None
    try:
        connection = psycopg2.connect(dsn if "=" in dsn or "://" in dsn else f"dbname={dsn}")
    except psycopg2.Error as error:
        raise Unusable(f"The database can't be reached: {error}") from None
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    return connection


def _say(first, *lines):
    sys.stdout.write("\n".join([first, *(f"  {line}" for line in lines)]) + "\n")
