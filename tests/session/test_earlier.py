"""What a new session knows of those before it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from cemai_opt.compose import PreparedStudy, prepare
from cemai_opt.core.errors import StudyError
from cemai_opt.core.ledger_entry import joules_by
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import MODEL, SearchSpaceSpec
from cemai_opt.runs import RunFolder
from cemai_opt.search import CONFIRM, DRIVER, FINAL, LOST
from cemai_opt.session.earlier import earlier_sessions, in_space_of_run
from cemai_opt.spaces import build_space
from cemai_opt.testing.searches import cost_of
from tests.conftest import wear_study
from tests.finished import finished_run


@pytest.fixture
def prepared(wear_csv: Path) -> PreparedStudy:
    """The twelve tools."""
    return prepare(wear_study(wear_csv, engine={"name": "in_process"}))


def result(prepared: PreparedStudy, trial: int, spent_j: float) -> TrialResult:
    """A complete ridge."""
    config, spent = prepared.space.active({"train.model": "ridge"}), cost_of(spent_j)
    return TrialResult(trial=trial, state="complete", config=config, cost=spent, spent=spent, score=0.5)


def begun(folder: RunFolder, prepared: PreparedStudy) -> RunFolder:
    """A run that was killed after two trials of 2 and 3 J; the driver had spent 5 J then."""
    with folder.writing(prepared.study, prepared.locked_space):
        folder.append(prepared.study, result(prepared, 0, 2.0), driver_j=1.0)
        folder.append(prepared.study, result(prepared, 1, 3.0), driver_j=5.0)
    return folder


def test_a_new_run_has_no_past(prepared: PreparedStudy, tmp_path: Path) -> None:
    """Nothing is read, nothing is written."""
    earlier = earlier_sessions(prepared, RunFolder(tmp_path / "run"))
    assert (list(earlier.results), list(earlier.ledger), list(earlier.footprints)) == ([], [], [])
    assert not (tmp_path / "run").exists()


def test_the_past_of_a_killed_session_is_in_its_trials(prepared: PreparedStudy, tmp_path: Path) -> None:
    """Results, what they spent, and what the driver had spent when the last of them was written."""
    earlier = earlier_sessions(prepared, begun(RunFolder(tmp_path / "run"), prepared))
    assert list(earlier.results) == [result(prepared, 0, 2.0), result(prepared, 1, 3.0)]
    assert joules_by("entry", earlier.ledger) == {"complete": 5.0, DRIVER: 5.0}


def test_rounding_is_not_lost_work(prepared: PreparedStudy, tmp_path: Path) -> None:
    """Sums in another order differ in their last digits."""
    folder = begun(RunFolder(tmp_path / "run"), prepared)
    folder.keep_spent(10.0 + 1e-9)
    assert LOST not in joules_by("entry", earlier_sessions(prepared, folder).ledger)


def test_what_was_spent_on_unfinished_work_is_lost_but_counted(prepared: PreparedStudy, tmp_path: Path) -> None:
    """The last total was 30 J: 5 of trials, 5 of the driver, 20 of a trial that never ended."""
    folder = begun(RunFolder(tmp_path / "run"), prepared)
    folder.keep_spent(30.0)
    ledger = joules_by("entry", earlier_sessions(prepared, folder).ledger)
    assert ledger == {"complete": 5.0, LOST: 20.0, DRIVER: 5.0}


def test_confirmed_trials_come_beside_those_of_the_search(prepared: PreparedStudy, tmp_path: Path) -> None:
    """A search goes on from what it saw itself; what is added later is written to the folder."""
    folder = begun(RunFolder(tmp_path / "run"), prepared)
    measured = replace(result(prepared, 1, 3.0), cost=cost_of(2.5), repeats_j=(2.0, 3.0))
    folder.keep_members({1: measured}, {})
    earlier = earlier_sessions(prepared, folder)
    assert list(earlier.results) == [result(prepared, 0, 2.0), result(prepared, 1, 3.0)]
    assert dict(earlier.members.measured) == {1: measured}


def test_a_finished_run_is_known_with_its_ledger_and_footprint() -> None:
    """All that its summary has: measuring again and testing included."""
    folder = RunFolder(finished_run("regression").path)
    again = prepare(folder.study())
    earlier = earlier_sessions(again, folder)
    written = joules_by("entry", folder.ledger())
    known = joules_by("entry", earlier.ledger)
    assert {CONFIRM, FINAL, DRIVER} <= known.keys()
    assert sum(known.values()) == pytest.approx(sum(written.values()), rel=1e-6)
    assert len(earlier.footprints) == len(folder.summary().footprint.sessions) == 1


def test_other_rows_or_another_space_are_refused(prepared: PreparedStudy, tmp_path: Path) -> None:
    """Results of both in one front would not be comparable."""
    folder = begun(RunFolder(tmp_path / "run"), prepared)
    other_rows = replace(prepared, data=replace(prepared.data, y=prepared.data.y + 1.0))
    with pytest.raises(StudyError, match="the data has changed"):
        earlier_sessions(other_rows, folder)
    narrower = build_space(SearchSpaceSpec(models=("ridge",)), "test", task="regression")
    with pytest.raises(StudyError, match="the search space has changed"):
        in_space_of_run(replace(prepared, space=narrower), folder)


def test_a_run_goes_on_in_its_own_space_when_the_product_has_grown(prepared: PreparedStudy, tmp_path: Path) -> None:
    """Models, hyperparameters and choices that its first session did not know keep out, at their defaults."""
    before = build_space(SearchSpaceSpec(), "test", task="regression")
    prepared = replace(prepared, space=before, space_spec=SearchSpaceSpec())
    trend = replace(before.hyperparameters["featurize.trend"], choices=("none", "gradient"))
    kept = {n: h for n, h in before.hyperparameters.items() if n != "scale.input" and not n.startswith("xgboost.")}
    models = replace(kept[MODEL], choices=tuple(m for m in before.models if m != "xgboost"))
    before = replace(before, hyperparameters={**kept, MODEL: models, "featurize.trend": trend})
    folder = begun(RunFolder(tmp_path / "run"), replace(prepared, space=before))
    space = in_space_of_run(prepared, folder).space
    assert space.models == before.models
    assert space.hyperparameters["featurize.trend"].choices == ("none", "gradient")
    assert not space.hyperparameters["scale.input"].searched
    assert not any(name.startswith("xgboost.") for name in space.hyperparameters)
    wished = replace(prepared, space_spec=SearchSpaceSpec(models=("ridge", "xgboost")))
    with pytest.raises(StudyError, match="the search space has changed"):
        in_space_of_run(wished, folder)


def test_a_finished_run_has_noted_all_that_it_spent() -> None:
    """Not only what it had spent when it noted it last: a resumed run starts from there."""
    folder = RunFolder(finished_run("regression").path)
    assert folder.last_spent_j() == pytest.approx(math.fsum(row.energy_j for row in folder.ledger()))
