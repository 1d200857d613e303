"""A fitted pipeline on new rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cemai_opt.core.batch import MARGIN
from cemai_opt.core.errors import TrialError
from cemai_opt.datasets import NewRows
from cemai_opt.stages import STAGES, _rolling
from tests.contracts.test_every_stage import drawn_stages
from tests.deploy.conftest import N_GROUPS, fitted, rows_with_gaps


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_predictions_are_those_of_training_whatever_the_stages(data: st.DataObject) -> None:
    """On the same rows to the last bit: alone, beside other groups, in small blocks, in a file without any order."""
    stages = drawn_stages(data)
    X, y, group = rows_with_gaps()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_rolling, "RESTART_ROWS", 16)
        scorer, trained = fitted(X, y, group, **stages)
        last = group == N_GROUPS - 1
        assert np.array_equal(trained, scorer.predict(X[last], group[last]).value)
        shuffled = np.random.default_rng(1).permutation(len(X))
        stored = NewRows(X=X[shuffled], group=group[shuffled], order=np.arange(len(X), dtype=float)[shuffled], notes=())
        for block_rows in (3, 7, 40, 200, 1000):
            got = np.full(len(X), np.nan)
            for numbers, prediction in scorer.predict_stored(stored, block_rows):
                assert np.isnan(got[numbers]).all()
                got[numbers] = prediction.value
            assert np.array_equal(trained, got[np.argsort(shuffled)][last])


@pytest.mark.parametrize("name", [name for name in STAGES.names if STAGES.find(name).is_for_new_rows])
def test_a_stage_that_knows_enough_learns_nothing_more(name: str) -> None:
    """New rows are treated by what the training rows taught, whatever their own mean and range."""
    X, y, group = rows_with_gaps()
    scorer, _ = fitted(X, y, group, scale={"input": "minmax"})
    one = X[:1] * 1e3
    far = np.vstack([one, X[1:] * 1e6])
    together = scorer.prepared(far, np.arange(len(far)))
    assert np.array_equal(together.X[0], scorer.prepared(one, np.zeros(1, int)).X[0])
    assert name in [step.name for step in scorer.steps]


def test_a_scaled_target_comes_back_in_its_own_unit() -> None:
    """Shift and factor survive the files."""
    X, y, group = rows_with_gaps()
    scorer, trained = fitted(X, 1e3 + 50 * y, group, scale={"input": "standard", "target": "standard"})
    last = group == N_GROUPS - 1
    assert np.array_equal(trained, scorer.predict(X[last], group[last]).value)
    assert abs(trained.mean() - 1e3) < 100


def test_a_target_that_is_a_product_is_learned_as_a_sum() -> None:
    """A linear model of its logarithm is right where one of the target itself is not, and never infinite."""
    X, _, group = rows_with_gaps()
    X = np.nan_to_num(X)
    y = np.exp(X[:, 0] + 0.5 * X[:, 1])
    last = group == N_GROUPS - 1

    def error(target: str) -> float:
        _, predicted = fitted(X, y, group, scale={"target": target})
        return float(np.abs(predicted / y[last] - 1.0).max())

    assert error("log") < 0.1 < 0.5 < error("none")
    scorer, _ = fitted(X, y, group, scale={"target": "log"})
    assert scorer.predict(X[last] * 1e4, group[last]).value.max() == pytest.approx(MARGIN * y[~last].max())


def test_targets_without_a_logarithm_cost_a_trial_its_score_at_most() -> None:
    """Some of them count as small; if there are no others, the trial fails with the reason."""
    X, y, group = rows_with_gaps()
    _, predicted = fitted(X, np.where(np.arange(len(y)) % 5 == 0, 0.0, np.abs(y) + 1.0), group, scale={"target": "log"})
    assert (predicted > 0.0).all()
    with pytest.raises(TrialError, match="above 0"):
        fitted(X, -np.abs(y), group, scale={"target": "log"})
