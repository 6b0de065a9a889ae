"""``make lint``: ruff, pylint-odoo and the import rule."""

import subprocess

from . import import_rules
from .console import Failure, say
from .databases import finance_addons
from .paths import PYTHON, ROOT
from .venv import DEVELOPMENT, ensure_venv

# What fails; the rest of pylint-odoo's advice is printed by running it by hand.
BLOCKING = (
    "context-overridden",
    "except-pass",
    "external-request-timeout",
    "inheritable-method-string",
    "invalid-commit",
    "license-allowed",
    "manifest-author-string",
    "manifest-data-duplicated",
    "manifest-required-author",
    "manifest-required-key",
    "manifest-version-format",
    "method-compute",
    "method-inverse",
    "method-search",
    "print-used",
    "resource-not-exist",
    "sql-injection",
    "translation-positional-used",
    "translation-required",
    "translation-unsupported-format",
)


def main(arguments):
    """Run all checks (``--fix``: let ruff repair and format); Failure if one of them complains."""
    ensure_venv(DEVELOPMENT)
    fix = "--fix" in arguments
    checks = {
        "ruff check": _run("ruff", "check", *(["--fix"] if fix else []), "."),
        "ruff format": _run("ruff", "format", *([] if fix else ["--check"]), "."),
        "import rule": _import_rule(),
        "pylint-odoo": _pylint(),
    }
    failed = [name for name, ok in checks.items() if not ok]
    if failed:
        raise Failure(f"{', '.join(failed)} complained.", "make format")
    say("lint is clean")


def _run(module, *arguments):
    say(f"=== {module} {arguments[0]} ===")
    return not subprocess.run([PYTHON, "-m", module, *arguments], cwd=ROOT).returncode


def _import_rule():
    say("=== import rule ===")
    broken = import_rules.broken_rules()
    for line in broken:
        say(line)
    return not broken


def _pylint():
    targets = [f"addons/{addon}" for addon in finance_addons()]
    if not targets:
        return True
    enabled = f"--enable={','.join(BLOCKING)}"
    return _run("pylint", "--rcfile=pyproject.toml", "--disable=all", enabled, *targets)
