"""Scores pooled over folds, and how uncertain they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, r2_score

from cemai_opt.core.result import ScoredRows
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.pipeline.validation import MIN_BLOCKS, blocks_of, pooled_score
from cemai_opt.testing.searches import study_of

RNG = np.random.default_rng(0)


def rows(n: int, groups: Any, *, noise: float) -> ScoredRows:
    """Targets with predictions that miss them by this much."""
    y = RNG.normal(size=n)
    return ScoredRows(y=y, group=np.repeat(groups, n // len(groups)), value=y + noise * RNG.normal(size=n))


def test_rows_of_all_folds_are_scored_together() -> None:
    """Pooled, not the mean of the folds; with one score without each group."""
    parts = [rows(40, [0, 1], noise=0.1), rows(60, [2, 3, 4], noise=2.0)]
    score = pooled_score(parts, study_of())
    y, value, group = (np.concatenate([getattr(p, key) for p in parts]) for key in ("y", "value", "group"))
    assert score.score == score.metrics["r2"] == pytest.approx(r2_score(y, value))
    assert score.without == pytest.approx([r2_score(y[group != g], value[group != g]) for g in range(5)])
    assert score.error > 0.1
    assert score.threshold is None


def test_what_is_left_without_a_block_may_have_targets_that_are_all_alike() -> None:
    """Then there is no spread to divide by, and R2 is what scikit-learn says; elsewhere a large offset does no harm."""
    y = np.array([0.0, 1.0, 2.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0])
    group = np.repeat([0.0, 1.0, 2.0], 3)
    score = pooled_score([ScoredRows(y=y[:6], group=group[:6], value=y[:6] + 0.1)], study_of())
    blocks = blocks_of(group[:6].astype(int))
    assert len(score.without) == blocks.max() + 1
    far = pooled_score([ScoredRows(y=y + 1e7, group=np.arange(9.0), value=y + 1e7 + 0.1)], study_of())
    near = pooled_score([ScoredRows(y=y, group=np.arange(9.0), value=y + 0.1)], study_of())
    assert far.without == pytest.approx(near.without, rel=1e-6)
    alike = pooled_score(
        [ScoredRows(y=np.array([1.0, 1.0, 1.0, 1.0, 7.0]), group=np.arange(5.0), value=np.full(5, 1.0))], study_of()
    )
    assert alike.without[4] == 1.0


def test_a_threshold_is_chosen_on_all_rows() -> None:
    """And it is the same without each group."""
    n, y = 80, np.tile([0.0, 1.0], 40)
    positive = 0.3 * y + RNG.uniform(0.0, 0.25, n)
    part = ScoredRows(
        y=y, group=np.repeat(np.arange(4.0), 20), value=np.zeros(n), by_class=np.stack([1 - positive, positive], axis=1)
    )
    study = ResolvedStudy.model_validate({**study_of().to_json(), "task": "classification", "score": "f1"})
    score = pooled_score([part], study)
    assert score.threshold is not None
    assert 0.2 < score.threshold < 0.35
    assert score.score == f1_score(y, positive > score.threshold) == 1.0
    assert score.without == (1.0,) * 4


def test_few_groups_are_cut_into_blocks_of_time() -> None:
    """Of equal size, in the order of their rows; many groups are taken together."""
    assert len(np.unique(blocks_of(np.repeat([5, 6], 40)))) == MIN_BLOCKS
    assert np.bincount(blocks_of(np.zeros(40, int))).tolist() == [5] * MIN_BLOCKS
    assert (np.diff(blocks_of(np.zeros(40, int))) >= 0).all()
    assert blocks_of(np.arange(4)).tolist() == [0, 1, 2, 3]
    assert len(np.unique(blocks_of(np.arange(100)))) == 20
