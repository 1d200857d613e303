"""A trial that is watched: its curve, and when it is ended."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cemai_opt import compose
from cemai_opt.core.batch import Prediction, Task
from cemai_opt.core.errors import TrialEndedError
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.pruning_bounds import PruningBounds
from cemai_opt.core.result import COMPLETE, PRUNED, TrialResult, curve_candidate
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.pipeline import Pipeline, build_pipeline
from cemai_opt.pipeline import cache as stage_cache
from cemai_opt.pipeline.early_stopping import EarlyStopping
from cemai_opt.pipeline.recorder import CACHE, CHECKPOINTS, Recording
from cemai_opt.testing.searches import study_of

BOOSTED = {"model": "xgboost", "n_estimators": 60, "learning_rate": 0.1}


@pytest.fixture(scope="module")
def prepared() -> compose.PreparedStudy:
    """The demo, in two folds."""
    study = compose.load_study("demo")
    split = study.split.model_copy(update={"folds": 2})
    return compose.prepare(study.model_copy(update={"split": split}))


@pytest.fixture
def kept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages of a few milliseconds are kept, too."""
    monkeypatch.setattr(stage_cache, "MIN_GAIN_S", 0.0)
    monkeypatch.setattr(stage_cache, "LOAD_BYTES_PER_S", math.inf)


@pytest.fixture(scope="module")
def pipeline(prepared: compose.PreparedStudy) -> Pipeline:
    """The demo's pipeline."""
    return build_pipeline(prepared.study)


def plan_of(
    prepared: compose.PreparedStudy, bounds: PruningBounds | None, cache: Path | None = None, **train: object
) -> TrialPlan:
    """A trial of the demo."""
    params = {f"xgboost.{k}" if k != "model" else "train.model": v for k, v in {**BOOSTED, **train}.items()}
    space = prepared.space
    params |= {"featurize.rolling": "mean_std_range", "featurize.window_rows": 90}
    config = space.active(space.complete(params))  # type: ignore[arg-type]  # hand-made
    stages = tuple(name for name in space.stages if name != "explain")
    return TrialPlan(
        trial=0,
        study=prepared.study,
        config=config,
        phase="search",
        stages=stages,
        folds=2,
        bounds=bounds,
        cache=str(cache) if cache else None,
    )


def test_a_point_of_a_curve_is_what_the_smaller_model_would_have_been(
    prepared: compose.PreparedStudy, pipeline: Pipeline
) -> None:
    """Run by itself it scores the same to the last digit, and costs the same within what repeats differ by."""
    watched = pipeline.run(plan_of(prepared, PruningBounds()))
    assert watched.state == COMPLETE
    assert watched.curve is not None
    assert [point.size for point in watched.curve.points] == [10, 15, 22, 34, 51]
    child = curve_candidate(watched, watched.curve.points[2], trial=7)
    assert (child.parent, child.trial, child.spent) == (0, 7, Cost())
    alone = pipeline.run(plan_of(prepared, None, n_estimators=22))
    assert child.config == alone.config
    assert child.score == alone.score
    repeats = [pipeline.run(plan_of(prepared, None, n_estimators=22)).cost.energy_j for _ in range(2)]
    watched_again = [pipeline.run(plan_of(prepared, PruningBounds())) for _ in range(2)]
    children = [curve_candidate(each, each.curve.points[2], trial=7) for each in watched_again if each.curve]
    least = min(each.cost.energy_j for each in (child, *children))  # other work on the machine only adds to either
    assert least == pytest.approx(min(alone.cost.energy_j, *repeats), rel=0.5)
    whole = pipeline.run(plan_of(prepared, None))
    assert whole.score == watched.score
    assert [row.stage for row in watched.cost.rows] == [row.stage for row in whole.cost.rows]
    assert CHECKPOINTS in {row.stage for row in watched.spent.rows}
    assert watched.spent.energy_j > 2 * watched.cost.energy_j


@pytest.mark.usefixtures("kept_at_once")
def test_the_cache_changes_what_is_spent_and_nothing_else(
    prepared: compose.PreparedStudy, pipeline: Pipeline, tmp_path: Path
) -> None:
    """Score, stages and recorded joules of a cached trial are those of the one that filled the cache."""
    without = pipeline.run(plan_of(prepared, None))
    first = pipeline.run(plan_of(prepared, None, tmp_path))
    second = pipeline.run(plan_of(prepared, None, tmp_path, learning_rate=0.2))
    again = pipeline.run(plan_of(prepared, None, tmp_path))
    assert without.score == first.score == again.score
    rows = {row.stage: row.total_j for row in first.cost.rows}
    for cached in (second, again):
        assert [row.stage for row in cached.cost.rows] == [row.stage for row in without.cost.rows]
        assert {row.stage: row.total_j for row in cached.cost.rows}["featurize"] == rows["featurize"]
        spent = {row.stage for row in cached.spent.rows}
        assert CACHE in spent
        assert "featurize" not in spent


