"""What every sampler promises, on a search whose trials cost nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.search.samplers import SAMPLERS
from tests.search.rehearsal import rehearse


@pytest.mark.parametrize("name", SAMPLERS.names)
def test_the_same_seed_gives_the_same_search(name: str, tmp_path: Path) -> None:
    """Configurations, scores and front, twice; another seed gives others."""
    first, again, other = (rehearse(tmp_path / str(i), name, seed=seed) for i, seed in enumerate((4, 4, 5)))
    assert [r.config for r in first.results] == [r.config for r in again.results]
    assert first.points == again.points
    assert [r.config for r in first.results] != [r.config for r in other.results]


@pytest.mark.parametrize("name", SAMPLERS.names)
def test_no_configuration_runs_twice(name: str, tmp_path: Path) -> None:
    """Repeats are found on active parameters before they run, and do not use up the budget."""
    search = rehearse(tmp_path, name, trials=60)
    ran = [r.config.digest for r in search.results if not r.reason]
    assert len(ran) == len(set(ran)) == 60
