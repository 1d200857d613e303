"""What predictions cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from cemai_opt.core.batch import Batch
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.objective import PREDICTIONS
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.pipeline.inference import MIN_WINDOW_S, measure_inference, per_1000, predict_for
from cemai_opt.testing.batches import batch_of, run_stages


@pytest.fixture(scope="module")
def fitted() -> Batch:
    """A ridge with 30 evaluation rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    return run_stages(batch_of(X, X[:, 0]))


def row(stage: str, energy_j: float) -> Measurement:
    """As many seconds as joules."""
    return Measurement(
        stage=stage,
        duration_s=energy_j,
        cpu_s=energy_j,
        energy_j={"cpu": energy_j},
        uncertainty_j=energy_j / 10,
        source="test",
    )


def cost_of(*rows: Measurement) -> Cost:
    """A cost of these rows."""
    return Cost(rows)


def test_predictions_are_repeated_until_the_time_is_over(fitted: Batch) -> None:
    """Whole passes over the evaluation rows, at least one."""

    def clock(ticks: Sequence[float]):  # type: ignore[no-untyped-def]  # a clock
        left = iter(ticks)
        return lambda: next(left)

    n = len(fitted.eval_rows)
    assert n == 30
    assert predict_for(fitted, 1.0, clock=clock([0.0, 0.4, 0.8, 1.2])) == 3 * n
    assert predict_for(fitted, 1.0, clock=clock([0.0, 5.0])) == n


def test_a_thousand_predictions_have_their_share_of_preparing_the_rows() -> None:
    """Looped: 2 J for 4,000; scaling 500 rows: 3 J; splitting and training are for training only."""
    cost = cost_of(row("split", 50.0), row("scale", 3.0), row("train", 70.0), row("evaluate", 90.0))
    measured = per_1000(row("inference", 2.0), 4000, cost=cost, n_rows=500)
    assert measured.total_j == pytest.approx(2.0 / 4 + 3.0 * 2)
    assert measured.duration_s == measured.cpu_s == pytest.approx(6.5)
    assert measured.uncertainty_j == pytest.approx(0.65)
    assert PREDICTIONS == 1000


def test_measuring_lasts_long_enough_and_is_charged(fitted: Batch) -> None:
    """Ten resolutions of the meter; what is measured is spent, and at most that by a thousand predictions' share."""
    meter = CpuTime(watts=10.0)
    inference, spent = measure_inference(fitted, cost_of(row("scale", 0.0)), meters=[meter])
    assert spent.duration_s >= MIN_WINDOW_S
    assert spent.energy_j > 0.0
    assert 0.0 < inference.total_j < spent.energy_j
    assert inference.stage == "inference"
