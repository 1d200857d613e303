"""Doubles for tests of your own parts: small batches, an engine without pipelines, searches, fake hardware."""

from cemai_opt.testing.batches import batch_of, run_stages
from cemai_opt.testing.hardware import FakeNvml, powercap_tree, trace_of
from cemai_opt.testing.searches import FormulaEngine, run_search

__all__ = ["FakeNvml", "FormulaEngine", "batch_of", "powercap_tree", "run_search", "run_stages", "trace_of"]
