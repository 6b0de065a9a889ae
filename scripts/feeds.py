"""``python3 -m scripts feeds``: writes docs/feeds.md from the feeds' tables."""

import importlib
import sys

from .paths import ROOT

ADDON = "odoo.addons.finance_reporting_export.feeds"


def main(_arguments):
    """Write the page."""
    sys.path.insert(0, str(ROOT))
    # plain folders without Odoo
    importlib.import_module("tests.conftest")
    feeds = importlib.import_module(ADDON).FEEDS
    page = importlib.import_module(f"{ADDON}.reference").page(feeds)
    (ROOT / "docs" / "feeds.md").write_text(page)
