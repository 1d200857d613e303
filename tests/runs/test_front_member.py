"""One pipeline of a front, with its cost."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace

import pytest

from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.core.study import ObjectiveSpec
from cemai_opt.runs import FrontMember
from cemai_opt.runs.front_member import stage_costs
from cemai_opt.testing.searches import study_of
from tests.results import J_PER_G, stage, trial

RESULT = trial(7, 0.5, 4.0, uncertainty_g=0.2, host="a", foreign_load=0.05, repeats_j=(1.0, 2.0, 6.0))
FINAL = trial(7, 0.4, 5.0, metrics={"r2": 0.4}, importances={"force": 1.0}, inference=stage("inference", 0.25))


def member(**changes: object) -> FrontMember:
    """The member of the result, with changes, and its test."""
    return FrontMember.of(study_of(), replace(RESULT, **changes), final=FINAL, ties=[3])  # type: ignore[arg-type]  # passed on


def test_stages_add_up_to_the_member() -> None:
    """In grams and joules; a stage that did not run has cost nothing."""
    found = member()
    assert sum(row.carbon_g for row in found.stages.values()) == pytest.approx(found.carbon_g) == pytest.approx(4.0)
    assert sum(row.energy_j for row in found.stages.values()) == pytest.approx(found.energy_j)
    assert found.stage_g("train") == pytest.approx(3.0)
    assert found.stage_g("explain") == 0.0


def test_a_member_knows_how_well_it_was_measured() -> None:
    """Uncertainty, repeats with their deviation, and foreign load up to a limit."""
    found = member()
    assert (found.uncertainty_g, found.repeats) == (pytest.approx(0.2), 3)
    assert found.deviation_g == pytest.approx(statistics.stdev([1.0, 2.0, 6.0]) / J_PER_G)
    assert member(repeats_j=(1.0,)).deviation_g is None
    assert not found.is_noisy
    assert member(foreign_load=0.5).is_noisy


def test_a_test_is_told_apart_from_the_search() -> None:
    """Its score, cost and importances are its own; predictions are measured there at the latest."""
    found = member()
    assert (found.validation, found.test, dict(found.importances)) == (0.5, 0.4, {"force": 1.0})
    assert found.final is not None
    assert found.final.carbon_g == pytest.approx(5.0)
    assert found.inference_g_per_1000 == pytest.approx(0.25)
    assert member(inference=stage("inference", 0.5)).inference_g_per_1000 == pytest.approx(0.5)


def test_a_member_without_a_test_has_none() -> None:
    """Neither a score nor importances."""
    found = FrontMember.of(study_of(), RESULT, final=None, ties=[])
    assert (found.test, found.final, dict(found.importances), found.inference_g_per_1000) == (None, None, {}, None)


def test_retraining_costs_a_whole_run_whatever_is_minimised() -> None:
    """The grams are those of the objective."""
    study = study_of().model_copy(update={"objective": ObjectiveSpec(of="train")})
    found = FrontMember.of(study, RESULT, final=None, ties=[])
    assert (found.carbon_g, found.retraining_g) == (pytest.approx(3.0), pytest.approx(4.0))


def test_a_member_travels_as_json() -> None:
    """With everything in it."""
    found = member()
    assert from_json(FrontMember, json.loads(json.dumps(to_json(found)))) == found


def test_a_stage_is_told_with_its_uncertainty_and_time() -> None:
    """One row each."""
    costs = stage_costs(study_of().carbon, RESULT.cost)
    assert list(costs) == ["clean", "train"]
    assert (costs["train"].uncertainty_g, costs["train"].duration_s) == (pytest.approx(0.2), 0.5)
