"""Bank APIs, one file a vendor: canonical questions to requests, answers to canonical statements."""
