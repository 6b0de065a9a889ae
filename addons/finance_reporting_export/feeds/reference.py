"""The feeds as a page for those who read them: docs/feeds.md is what this writes."""

from ..canonical.schema import Column

HEAD = """# Feeds

What the suite's feeds tell, column by column. Names follow the AICPA Audit Data Standards where they
have one. This page is written from the feeds themselves (`addons/finance_reporting_export/feeds/`);
the Table Schema of a feed stands in each batch's manifest, of JSON Lines the JSON Schema too.

- Amounts are decimal digits in every format: strings in JSON Lines, `decimal128` in Parquet, with as
  many places as the database's currencies have. Nothing goes through a float.
- Dates are `2026-03-31`, times `2026-03-31T08:15:00Z` (UTC), booleans `true` and `false`. In CSV an
  empty value is nothing, an empty text is `""`; labels may have line breaks.
- An export whose feed tells what has changed has the column `operation` in front: `U`, the row is as
  told; `D`, it is gone, and only its key is told.
- Where an approved mapping is kept for a feed, a column ending in `_mapped` has the external code, as it
  was valid on the row's day.
- Columns marked *personal* leave the house only as the export says: without a choice of its own, names
  are left out, account numbers and tax ids become salted digests.
- Columns whose fields no installed addon has are left out.
"""


def page(feeds):
    """Return the page as Markdown. feeds: {code: Feed}."""
    return HEAD + "".join(_feed(feed) for feed in feeds.values())


def _feed(feed):
    modes = "everything, by period" if feed.day else "everything"
    if feed.incremental:
        modes += ", what has changed"
    lines = [
        f"\n## {feed.title}",
        f"\n`{feed.code}`, version {feed.version}; a row is told apart by "
        f"{', '.join(f'`{name}`' for name in feed.key)}. Told: {modes}.\n",
        "| column | type | meaning |",
        "|---|---|---|",
    ]
    return "\n".join([*lines, *map(_row, feed.columns)]) + "\n"


def _row(column: Column):
    notes = [column.meaning.replace("|", "\\|")]
    if column.personal:
        notes.append("*Personal.*")
    if column.mapping:
        notes.append(f"Mapped as {column.mapping}.")
    type_ = column.type + ("" if column.required else "?")
    return f"| `{column.name}` | {type_} | {' '.join(notes)} |"
