"""Policies of updating a deployed model, on streams of real data."""
