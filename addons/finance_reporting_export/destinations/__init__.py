"""Where batches go. Plain Python: each destination is a provider of the base."""
