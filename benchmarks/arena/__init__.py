"""The judge of the product: its fronts and those of other methods, on many data sets, under one budget of grams."""
