"""Measurements as CodeCarbon writes them."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from cemai_opt.core.measurement import Cost
from cemai_opt.runs.emissions_csv import COLUMNS, emissions_rows
from cemai_opt.testing.searches import study_of
from tests.results import J_PER_G, stage, trial


def test_columns_are_those_of_codecarbon() -> None:
    """In its order, in the version that is installed."""
    from codecarbon.output_methods.emissions_data import EmissionsData

    assert [field.name for field in fields(EmissionsData)] == COLUMNS


def test_a_row_is_a_stage_in_kilograms_and_kilowatt_hours() -> None:
    """The devices add up to the whole."""
    train = replace(stage("train", 0.0), energy_j={"cpu": 3.6e6, "gpu0": 1.8e6, "gpu1": 1.8e6, "ram": 3.6e5})
    (row,) = emissions_rows(study_of(), trial(0, 0.5, 1.0, spent=Cost((train,))), run_id="trial-0-search")
    assert list(row) == COLUMNS
    assert (row["project_name"], row["run_id"], row["experiment_id"]) == ("formula", "trial-0-search", "train")
    assert (row["cpu_energy"], row["gpu_energy"]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert row["energy_consumed"] == pytest.approx(2.1)
    assert row["emissions"] == pytest.approx(2.1 * 400.0 / 1000)
    assert row["cpu_power"] == pytest.approx(3.6e6 / 0.5)
    assert row["emissions_rate"] == pytest.approx(row["emissions"] / 0.5)


def test_what_ran_is_written_and_not_what_one_fit_costs() -> None:
    """All folds."""
    spent = Cost((stage("clean", 1.0), stage("train", 5.0)))
    rows = list(emissions_rows(study_of(), trial(0, 0.5, 1.0, spent=spent), run_id=""))
    assert sum(row["energy_consumed"] for row in rows) * 3.6e6 / J_PER_G == pytest.approx(6.0)


def test_a_stage_without_a_duration_has_no_power() -> None:
    """Instead of an infinite one."""
    spent = Cost((replace(stage("split", 1.0), duration_s=0.0),))
    (row,) = emissions_rows(study_of(), trial(0, 0.5, 1.0, spent=spent), run_id="")
    assert (row["cpu_power"], row["emissions_rate"]) == (0.0, 0.0)
