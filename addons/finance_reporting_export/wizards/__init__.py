from . import finance_feed_preview
