"""What every sampler promises, on a search whose trials cost nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.search.samplers import SAMPLERS
from cemai_opt.testing import run_search

TRIALS = {"gp": 20}
"""A Gaussian process takes a second a trial; so it gets fewer than the others."""


@pytest.mark.parametrize("name", SAMPLERS.names)
def test_the_same_seed_gives_the_same_search(name: str, tmp_path: Path) -> None:
    """Configurations, scores and front, twice; another seed gives others."""
    first, again, other = (
        run_search(tmp_path / str(i), sampler=name, trials=TRIALS.get(name, 60), seed=s)
        for i, s in enumerate((4, 4, 5))
    )
    assert [r.config for r in first.results] == [r.config for r in again.results]
    assert first.points == again.points
    assert [r.config for r in first.results] != [r.config for r in other.results]


@pytest.mark.parametrize("name", SAMPLERS.names)
def test_no_configuration_runs_twice(name: str, tmp_path: Path) -> None:
    """Repeats are found on active parameters before they run, and do not use up the budget."""
    search = run_search(tmp_path, sampler=name, trials=TRIALS.get(name, 60))
    ran = [r.config.digest for r in search.results if not r.reason]
    assert len(ran) == len(set(ran)) == TRIALS.get(name, 60)
