"""What every engine promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cemai_opt import compose
from cemai_opt.core.errors import StudyError
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.engines import ENGINES, Engine
from cemai_opt.pipeline import build_pipeline
from tests.conftest import wear_study

STAGES = ("profile", "clean", "split", "scale", "sequentialize", "combine", "train", "evaluate")
TREES = Config({"train": {"model": "random_forest", "n_estimators": 20}})


@pytest.fixture(params=ENGINES.names)
def opened(request: pytest.FixtureRequest, wear_csv: Path, tmp_path: Path) -> Iterator[tuple[Engine, ResolvedStudy]]:
    """Each engine, open for a study of the twelve tools."""
    study = wear_study(wear_csv, split={"folds": 1}, engine={"name": request.param})
    prepared = compose.prepare(study).study
    engine = ENGINES.require(request.param).opened(prepared, tmp_path / "scratch")
    yield engine, prepared
    engine.close()


def test_a_plan_scores_the_same_everywhere(opened: tuple[Engine, ResolvedStudy]) -> None:
    """To the last digit what the pipeline gives in this process; with joules, and the machine they were read on."""
    engine, study = opened
    plan = TrialPlan(trial=7, study=study, config=TREES, phase="search", stages=STAGES, folds=1)
    assert engine.slots >= 1
    result = engine.run(plan).result()
    here = build_pipeline(study).run(plan)
    assert (result.trial, result.state, result.score) == (7, "complete", here.score)
    assert result.metrics == here.metrics
    assert result.host == here.host
    assert result.cost.energy_j > 0.0
    assert [row.stage for row in result.cost.rows] == [row.stage for row in here.cost.rows]


def test_a_bad_trial_is_a_failed_one_and_the_next_one_runs(opened: tuple[Engine, ResolvedStudy]) -> None:
    """The future of a trial that cannot run holds a result, with the reason, and no exception."""
    engine, study = opened
    bad = Config({"train": {"model": "ridge", "alpha": -5.0}})
    failed = engine.run(TrialPlan(trial=0, study=study, config=bad, phase="search", stages=STAGES, folds=1)).result()
    assert failed.state == "failed"
    assert "alpha" in failed.reason
    assert (
        engine.run(TrialPlan(trial=1, study=study, config=TREES, phase="search", stages=STAGES, folds=1))
        .result()
        .is_complete
    )


def test_what_no_trial_can_help_is_an_exception(opened: tuple[Engine, ResolvedStudy]) -> None:
    """A study that cannot be run is a fault of the study, and says what to do."""
    engine, study = opened
    split = study.split.model_copy(update={"folds": 40})
    impossible = study.model_copy(update={"split": split})
    with pytest.raises(StudyError, match="groups"):
        engine.run(TrialPlan(trial=0, study=impossible, config=TREES, phase="search", stages=STAGES, folds=1)).result()