@pytest.mark.usefixtures("kept_at_once")
def test_another_fold_another_seed_another_result(
    prepared: compose.PreparedStudy, pipeline: Pipeline, tmp_path: Path
) -> None:
    """Two folds do not share what one of them has learned."""
    pipeline.run(plan_of(prepared, None, tmp_path))
    n_entries = len(list(tmp_path.iterdir()))
    assert n_entries >= 2
    plan = plan_of(prepared, None, tmp_path)
    pipeline.run(replace(plan, study=plan.study.model_copy(update={"seed": 1})))
    assert len(list(tmp_path.iterdir())) == 2 * n_entries


def test_a_too_expensive_trial_ends_with_what_it_has(prepared: compose.PreparedStudy, pipeline: Pipeline) -> None:
    """Its points so far can become curve candidates; what it spent is known."""
    runs = [pipeline.run(plan_of(prepared, PruningBounds())) for _ in range(3)]  # other work only adds to their cost
    third = min(curve_candidate(run, run.curve.points[2], trial=1).cost.energy_j for run in runs if run.curve)
    whole = max(runs, key=lambda run: run.spent.energy_j)
    assert whole.curve is not None
    ended = pipeline.run(plan_of(prepared, PruningBounds(cap_j=third)))
    assert ended.state == PRUNED
    assert "the cap for now" in ended.reason
    assert ended.score is None
    assert ended.curve is not None
    assert 1 <= len(ended.curve.points) <= 4
    assert ended.curve.points[0].score == whole.curve.points[0].score
    assert 0.0 < ended.spent.energy_j < whole.spent.energy_j


def test_a_trial_that_is_too_expensive_before_training_does_not_train(
    prepared: compose.PreparedStudy, pipeline: Pipeline
) -> None:
    """Features alone can cost too much."""
    ended = pipeline.run(plan_of(prepared, PruningBounds(cap_j=1e-6)))
    assert ended.state == PRUNED
    assert "train" not in {row.stage for row in ended.spent.rows}


def test_a_budget_ends_the_trial_at_its_next_checkpoint(prepared: compose.PreparedStudy, pipeline: Pipeline) -> None:
    """And starts no further fold."""
    ended = pipeline.run(plan_of(prepared, PruningBounds(spend_j=1e-9)))
    assert ended.state == PRUNED
    assert "budget" in ended.reason
    late = pipeline.run(plan_of(prepared, PruningBounds(spend_s=0.0)))
    assert "time" in late.reason


def test_a_hopeless_first_fold_ends_the_others(prepared: compose.PreparedStudy, pipeline: Pipeline) -> None:
    """Where no earlier trial gained more than a tenth on its first fold, and a better one costs less."""
    ended = pipeline.run(plan_of(prepared, PruningBounds(front=((1e-9, 0.9999),), fold_ratio=0.9)))
    assert ended.state == PRUNED
    assert "first fold" in ended.reason
    whole = pipeline.run(plan_of(prepared, PruningBounds()))
    assert ended.spent.energy_j < 0.8 * whole.spent.energy_j
    unknown = pipeline.run(plan_of(prepared, PruningBounds(front=((1e-9, 0.9999),))))
    assert unknown.state == COMPLETE


class Curves:
    """Stands for a recorder: each unit of size costs a joule."""

    factor = 1.0

    def __init__(self) -> None:
        self.sizes: list[int] = []

    @contextmanager
    def aside(self, name: str, size: int | None = None) -> Iterator[None]:
        """Nothing is measured."""
        yield

    def recording(self) -> Recording:
        """As far as the model has grown."""
        points = {size: (row("train", float(size)), row("evaluate", 0.0)) for size in self.sizes}
        cost = Cost((row("train", float(self.sizes[-1])),)) if self.sizes else Cost()
        return Recording(spent=cost, cost=cost, points=points)


def row(stage: str, joules: float) -> Measurement:
    """A row of so many joules."""
    return Measurement(
        stage=stage, duration_s=joules, cpu_s=joules, energy_j={"cpu": joules}, uncertainty_j=0.0, source="test"
    )


