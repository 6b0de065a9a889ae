"""``python3 -m scripts feeds``: writes docs/feeds.md from the feeds' tables."""

import sys

from .paths import ROOT


def main(_arguments):
    """Write the page."""
    sys.path.insert(0, str(ROOT))
    from odoo.addons.finance_reporting_export.feeds import FEEDS, reference

    from tests import conftest  # noqa: F401 plain folders without Odoo

    (ROOT / "docs" / "feeds.md").write_text(reference.page(FEEDS))
