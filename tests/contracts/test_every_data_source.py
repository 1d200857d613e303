"""What every data source promises of the data set that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.datasets import READERS, Dataset, load_stored, store

WEAR = {"target": "tool_wear", "group": "run", "time": "cut"}
SPECS: dict[str, dict[str, Any]] = {
    "tabular": WEAR,
    "demo": {},
    "piston_rod": WEAR,
    "broaching": WEAR,
    "broaching_demo": {"rows": 4000},
    "bosch_cnc": WEAR,
}


def spec_of(name: str, csv: Path) -> DataSpec:
    """What the source needs to be told; a new one gets an entry above."""
    path = str(csv) if "target" in SPECS[name] else None
    return DataSpec.model_validate({"source": name, "path": path, **SPECS[name]})


@pytest.fixture(params=READERS.names)
def data(request: pytest.FixtureRequest, wear_csv: Path) -> Dataset:
    """Each source, read."""
    return READERS.require(request.param)().read(spec_of(request.param, wear_csv), "regression")


def test_shapes_agree(data: Dataset) -> None:
    """A row has one value of everything; names and columns, groups and their numbers belong together."""
    n_rows, n_columns = data.X.shape
    assert all(array.shape == (n_rows,) for array in (data.y, data.group, data.order, data.is_test))
    assert len(data.names) == n_columns == len(data.schema.inputs)
    assert set(np.unique(data.group)) == set(range(len(data.group_names)))
    assert np.isfinite(data.y).any()
    assert not np.isinf(data.X).any()


def test_the_target_is_no_input(data: Dataset) -> None:
    """Nor are the columns of groups and time."""
    assert {data.schema.target, data.schema.group, data.schema.time}.isdisjoint(data.names)
    assert not any(np.array_equal(data.X[:, i], data.y) for i in range(data.X.shape[1]))


def test_rows_of_a_group_are_contiguous_and_in_time_order(data: Dataset) -> None:
    """So that windows of the past are slices."""
    changes = np.flatnonzero(np.diff(data.group)) + 1
    assert len(changes) == len(data.group_names) - 1
    for rows in np.split(data.order, changes):
        assert (np.diff(rows) >= 0).all()


@pytest.mark.parametrize("name", READERS.names)
def test_the_same_source_gives_the_same_digest(name: str, wear_csv: Path) -> None:
    """Read twice; another row changes it."""
    spec = spec_of(name, wear_csv)
    first, again = (READERS.require(name)().read(spec, "regression") for _ in range(2))
    assert first.digest == again.digest
    if spec.path is not None:
        frame = pd.read_csv(wear_csv)
        frame.loc[3, "tool_wear"] += 1e-9
        frame.to_csv(wear_csv, index=False)
        assert READERS.require(name)().read(spec, "regression").digest != first.digest


def test_a_stored_data_set_comes_back(data: Dataset, tmp_path: Path) -> None:
    """With every array, name and column."""
    again = load_stored(store(data, tmp_path))
    assert again.digest == data.digest
    assert (again.names, again.group_names, again.schema) == (data.names, data.group_names, data.schema)
    assert np.array_equal(again.X, data.X, equal_nan=True)
