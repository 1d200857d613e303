"""The part of many rows that trials explore on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cemai_opt import optimize
from cemai_opt.core.study import SplitSpec
from cemai_opt.datasets import Dataset
from cemai_opt.datasets.demo import tool_wear_runs
from cemai_opt.pipeline import Splits, exploration, resolve_split
from cemai_opt.runs import RunFolder
from tests.pipeline.test_splits import data_of


def split_of(data: Dataset, explore_rows: int, by: str = "auto") -> Splits:
    """The split with this many rows to explore on."""
    spec, _ = resolve_split(data, SplitSpec(by=by, explore_rows=explore_rows))  # type: ignore[arg-type]  # of the choices
    return Splits.of(data, spec, seed=0)


@pytest.mark.parametrize("by", ["group", "time"])
def test_every_group_gives_a_stretch(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Successive rows, on both sides of the split, none of them a test row."""
    monkeypatch.setattr(exploration, "MIN_STRETCH", 50)
    data = data_of([1000] * 40)
    splits = split_of(data, 4000, by)
    assert splits.explored is not None
    assert splits.explored.sum() == pytest.approx(4000, rel=0.05)
    assert not (splits.explored & splits.test).any()
    assert splits.factor == pytest.approx((~splits.test).sum() / 4000, rel=0.05)
    for group in np.unique(data.group[splits.explored]):
        assert (np.diff(np.flatnonzero(splits.explored & (data.group == group))) == 1).all()
    assert len(np.unique(data.group[splits.explored])) == (32 if by == "group" else 40)
    for fold in splits.search:
        assert (fold.is_train & splits.explored).any()
        assert (fold.is_eval & splits.explored).any()


def test_a_single_group_is_explored_all_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """In stretches over all of its time."""
    monkeypatch.setattr(exploration, "MIN_STRETCH", 10)
    splits = split_of(data_of([20_000], has_groups=False), 2000)
    assert splits.explored is not None
    first_rows = np.flatnonzero(splits.explored & ~np.roll(splits.explored, 1))
    assert len(first_rows) > exploration.STRETCHES // 2
    assert first_rows.max() > 14_000
    shuffled = split_of(data_of([20_000], has_groups=False), 2000, "rows")
    assert shuffled.explored is not None
    assert shuffled.explored.sum() == 2000


def test_all_rows_are_explored_where_a_part_would_lack_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or where there are not more anyway."""
    monkeypatch.setattr(exploration, "MIN_STRETCH", 10)
    data = data_of([500] * 10, "classification")
    data = replace(data, y=(np.arange(5000) % 499 == 0).astype(float), classes=("0", "1"))
    assert split_of(data, 200).explored is None
    assert split_of(data_of([10] * 10), 1000).explored is None


@pytest.mark.parametrize(("n_rows", "explored"), [(1_000_000, 0), (1_000_001, exploration.EXPLORE_ROWS)])
def test_only_many_rows_are_explored_in_part_by_default(n_rows: int, explored: int) -> None:
    """Unless another number is given; 0 is all."""
    assert exploration.explore_rows(SplitSpec(), n_rows) == explored
    assert exploration.explore_rows(SplitSpec(explore_rows=0), n_rows) == 0
    assert exploration.explore_rows(SplitSpec(explore_rows=500), n_rows) == 500


def test_the_front_is_measured_on_all_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Trials ran on a part, with costs predicted for all; every member has run on all, and says nothing of a part."""
    rules = {"target": "tool_wear", "group": "run", "trials": 8, "explore_rows": 1500}
    with caplog.at_level("INFO", "cemai_opt"):
        optimize(tool_wear_runs(), out=tmp_path / "run", **rules)
    folder = RunFolder(tmp_path / "run")
    explored = [result for result in folder.results() if result.has_run]
    assert all(result.factor > 2.0 for result in explored)
    assert all("predicted from" in row.source for result in explored for row in result.cost.rows)
    members, measured = folder.front().members, {result.trial: result for result in folder.members().confirmed}
    assert members
    for member in members:
        result = measured[member.trial]
        assert not result.is_predicted
        assert not any("predicted from" in row.source for row in result.cost.rows)
        assert member.energy_j == pytest.approx(result.cost.energy_j)
    assert "predicted from a part of them" in caplog.text
