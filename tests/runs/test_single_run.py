"""One pipeline that was run once."""

from __future__ import annotations

import pytest

from cemai_opt.runs.single_run import SingleRun
from cemai_opt.testing.searches import study_of
from tests.results import trial


def test_a_run_is_told_with_its_stages_and_their_sum() -> None:
    """The total is what the stages cost together."""
    run = SingleRun.of(study_of(), trial(0, 0.7, 4.0, uncertainty_g=0.2, metrics={"r2": 0.7}))
    assert (run.score, run.test, run.model, run.source) == ("r2", 0.7, "ridge", "test")
    assert run.total.carbon_g == pytest.approx(4.0) == pytest.approx(sum(s.carbon_g for s in run.stages.values()))
    assert run.total.energy_j == pytest.approx(sum(s.energy_j for s in run.stages.values()))
    assert run.total.uncertainty_g == pytest.approx(0.2)
    assert run.total.duration_s == pytest.approx(1.0)


def test_a_run_without_a_score_is_no_run() -> None:
    """A failed one is told with its reason elsewhere."""
    with pytest.raises(AssertionError, match="has a score"):
        SingleRun.of(study_of(), trial(0, None, 1.0))