def ended_at(bounds: PruningBounds, curve: dict[int, float], full: int = 100) -> int | None:
    """The size at which a model with this curve is ended; None where it grows to its end."""
    study = study_of()
    plan = TrialPlan(
        trial=0,
        study=study,
        config=Config({"train": {"model": "xgboost"}}),
        phase="search",
        stages=(),
        folds=1,
        bounds=bounds,
    )
    early_stopping, recorder = (
        EarlyStopping(plan, Task(kind="regression", score="r2"), full_size=full, clock=lambda: 0.0),
        Curves(),
    )
    early_stopping.begin_fold(recorder)  # type: ignore[arg-type]  # has what EarlyStopping asks for
    for size, score in curve.items():
        recorder.sizes.append(size)
        seen = SimpleNamespace(
            prediction=Prediction(np.empty(0)),
            metrics={"r2": score},
            y=np.empty(0),
            group=np.empty(0, int),
            eval_rows=[],
            X=[0],
        )
        if not early_stopping.at_checkpoint(seen, size, evaluate=lambda batch: batch):  # type: ignore[arg-type]  # what it reads is there
            return size
    return None


FLAT = {10: 0.1, 20: 0.11, 40: 0.11, 80: 0.11}
RISING = {10: 0.1, 20: 0.3, 40: 0.6, 80: 0.85}
LATE = {10: 0.0, 20: 0.0, 40: 0.01, 80: 0.9}
BETTER = PruningBounds(front=((5.0, 0.8),), loss_factors=((0.0, 0.5), (0.15, 0.8)))


@pytest.mark.parametrize(
    ("bounds", "curve", "expected"),
    [
        (PruningBounds(), FLAT, None),
        (PruningBounds(front=((5.0, 0.8),)), FLAT, None),
        (BETTER, FLAT, 20),
        (BETTER, RISING, None),
        (PruningBounds(front=((5.0, 0.8),), loss_factors=((0.0, 0.05), (0.35, 0.1))), LATE, None),
        (BETTER, LATE, 20),
        (PruningBounds(front=((500.0, 0.8),), loss_factors=((0.0, 0.9),)), FLAT, None),
        (PruningBounds(cap_j=30.0), RISING, 40),
    ],
    ids=[
        "nothing is known",
        "no earlier curve",
        "flat, and a better one is cheaper",
        "rising fast by itself",
        "a late bloomer, and late bloomers are known",
        "a late bloomer, the first of its family after early ones",
        "all better ones are more expensive",
        "too expensive",
    ],
)
def test_when_a_curve_is_ended(bounds: PruningBounds, curve: dict[int, float], expected: int | None) -> None:
    """Only where no point that it can still reach could be on the front, as far as earlier curves tell."""
    assert ended_at(bounds, curve) == expected


def test_no_fold_begins_on_an_empty_budget(prepared: compose.PreparedStudy) -> None:
    """The reason is that of the fold before."""
    plan = plan_of(prepared, PruningBounds(spend_j=5.0))
    early_stopping, recorder = (
        EarlyStopping(plan, Task(kind="regression", score="r2"), full_size=100, clock=lambda: 0.0),
        Curves(),
    )
    early_stopping.begin_fold(recorder)  # type: ignore[arg-type]  # has what EarlyStopping asks for
    recorder.sizes.append(10)
    seen = SimpleNamespace(prediction=Prediction(np.empty(0)), metrics={"r2": 0.5}, y=[], eval_rows=slice(0), X=[0])
    seen.group = np.empty(0, int)
    seen.y = np.empty(0)
    assert not early_stopping.at_checkpoint(seen, 10, evaluate=lambda batch: batch)  # type: ignore[arg-type]  # what it reads is there
    early_stopping.end_fold(recorder.recording())
    with pytest.raises(TrialEndedError, match="budget"):
        early_stopping.begin_fold(recorder)  # type: ignore[arg-type]  # the same


def test_results_with_curves_travel_as_json(prepared: compose.PreparedStudy, pipeline: Pipeline) -> None:
    """Curve, parent and scores by fold come back."""
    result = pipeline.run(plan_of(prepared, PruningBounds()))
    assert from_json(TrialResult, to_json(result)) == result
    assert len(result.fold_scores) == 2
    assert math.isfinite(sum(result.fold_scores))
    plan = plan_of(prepared, PruningBounds(cap_j=3.0))
    assert from_json(TrialPlan, to_json(plan)) == plan
