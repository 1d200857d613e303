"""Held-out units are those of scikit-learn's splitters."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    TimeSeriesSplit,
)

from cemai_opt.pipeline.holdouts import expanding, shuffled_folds, shuffled_holdout, stratified_folds

GROUPS = np.random.default_rng(0).integers(0, 23, 300) * 3
ROWS = np.arange(57)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_folds", [2, 3, 5])
def test_folds_of_groups_and_of_rows(n_folds: int, seed: int) -> None:
    """Fold by fold."""
    theirs = GroupKFold(n_folds, shuffle=True, random_state=seed).split(GROUPS, groups=GROUPS)
    for units, (_, held) in zip(shuffled_folds(GROUPS, n_folds, seed=seed), theirs, strict=True):
        assert set(units.tolist()) == set(GROUPS[held].tolist())
    theirs = KFold(n_folds, shuffle=True, random_state=seed).split(ROWS)
    for units, (_, held) in zip(shuffled_folds(ROWS, n_folds, seed=seed), theirs, strict=True):
        assert sorted(units.tolist()) == held.tolist()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_a_holdout_of_groups_and_of_rows(share: float, seed: int) -> None:
    """Of the same size, with the same members."""
    ((_, held),) = GroupShuffleSplit(1, test_size=share, random_state=seed).split(GROUPS, groups=GROUPS)
    assert set(shuffled_holdout(GROUPS, share, seed=seed).tolist()) == set(GROUPS[held].tolist())
    ((_, held),) = ShuffleSplit(1, test_size=share, random_state=seed).split(ROWS)
    assert shuffled_holdout(ROWS, share, seed=seed).tolist() == held.tolist()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n_folds", "n_classes"), [(2, 2), (5, 2), (4, 5)])
def test_stratified_folds_of_groups(n_folds: int, n_classes: int, seed: int) -> None:
    """With classes that cluster in groups, and with groups of one class."""
    rng = np.random.default_rng(seed)
    for y in ((GROUPS // 3 + rng.integers(0, 2, 300)) % n_classes, GROUPS // 3 % n_classes):
        theirs = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(GROUPS, y, GROUPS)
        for units, (_, held) in zip(stratified_folds(GROUPS, y, n_folds=n_folds, seed=seed), theirs, strict=True):
            assert set(units.tolist()) == set(GROUPS[held].tolist())


@pytest.mark.parametrize(("n", "n_folds"), [(10, 3), (57, 5), (1000, 7)])
def test_folds_in_time(n: int, n_folds: int) -> None:
    """Each with all rows before it."""
    theirs = [(len(learn), held[0], held[-1] + 1) for learn, held in TimeSeriesSplit(n_folds).split(np.arange(n))]
    assert [(begin, begin, end) for begin, end in expanding(n, n_folds)] == theirs


def test_more_folds_than_there_are_units_are_refused() -> None:
    """As are holdouts of everything, and folds without a row."""
    with pytest.raises(ValueError, match="5 folds of 3"):
        shuffled_folds(np.arange(3), 5, seed=0)
    with pytest.raises(ValueError, match="a holdout of 1 of 1"):
        shuffled_holdout(np.zeros(4, int), 0.2, seed=0)
    with pytest.raises(ValueError, match="no class has as many rows"):
        stratified_folds(np.arange(6), np.arange(6) % 2, n_folds=5, seed=0)
    with pytest.raises(ValueError, match="5 folds of 4 rows"):
        expanding(4, 5)
