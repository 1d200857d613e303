"""The training set of all windows, or of some."""

from __future__ import annotations

import numpy as np
import pytest

from cemai_opt.core.batch import WindowRows
from cemai_opt.stages import combine
from cemai_opt.testing.batches import batch_of, run_stages

QUARTER = {"fraction": 0.25}


def test_more_windows_than_memory_allows_are_thinned_before_they_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """And that is said."""
    monkeypatch.setattr(combine, "MAX_VALUES", 600)
    X, y = np.arange(400.0).reshape(200, 2), np.arange(200.0)
    made = run_stages(batch_of(X, y), until="combine", sequentialize={"window_rows": 10})
    assert made.samples is not None
    assert made.samples.X.shape == (30, 10, 2)
    assert any("30 of 150 windows" in note for note in made.notes)
    whole = run_stages(batch_of(X, y), until="combine", sequentialize={"window_rows": 2})
    assert whole.samples is not None
    assert len(whole.samples.X) == 150
    assert not any("windows" in note for note in whole.notes)


def test_networks_read_more_windows_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """They learn the same from all of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    batch = batch_of(X, X[:, 0] + rng.normal(size=200))
    network = {"model": "dnn", "epochs": 5}
    predicted = []
    for limit in (10**9, 600):
        monkeypatch.setattr(combine, "MAX_VALUES", limit)
        made = run_stages(batch, sequentialize={"window_rows": 10}, train=network)
        assert made.samples is not None
        assert isinstance(made.samples.X, WindowRows) == (limit == 600)
        assert made.samples.X.shape == (150, 10, 2)
        assert not any("windows" in note for note in made.notes)
        assert made.prediction is not None
        predicted.append(made.prediction.value)
    assert np.array_equal(*predicted)


def test_a_share_of_a_series_is_its_newest_rows() -> None:
    """Of every group; of groups that are held out as wholes it is a random share."""
    y, group = np.arange(300.0), np.repeat([0, 1, 2], 100)
    drawn, newest = (
        run_stages(batch_of(y[:, None], y, group=group, is_series=is_series), until="combine", combine=QUARTER)
        for is_series in (False, True)
    )
    assert drawn.samples is not None
    assert newest.samples is not None
    assert newest.samples.y.tolist() == [*range(75, 100), *range(175, 200)]
    assert len(drawn.samples.y) == 50
    assert drawn.samples.y.min() < 50
    series = batch_of(y[:, None], y, group=group, is_series=True)
    few = run_stages(series, until="combine", combine={"fraction": 0.02})
    assert few.samples is not None
    assert few.samples.group.tolist() == [0] * 15 + [1] * 15
