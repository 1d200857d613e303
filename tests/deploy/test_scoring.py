"""Errors by unit, where there are many groups and where there are few."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cemai_opt.datasets import read_labelled_rows
from cemai_opt.deploy.export import Exported
from cemai_opt.deploy.model_folder import load_model
from cemai_opt.deploy.scoring import MIN_UNITS, scored
from cemai_opt.deploy.unit_errors import BLOCKS
from tests.deploy.conftest import export_of
from tests.finished import picked_with
from tests.updating.test_update import week


def exported(folder: Path) -> Exported:
    return export_of(picked_with("regression", "ridge"), folder / "model")


def test_models_are_compared_by_group_or_by_block(tmp_path: Path) -> None:
    """On the same rows with the same score, whatever the units."""
    model = load_model(exported(tmp_path).folder)
    rows = read_labelled_rows(week(tmp_path, 0, n_tools=6), model.schema, classes=())
    few = np.isin(rows.group, np.unique(rows.group)[: MIN_UNITS - 1])
    for wanted, n_units in ((rows.has_target, 6), (few, BLOCKS)):
        score, errors = scored(model, rows, wanted=wanted, paired=True)
        assert len(errors.sums) == n_units
        assert errors.n_rows == wanted.sum()
        alone, by_group = scored(model, rows, wanted=wanted)
        assert alone == score
        assert len(by_group.sums) == len(np.unique(rows.group[wanted]))
