"""What every stage promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cemai_opt.core.errors import StudyError
from cemai_opt.core.hyperparameters import Hyperparameter, Value
from cemai_opt.pipeline import stage_order
from cemai_opt.stages import STAGES
from cemai_opt.testing.batches import batch_of, run_stages

TEN = ["profile", "clean", "featurize", "split", "scale", "sequentialize", "combine", "train", "evaluate", "explain"]


def test_the_ten_stages_run_in_the_order_of_the_slides() -> None:
    """profile first, explain last."""
    assert list(stage_order(STAGES.names)) == TEN


@pytest.mark.parametrize("name", STAGES.names)
def test_hyperparameters_are_well_formed(name: str) -> None:
    """Defaults lie inside their ranges, conditions name a hyperparameter of the same stage."""
    hyperparameters = STAGES.find(name).hyperparameters()
    names = [hyperparameter.name for hyperparameter in hyperparameters]
    assert len(set(names)) == len(names)
    for hyperparameter in hyperparameters:
        assert hyperparameter.check(hyperparameter.default) == hyperparameter.default
        assert hyperparameter.when is None or hyperparameter.when[0] in names


@pytest.mark.parametrize("name", STAGES.names)
def test_an_unknown_hyperparameter_is_an_error_that_names_the_stage(name: str) -> None:
    """Nothing is ignored in silence."""
    with pytest.raises(StudyError, match=f"stage '{name}' has no hyperparameter 'nonsense'"):
        STAGES.find(name).checked(name, {"nonsense": 1}, task="regression")


def values_of(hyperparameter: Hyperparameter) -> st.SearchStrategy[Value]:
    """Any value that a hyperparameter can take."""
    if hyperparameter.choices:
        return st.sampled_from(hyperparameter.choices)
    if hyperparameter.is_integer:
        return st.integers(int(hyperparameter.low), int(hyperparameter.high))
    return st.floats(hyperparameter.low, hyperparameter.high)


LONGEST = {
    "window_rows": 12, "long_rows": 24, "exponential_rows": 6, "difference_rows": 12, "lag_rows": 5, "start_rows": 8,
    "band_rows": 16,
}  # fmt: skip
"""Numbers of rows of features that a test with groups of a few dozen rows can tell apart."""
UPSTREAM = [name for name in TEN[: TEN.index("combine") + 1] if STAGES.find(name).hyperparameters()]


def drawn_stages(data: st.DataObject) -> dict[str, dict[str, Value]]:
    """Any hyperparameters of the stages before training, with short windows."""
    stages = {
        stage: {
            hyperparameter.name: data.draw(values_of(hyperparameter), f"{stage}.{hyperparameter.name}")
            for hyperparameter in STAGES.find(stage).hyperparameters()
        }
        for stage in UPSTREAM
    }
    features = stages["featurize"]
    features.update({name: min(int(features[name]), longest) for name, longest in LONGEST.items()})
    return stages


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_configuration_loses_a_row_or_lets_the_future_in(data: st.DataObject) -> None:
    """Whatever the hyperparameters: every evaluation row stays, and windows of the past ignore what comes later."""
    params = drawn_stages(data)
    rng = np.random.default_rng(0)
    X, group = rng.normal(size=(90, 3)), np.repeat([0, 1, 2], 30)
    X[rng.random(X.shape) < 0.1] = np.nan
    y = rng.normal(size=90)
    before = run_stages(batch_of(X, y, group=group), until="combine", **params)
    changed = X.copy()
    changed[75:] = 1e3 * rng.normal(size=changed[75:].shape)  # the later half of the evaluation group
    after = run_stages(batch_of(changed, y, group=group), until="combine", **params)
    assert before.eval_rows.tolist() == list(range(60, 90))
    assert before.names == after.names
    assert before.windows is not None
    assert after.windows is not None
    past = np.arange(60, 75)
    assert np.array_equal(before.windows.take(past), after.windows.take(past))
    assert before.samples is not None
    assert after.samples is not None
    assert np.array_equal(before.samples.X, after.samples.X)
    assert set(before.samples.group) <= {0, 1}


def test_thinning_counts_rows_that_can_be_learnt_from() -> None:
    """Where only every tenth row has a target, a stride of two still keeps half of those."""
    X, y = np.random.default_rng(0).normal(size=(200, 2)), np.full(200, np.nan)
    y[9::10] = 1.0
    y[19::20] = 2.0
    batch = run_stages(batch_of(X, y), until="sequentialize", sequentialize={"stride": 2})
    assert len(batch.train_rows) == 8


@pytest.mark.parametrize("name", STAGES.names)
def test_a_stage_foretells_how_much_there_is_to_learn_from(name: str) -> None:
    """Without reading a row: a positive factor for its defaults."""
    stage = STAGES.require(name)
    assert stage.volume(stage.checked(name, {}, task="regression")) > 0.0
