"""A run in MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cemai_opt.report.mlflow_log import PARENT_RUN_TAG, log_run
from tests.results import FRONT, averaged, run_of, trial, view_of

mlflow = pytest.importorskip("mlflow")


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder in which MLflow keeps its runs."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return (tmp_path / "mlruns").as_uri()


def logged(uri: str, experiment: str = "formula") -> list[Any]:
    """All runs of an experiment."""
    client = mlflow.MlflowClient(uri)
    return list(client.search_runs([client.get_experiment_by_name(experiment).experiment_id]))


def test_a_run_is_a_parent_with_a_child_for_each_member(uri: str) -> None:
    """All of them have ended."""
    parent = log_run(view_of(run_of(*FRONT)), uri)
    runs = {run.info.run_id: run for run in logged(uri)}
    children = [run for run in runs.values() if run.data.tags.get(PARENT_RUN_TAG) == parent]
    assert {run.info.run_name for run in children} == {"trial 0 ridge", "trial 1 decision_tree", "trial 2 xgboost"}
    assert len(runs) == 4
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert runs[parent].data.params["knee"] == "1"
    assert runs[parent].data.metrics["complete"] == 4


def test_a_child_has_the_numbers_and_the_configuration_of_its_member(uri: str) -> None:
    """A member without a test has none."""
    log_run(view_of(run_of(*FRONT, finals={1: trial(1, 0.7, 2.0)})), uri)
    children = {run.info.run_name: run.data for run in logged(uri)}
    knee = children["trial 1 decision_tree"]
    assert (knee.metrics["validation"], knee.metrics["test"]) == (0.8, 0.7)
    assert knee.metrics["carbon_g"] == pytest.approx(2.0)
    assert knee.metrics["train_carbon_g"] == pytest.approx(1.5)
    assert (knee.params["train.model"], knee.tags["mark"]) == ("decision_tree", "knee")
    assert "test" not in children["trial 0 ridge"].metrics


def test_an_average_is_a_child_too(uri: str) -> None:
    """Under its own name, with its parts as its mark."""
    log_run(view_of(run_of(*FRONT, average=averaged(0.05))), uri)
    children = {run.info.run_name: run.data for run in logged(uri)}
    assert children["average"].metrics["validation"] == pytest.approx(0.95)
    assert children["average"].tags["mark"] == "= 0.25 x 0 + 0.75 x 1"


def test_runs_of_one_study_are_in_one_experiment(uri: str) -> None:
    """Or in the one that was named."""
    for _ in range(2):
        log_run(view_of(run_of(FRONT[0])), uri)
    log_run(view_of(run_of(FRONT[0])), uri, experiment="other")
    assert (len(logged(uri)), len(logged(uri, "other"))) == (4, 2)
