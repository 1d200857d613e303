"""How good a search is for its grams: record pipelines once, replay any search against the record."""
