"""The data tables of the feeds are what they say they are."""

import re
from pathlib import Path

import pytest

from odoo.addons.finance_reporting_export.canonical import publication
from odoo.addons.finance_reporting_export.canonical.schema import PERSONAL, TYPES
from odoo.addons.finance_reporting_export.feeds import FEEDS, reference

ROOT = Path(__file__).parents[3]
MAPPINGS = {
    "entity", "account", "journal", "tax", "partner", "product", "currency", "payment_term",
    "dimension",
}  # fmt: skip


@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS)
def test_a_table_fits_together(feed):
    names = feed.schema.names
    assert len(set(names)) == len(names)
    assert set(feed.key) <= set(names)
    for column in feed.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,60}", column.name)
        assert column.type in TYPES and column.personal in PERSONAL
        assert column.mapping in MAPPINGS | {""}
        assert column.meaning.endswith(".") and column.source
        assert not (column.personal and column.required)
    if feed.measures:
        told = {name for name in vars(feed.measures).values() if name}
        assert told <= set(names)
    for name in feed.key:
        assert next(column for column in feed.columns if column.name == name).personal == ""


def test_a_digest_is_another_when_a_receiver_must_know():
    schema = FEEDS["journal_items"].schema
    digest = publication.digest(schema)
    assert publication.digest(FEEDS["journal_items"].schema) == digest
    assert publication.digest(FEEDS["journal_entries"].schema) != digest


def test_the_page_of_the_feeds_is_what_they_are():
    """Write it with: python3 -m scripts feeds."""
    assert (ROOT / "docs" / "feeds.md").read_text() == reference.page(FEEDS)
