"""What a search gains from earlier runs: grams to the same hypervolume, with a warm start and without."""
