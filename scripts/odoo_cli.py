"""How Odoo is called: its environment, its configuration file and its command lines."""

import base64
import os
import secrets
import socket

from .odoo_source import find_odoo
from .paths import ADDONS, CACHE, DATA, EVIDENCE, ODOO_BIN, PYTHON, TEST_ADDONS, VAULT_KEY, ensure

LANES = ("--workers=2", "--max-cron-threads=4")
DEFAULT_SANDBOX_PORT = 8099


def environment(cluster, **extra):
    """The environment of every Odoo process: where Odoo, PostgreSQL, the vault key and evidence
    are."""
    source = find_odoo(fetch=False)
    variables = {key: value for key, value in os.environ.items() if not _misleading(key)}
    variables |= cluster.environment
    variables |= {
        "FINANCE_EVIDENCE_DIR": str(EVIDENCE / cluster.purpose),
        "FINANCE_VAULT_KEY_FILE": str(vault_key()),
        "ODOO_RC": str(configuration(source, cluster.purpose)),
        "PYTHONPYCACHEPREFIX": str(CACHE / "pycache"),
        "PYTHONUNBUFFERED": "1",
    }
    if source.python_path:
        variables["PYTHONPATH"] = str(source.python_path)
    return variables | {key: str(value) for key, value in extra.items()}


def _misleading(key):
    return key in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "OPENERP_SERVER") or (
        key.startswith("ODOO_") and key != "ODOO_PATH"
    )


def configuration(source, purpose):
    """A configuration file of this clone, so that none in the user's home is read.

    The addons that only tests install can be found everywhere but in ``make run``.
    """
    folders = [*source.addons, ADDONS, *([] if purpose == "run" else [TEST_ADDONS])]
    paths = ",".join(str(folder) for folder in folders if folder.is_dir())
    file = CACHE / f"odoo-{purpose}.conf"
    lines = [
        "[options]",
        f"addons_path = {paths}",
        f"data_dir = {ensure(DATA)}",
        "list_db = False",
        "",
    ]
    _write_once(file, "\n".join(lines))
    return file


def vault_key():
    """A development key for the vault, made once: ``<key id>:<base64 of 32 bytes>``."""
    if not VAULT_KEY.exists():
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        _write_once(VAULT_KEY, f"dev-1:{key}\n")
    return VAULT_KEY


def _write_once(file, text):
    """Write ``text`` unless it is there already; complete or not at all, readable by us only."""
    if file.exists() and file.read_text() == text:
        return
    part = ensure(file.parent) / f"{file.name}.{os.getpid()}"
    part.touch(mode=0o600)
    part.write_text(text)
    part.replace(file)


def odoo(*arguments):
    """The command line ``odoo …``."""
    return [str(PYTHON), str(ODOO_BIN), *map(str, arguments)]


def free_port(preferred=0):
    """``preferred`` if nobody listens there, else a free port of the loopback address."""
    for port in (int(preferred), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise OSError("no free port")
