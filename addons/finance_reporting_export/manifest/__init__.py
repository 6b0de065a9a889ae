"""What a batch tells of itself: a Data Package, lineage events, metadata of Parquet files."""

# Prefix of our own properties beside those of a standard.
PREFIX = "finance:"
