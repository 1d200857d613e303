"""All rows of a study as numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cemai_opt.datasets import Dataset

DATA = Dataset(
    X=np.array([[1.0], [np.nan], [3.0]]),
    y=np.array([0.0, np.nan, 1.0]),
    group=np.array([0, 0, 1]),
    order=np.array([0.0, 1.0, 0.0]),
    is_test=np.array([False, False, True]),
    names=("x",),
    group_names=("a", "b"),
    task="classification",
    classes=("no", "yes"),
)


@pytest.mark.parametrize(
    "changes",
    [
        {"X": DATA.X + 1e-9},
        {"y": np.array([0.0, 0.0, 1.0])},
        {"group": np.array([0, 1, 1])},
        {"is_test": np.array([False, True, True])},
        {"names": ("y",)},
        {"classes": ("yes", "no")},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_any_change_of_the_data_changes_its_digest(changes: dict[str, Any]) -> None:
    """A resumed run notices it."""
    assert replace(DATA, **changes).digest != DATA.digest


def test_the_same_data_has_the_same_digest() -> None:
    """However it lies in memory; what is only said of it does not count."""
    assert replace(DATA, X=np.asfortranarray(DATA.X), notes=("a note",)).digest == DATA.digest
    assert len(DATA.digest) == 12


def test_a_row_without_a_target_is_known() -> None:
    """It serves as history only."""
    assert DATA.has_target.tolist() == [True, False, True]
