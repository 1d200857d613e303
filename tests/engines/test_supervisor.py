"""A worker's trials are supervised."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from cemai_opt.compose import PreparedStudy, prepare
from cemai_opt.core.errors import CemaiError
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.pruning_bounds import PruningBounds
from cemai_opt.core.result import COMPLETE, FAILED, PRUNED
from cemai_opt.datasets import store
from cemai_opt.engines import _supervisor
from cemai_opt.engines._fork_server import ForkServer
from cemai_opt.engines._supervisor import WorkerSupervisor
from cemai_opt.pipeline import build_pipeline
from tests.conftest import wear_study


@pytest.fixture(scope="module")
def prepared(wear: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> PreparedStudy:
    """The twelve tools, one fold."""
    csv = tmp_path_factory.mktemp("data") / "wear.csv"
    wear.to_csv(csv, index=False)
    return prepare(wear_study(csv, split={"folds": 1}))


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """Forks workers of one thread."""
    running = ForkServer(1)
    yield running
    running.close()


@pytest.fixture
def supervisor(prepared: PreparedStudy, server: ForkServer, tmp_path: Path) -> Iterator[WorkerSupervisor]:
    """Of a worker with plenty of memory."""
    made = WorkerSupervisor(server, store(prepared.data, tmp_path), memory_bytes=4 * 10**9)
    yield made
    made.close()


def plan_of(prepared: PreparedStudy, model: str = "ridge", bounds: PruningBounds | None = None) -> TrialPlan:
    """A model with its defaults."""
    stages = tuple(name for name in prepared.space.stages if name != "explain")
    config = prepared.space.active({"train.model": model})
    return TrialPlan(
        trial=0, study=prepared.study, config=config, phase="search", stages=stages, folds=1, bounds=bounds
    )


def test_a_result_is_that_of_the_pipeline(prepared: PreparedStudy, supervisor: WorkerSupervisor) -> None:
    """From stored rows, in another process, one after the other."""
    plan = plan_of(prepared)
    results = [supervisor.run(plan) for _ in range(2)]
    assert [result.state for result in results] == [COMPLETE, COMPLETE]
    assert {result.score for result in results} == {build_pipeline(prepared.study).run(plan).score}
    assert all(result.spent.energy_j > 0.0 for result in results)


def test_what_nobody_wants_any_more_is_killed(
    prepared: PreparedStudy, supervisor: WorkerSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails with its reason and what it has spent; the next trial gets a new worker."""
    monkeypatch.setattr(_supervisor, "LOOK_S", 0.0)
    killed = supervisor.run(plan_of(prepared), lambda: False)
    assert (killed.state, killed.reason) == (FAILED, "its result is no longer needed")
    assert killed.spent.rows[0].source.endswith("because it was killed")
    assert supervisor.run(plan_of(prepared)).state == COMPLETE


def test_a_trial_that_outlasts_the_search_is_pruned(
    prepared: PreparedStudy, supervisor: WorkerSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a grace in which it should have ended by itself."""
    monkeypatch.setattr(_supervisor, "LOOK_S", 0.0)
    monkeypatch.setattr(_supervisor, "GRACE_S", 0.0)
    result = supervisor.run(plan_of(prepared, bounds=PruningBounds(spend_s=0.0)))
    assert (result.state, result.reason) == (PRUNED, "the time is over, and it did not end by itself")


@pytest.mark.parametrize(
    ("bounds", "says"),
    [({"spend_j": 1e-9}, "the budget of grams is used up"), ({"cap_j": 1e-9}, "costs far more than 1e-09 J")],
)
def test_a_fit_that_spends_too_much_is_killed(
    prepared: PreparedStudy,
    supervisor: WorkerSupervisor,
    monkeypatch: pytest.MonkeyPatch,
    bounds: dict[str, float],
    says: str,
) -> None:
    """It compares itself with its bounds between stages and rounds only, and one fit can be the whole budget."""
    for name in ("LOOK_S", "METER_S", "GRACE_J"):
        monkeypatch.setattr(_supervisor, name, 0.0)
    seconds = itertools.count()
    monkeypatch.setattr(_supervisor, "tree_cpu_s", lambda pid: float(next(seconds)))
    result = supervisor.run(plan_of(prepared, bounds=PruningBounds(**bounds)))
    assert result.state == PRUNED
    assert result.reason.startswith(says)
    assert result.reason.endswith("did not end by itself")
    assert result.spent.energy_j > 0.0


def test_without_a_meter_no_trial_fails(prepared: PreparedStudy, supervisor: WorkerSupervisor) -> None:
    """It is an error of the study: no trial could run at all."""
    carbon = prepared.study.carbon.model_copy(update={"meter": "no_such_meter"})
    unmeasured = replace(plan_of(prepared), study=prepared.study.model_copy(update={"carbon": carbon}))
    with pytest.raises(CemaiError, match="no_such_meter"):
        supervisor.run(unmeasured)
    assert supervisor.run(plan_of(prepared)).state == COMPLETE
