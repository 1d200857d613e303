"""Finds machine-learning pipelines that are good and cost little carbon."""

__version__ = "0.1.0"
