"""Generated tool wear."""

from __future__ import annotations

import pandas as pd
import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.datasets import READERS
from cemai_opt.datasets.demo import WORN_MM, tool_wear_runs


def test_the_same_seed_gives_the_same_frame() -> None:
    """Another seed gives another one, with the same columns."""
    runs = tool_wear_runs(n_runs=5, seed=1)
    pd.testing.assert_frame_equal(runs, tool_wear_runs(n_runs=5, seed=1))
    other = tool_wear_runs(n_runs=5, seed=2)
    assert list(other.columns) == list(runs.columns)
    assert not runs.equals(other)


def test_more_tools_do_not_change_the_first_ones() -> None:
    """A small demonstration is a part of a large one."""
    small, large = tool_wear_runs(n_runs=3), tool_wear_runs(n_runs=6)
    pd.testing.assert_frame_equal(large[: len(small)], small)
    assert large["run"].nunique() == 6


def test_wear_rises_to_the_end_of_a_tools_life() -> None:
    """One row for each cut; no two tools last equally long."""
    by_run = tool_wear_runs().groupby("run")
    assert by_run["tool_wear"].apply(lambda wear: wear.is_monotonic_increasing).all()
    assert by_run["tool_wear"].last().between(WORN_MM - 0.1, WORN_MM + 0.1).all()
    assert by_run["cut"].apply(lambda cuts: cuts.tolist() == list(range(len(cuts)))).all()
    assert by_run.size().nunique() > 10


def test_sensors_look_like_sensors() -> None:
    """With gaps, a constant channel, and forces that follow the depth of cut."""
    runs = tool_wear_runs()
    assert runs["coolant"].nunique() == 1
    assert 0.005 < runs["force_c"].isna().mean() < 0.02
    assert runs["force_f"].corr(runs["depth"]) > 0.5
    assert not runs[["run", "cut", "speed", "tool_wear"]].isna().any().any()


@pytest.mark.parametrize("target", [None, "force_c"])
def test_the_reader_knows_its_own_columns(target: str | None) -> None:
    """A study may name another target, and nothing else."""
    data = READERS.find("demo")().read(DataSpec(source="demo", target=target), "regression")
    assert data.schema.target == (target or "tool_wear")
    assert (data.schema.group, data.schema.time) == ("run", "cut")
    assert data.has_groups
    assert data.has_time
