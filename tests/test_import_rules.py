"""The folders of plain Python stay plain."""

from scripts.import_rules import PLAIN_FOLDERS, broken_rules, imported_names


def test_plain_folders_import_no_odoo():
    """Only other plain folders of the suite may be imported from ``odoo``."""
    assert broken_rules() == []


def test_rule_sees_every_way_to_import(tmp_path):
    """The check itself: what it refuses and what it lets through."""
    allowed = {f"odoo.addons.finance_connector_base.{folder}.x" for folder in PLAIN_FOLDERS}
    source = tmp_path / "addons" / "finance_x" / "providers" / "vendor.py"
    source.parent.mkdir(parents=True)
    lines = [f"import {name}" for name in sorted(allowed)]
    lines += ["import odoo", "from odoo import models", "def f():", "    import odoo.tools"]
    lines += ["from odoo.addons.finance_connector_base import models, providers"]
    lines += ["from odoo.addons.finance_connector_base.models.job import Job"]
    lines += ["from ..models import job", "from ..canonical import money", "from . import other"]
    source.write_text("\n".join(lines))
    refused = [line.split(": ")[1] for line in broken_rules(tmp_path)]
    assert refused == [
        "imports odoo",
        "imports odoo.models",
        "imports odoo.tools",
        "imports odoo.addons.finance_connector_base.models",
        "imports odoo.addons.finance_connector_base.models.job.Job",
        "imports odoo.addons.finance_x.models.job",
    ]


def test_relative_imports_are_resolved():
    """``..`` counts from the package of the file."""
    names = imported_names("from ..vault import ring", "odoo.addons.finance_x.providers")
    assert [name for _, name in names] == ["odoo.addons.finance_x.vault.ring"]
