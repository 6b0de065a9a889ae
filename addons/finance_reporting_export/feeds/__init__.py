"""The built-in feeds, a data table each. No Odoo in here."""

from . import journal_items

FEEDS = {feed.code: feed for feed in (journal_items.FEED,)}
