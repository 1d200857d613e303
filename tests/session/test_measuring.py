"""Pipelines that are measured without a search."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.compose import prepare
from cemai_opt.core.errors import StudyError
from cemai_opt.core.plan import Config
from cemai_opt.core.table_spec import TableSpec
from cemai_opt.session import measured_pipelines, table_configs
from tests.conftest import wear_study

SPEC = TableSpec(models={"DT": "decision_tree", "LSTM": "lstm"}, features={"rolling": "mean"}, window_rows=4)


def test_each_model_stands_without_and_with_features() -> None:
    """All stages run; with features of the past, only models of sequences have windows."""
    configs = table_configs(SPEC, "regression")
    assert list(configs) == ["DT", "DT w/FE", "LSTM", "LSTM w/FE"]
    windows = [config.params("sequentialize")["window_rows"] for config in configs.values()]
    assert windows == [4, 1, 4, 4]
    assert [bool(config.params("featurize")) for config in configs.values()] == [False, True] * 2
    assert all("profile" in config.stages for config in configs.values())


def test_few_rows_are_a_third_row() -> None:
    """To tell what features cost from what fewer rows save."""
    configs = table_configs(SPEC.model_copy(update={"few_rows": 0.05}), "regression")
    assert list(configs)[:3] == ["DT", "DT w/FE", "DT w/FE 5%"]
    assert configs["DT w/FE 5%"].params("combine") == {"fraction": 0.05}
    assert configs["DT w/FE 5%"].params("featurize") == configs["DT w/FE"].params("featurize")


def test_models_that_do_not_fit_are_refused() -> None:
    """With a name that is nearly right."""
    with pytest.raises(StudyError, match="did you mean 'lstm'"):
        table_configs(TableSpec(models={"L": "lsmt"}), "regression")
    with pytest.raises(StudyError, match="cannot solve a regression"):
        table_configs(TableSpec(models={"L": "logistic"}), "regression")


def test_pipelines_take_turns_and_explain(wear_csv: Path) -> None:
    """Each is measured as often as asked, with the same score every time; one that fails is not run again."""
    prepared = prepare(wear_study(wear_csv, engine={"name": "in_process"}))
    configs = table_configs(TableSpec(models={"DT": "decision_tree"}, features={"rolling": "mean"}), "regression")
    configs["bad"] = Config({"featurize": {"rolling": "none"}, "train": {"model": "dnn", "learning_rate": 1e30}})
    said: list[str] = []
    rounds = list(measured_pipelines(prepared, configs, repeats=2, announce=said.append))
    assert said[:3] == ["DT, 1 of 2", "DT w/FE, 1 of 2", "bad, 1 of 2"]
    last = {pipeline.label: pipeline for pipeline in rounds[-1]}
    assert [len(last[label].costs) for label in ("DT", "DT w/FE")] == [2, 2]
    stages = [row.stage for row in last["DT"].cost.rows]
    assert stages[:3] == ["profile", "clean", "featurize"]
    assert "explain" in stages
    assert sum(last["DT"].importances.values()) == pytest.approx(1.0)
    assert len(last["DT"].inference) == 2
    if last["bad"].reason:
        assert said.count("bad, 2 of 2") == 0
