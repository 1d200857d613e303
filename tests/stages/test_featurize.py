"""Features of earlier rows, and operating regimes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cemai_opt.core.errors import StudyError, TrialError
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.core.space import SearchSpaceSpec
from cemai_opt.spaces import build_space
from cemai_opt.stages import STAGES
from cemai_opt.stages._regimes import fitted_regimes, nearest
from cemai_opt.testing.batches import batch_of, run_stages

RNG = np.random.default_rng(0)
REGIME = RNG.integers(0, 3, 300)
WEAR = np.linspace(0.0, 1.0, 300)
ROWS = np.column_stack([np.array([0.0, 50.0, 90.0])[REGIME], np.array([5.0, -40.0, 300.0])[REGIME] + WEAR])
"""A condition, and a sensor whose level it moves."""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"second_window": "none"}, {"scales": "short"}),
        ({"second_window": "4x", "window_rows": 12}, {"scales": "short_long", "window_rows": 12, "long_rows": 48}),
        ({"second_window": "8x"}, {"scales": "short_long", "window_rows": 30, "long_rows": 240}),
    ],
)
def test_the_second_window_of_0_1_0_is_one_of_two_scales(old: dict[str, Value], new: dict[str, Value]) -> None:
    """A configuration that it wrote gives the same columns."""
    stage = STAGES.find("featurize")
    made = [stage.checked("featurize", {"rolling": "mean", **params}, task="regression") for params in (old, new)]
    assert made[0] == made[1]


def test_three_scales_are_three_windows() -> None:
    """The middle one is their geometric mean."""
    X, y = RNG.normal(size=(60, 1)), RNG.normal(size=60)
    wanted = {"rolling": "mean", "scales": "three", "window_rows": 5, "long_rows": 20}
    assert run_stages(batch_of(X, y), until="featurize", featurize=wanted).names == (
        *("v0", "v0_mean_5", "v0_mean_10", "v0_mean_20"),
    )


def test_lags_and_differences_are_earlier_values() -> None:
    """One, two and four steps; those of the first row where there are none."""
    X, y = np.arange(40.0)[:, None], np.zeros(40)
    wanted = {"lags": "three", "lag_rows": 3, "trend": "difference", "difference_rows": 5}
    batch = run_stages(batch_of(X, y), until="featurize", featurize=wanted)
    assert batch.names == ("v0", "v0_difference_5", "v0_lag_3", "v0_lag_6", "v0_lag_12")
    assert batch.X[20].tolist() == [20.0, 5.0, 17.0, 14.0, 8.0]
    assert batch.X[4].tolist() == [4.0, 4.0, 1.0, 0.0, 0.0]


def test_the_change_since_the_start_has_its_own_length() -> None:
    """The mean of so many rows is taken off."""
    X, y = np.arange(20.0)[:, None], np.zeros(20)
    batch = run_stages(batch_of(X, y), until="featurize", featurize={"since_start": True, "start_rows": 5})
    assert batch.X[10, 1] == 8.0


@pytest.mark.parametrize("regime", [(), ("v0",)])
def test_a_regime_is_taken_out(regime: tuple[str, ...]) -> None:
    """Inside its regime the sensor follows the wear, whatever tells regimes apart: all columns, or the given ones."""
    batch = batch_of(ROWS, WEAR, is_eval=np.arange(300) % 3 == 0)
    made = run_stages(replace(batch, regime=regime), until="featurize", featurize={"regimes": "kmeans", "n_regimes": 3})
    assert abs(np.corrcoef(ROWS[:, 1], WEAR)[0, 1]) < 0.2
    assert np.corrcoef(made.X[:, 1], WEAR)[0, 1] > 0.95


def test_regimes_are_found_in_training_rows_only() -> None:
    """Other evaluation rows change nothing in the training rows."""
    is_eval = np.arange(300) >= 200
    changed = ROWS.copy()
    changed[200:] *= 1e3
    wanted = {"regimes": "kmeans", "n_regimes": 3}
    made = [
        run_stages(batch_of(rows, WEAR, is_eval=is_eval), until="featurize", featurize=wanted).X[:200]
        for rows in (ROWS, changed)
    ]
    assert np.array_equal(*made)


def test_a_regime_column_that_cleaning_removed_is_an_error() -> None:
    """Not another one in silence."""
    batch = replace(batch_of(ROWS, WEAR), regime=("gone",))
    with pytest.raises(TrialError, match="no column of --regime"):
        run_stages(batch, until="featurize", featurize={"regimes": "kmeans"})


def test_constant_rows_are_one_regime() -> None:
    """And a spread of zero divides nothing."""
    state = fitted_regimes(np.full((50, 2), 3.0), np.arange(2), n_regimes=6, seed=0)
    assert len(state["centers"]) == 1
    assert (state["spread"] == 1.0).all()
    assert nearest(np.array([[0.0, 0.0]]), state["centers"]).tolist() == [0]


def test_windows_are_as_long_as_groups_allow() -> None:
    """All up to 128,000 rows are valid; usually a few hundred are searched."""
    space, long = (build_space(SearchSpaceSpec(), "test", task="regression", longest_window=n) for n in (50, 9000))
    for name, usual in (("featurize.window_rows", 300), ("featurize.long_rows", 2400), ("featurize.band_rows", 512)):
        assert space.hyperparameters[name].high == usual
        assert long.hyperparameters[name].high == 9000
    stage = STAGES.find("featurize")
    wanted = {"rolling": "all", "window_rows": 128_000, "exponential": True, "exponential_rows": 90_000}
    assert stage.checked("featurize", wanted, task="regression")["window_rows"] == 128_000
    X, y = RNG.normal(size=(50, 1)), RNG.normal(size=50)
    made = run_stages(batch_of(X, y), until="featurize", featurize=wanted)
    assert made.X[-1, made.names.index("v0_mean_128000")] == pytest.approx(X.mean())


def test_very_long_windows_have_no_onnx_form() -> None:
    """It would hold all of them at once."""
    stage = STAGES.find("featurize")
    params = stage.checked("featurize", {"rolling": "mean", "window_rows": 100_000}, task="regression")
    with pytest.raises(StudyError, match="have no ONNX form"):
        stage.onnx(OnnxGraph(), "rows", params=params, state=None)
