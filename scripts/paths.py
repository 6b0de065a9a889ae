"""Where everything of this clone lives."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDONS = ROOT / "addons"
TEST_ADDONS = ROOT / "tests" / "addons"
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
ODOO_BIN = ROOT / "scripts" / "bin" / "odoo-bin"
DATA = CACHE / "data"
LOGS = CACHE / "logs"
TEST_OUTPUT = CACHE / "test-output"
VAULT_KEY = CACHE / "vault.key"
# Outside of DATA, as in production: what is there is never restored.
EVIDENCE = CACHE / "evidence"


def ensure(folder):
    """Create ``folder`` with its parents and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder
