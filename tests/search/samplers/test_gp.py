"""Optuna's Gaussian process."""

from __future__ import annotations

from pathlib import Path

from cemai_opt.testing.searches import run_search


def test_a_gaussian_process_suggests(tmp_path: Path) -> None:
    """Optuna's own, slow, and only for short searches."""
    search = run_search(tmp_path, sampler="gp", trials=14)
    assert sum(r.has_run for r in search.results) == 14
