"""Which joules count."""

from __future__ import annotations

import pytest

from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.objective import objective_j, objective_uncertainty_j
from cemai_opt.core.plan import Config
from cemai_opt.core.result import COMPLETE, TrialResult
from cemai_opt.core.study import ObjectiveSpec


def row(stage: str, joules: float) -> Measurement:
    """A row with a tenth of uncertainty."""
    return Measurement(
        stage=stage, duration_s=1.0, cpu_s=1.0, energy_j={"cpu": joules}, uncertainty_j=joules / 10, source="test"
    )


RESULT = TrialResult(
    trial=0,
    state=COMPLETE,
    config=Config({"train": {"model": "ridge"}}),
    cost=Cost((row("clean", 1.0), row("train", 5.0))),
    spent=Cost(),
    score=0.5,
    inference=row("inference", 2.0),
)


@pytest.mark.parametrize(
    ("spec", "joules"),
    [
        (ObjectiveSpec(), 6.0),
        (ObjectiveSpec(of="train"), 5.0),
        (ObjectiveSpec(of="inference"), 2.0),
        (ObjectiveSpec(of="lifecycle", retrains_per_year=10, predictions_per_year=3000), 66.0),
    ],
)
def test_each_objective_counts_its_own(spec: ObjectiveSpec, joules: float) -> None:
    """A run, its training, 1,000 predictions, or a year of both."""
    assert objective_j(spec, RESULT) == pytest.approx(joules)
    assert 0 < objective_uncertainty_j(spec, RESULT) <= joules / 10 + 1e-9
