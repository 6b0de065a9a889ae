"""The rule that keeps plain Python plain.

A plain folder imports the standard library, libraries and plain folders of the suite, so that it
is tested without a database and can run in a thread without one.
"""

import ast
import re

from .paths import ROOT

PLAIN_FOLDERS = (
    "canonical",
    "cash",
    "configuration",
    "mappings",
    "providers",
    "vault",
    "controls",
    "currency",
    "destinations",
    "evidence",
    "extract",
    "feeds",
    "formats",
    "manifest",
    "matching",
    "signing",
    "transports",
    "settlement",
    "statutory",
    "reconciliation",
)
ALLOWED = re.compile(rf"odoo\.addons\.finance_\w+\.({'|'.join(PLAIN_FOLDERS)})(\.|$)")


def broken_rules(root=ROOT):
    """Every import of odoo in a plain folder below ``root``, as ``file:line: imports name``."""
    found = []
    for folder in PLAIN_FOLDERS:
        for file in sorted((root / "addons").glob(f"finance_*/{folder}/**/*.py")):
            package = ".".join(("odoo", *file.relative_to(root).parts[:-1]))
            for line, name in imported_names(file.read_text(), package):
                if name.split(".")[0] == "odoo" and not ALLOWED.match(name):
                    found.append(f"{file.relative_to(root)}:{line}: imports {name}")
    return found


def imported_names(source, package):
    """(line, full name) of everything that ``source``, a module of ``package``, imports."""
    nodes = sorted(
        (
            node
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Import | ast.ImportFrom)
        ),
        key=lambda node: node.lineno,
    )
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
            continue
        base = _base(node, package)
        yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def _base(node, package):
    if not node.level:
        return node.module
    parts = package.split(".")
    parts = parts[: len(parts) - node.level + 1]
    return ".".join((*parts, node.module) if node.module else parts)
