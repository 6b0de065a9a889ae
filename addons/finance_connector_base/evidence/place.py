"""Where evidence is kept outside the database: heads of the seal chain and high-water marks."""

from pathlib import Path

ENV_DIR = "FINANCE_EVIDENCE_DIR"
OPTION_DIR = "finance_evidence_dir"
# As the key ring reads them; the head of the chain lies beside the key that signs it.
ENV_KEY_FILE = "FINANCE_VAULT_KEY_FILE"
OPTION_KEY_FILE = "finance_vault_key_file"
DEFAULT_NAME = "finance_evidence"


def evidence_dir(environ, options) -> Path:
    """Return the folder for evidence outside the database; it need not be there yet.

    The first of: ``FINANCE_EVIDENCE_DIR`` (environment), ``finance_evidence_dir`` (odoo.conf), the
    folder of the vault's key file, ``<data_dir>/finance_evidence``.

    :param Mapping environ: the process environment
    :param Mapping options: the options of odoo.conf, or anything with ``get``
    """
    named = environ.get(ENV_DIR) or options.get(OPTION_DIR)
    if named:
        return Path(named).expanduser()
    key_file = environ.get(ENV_KEY_FILE) or options.get(OPTION_KEY_FILE)
    if key_file:
        return Path(key_file).expanduser().parent
    return Path(options.get("data_dir") or ".") / DEFAULT_NAME


def file_of(folder, database_uuid, database_oid, suffix) -> Path:
    """Return the path of a database's own file in ``folder``: ``<uuid>.<oid>.<suffix>``.

    :param str database_oid: ``pg_database.oid``, which a copy under another name doesn't share
    """
    return Path(folder) / f"{database_uuid}.{database_oid}.{suffix}"
