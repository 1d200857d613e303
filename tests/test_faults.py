"""One test for each fault of the pipeline that came before this one; the numbers are those of the list of faults."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt import compose
from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.measurement import OVERHEAD
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.datasets import READERS
from cemai_opt.models import MODELS
from cemai_opt.pipeline import Splits, build_pipeline
from cemai_opt.testing import batch_of, run_stages
from tests.conftest import wear_study

RNG = np.random.default_rng(3)
N, GROUPS = 240, 6

ALL_FEATURES: dict[str, Value] = {
    "rolling": "all",
    "window_rows": 5,
    "scales": "short_long",
    "long_rows": 20,
    "trend": "slope_sin_cos",
    "since_start": True,
}


def rows(n_columns: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X (N, n_columns), y (N,), group (N,)."""
    X = np.random.default_rng(1).normal(size=(N, n_columns)).cumsum(axis=0)
    return X, X[:, 0] + 0.1 * np.random.default_rng(2).normal(size=N), np.repeat(np.arange(GROUPS), N // GROUPS)


def test_01_features_know_no_future_and_no_other_group() -> None:
    """Scrambling later rows and other groups changes no feature of the past, bit for bit."""
    X, y, group = rows()
    before = run_stages(batch_of(X, y, group=group), until="featurize", featurize=ALL_FEATURES).X
    scrambled = X.copy()
    now = 3 * N // GROUPS + 10  # row 10 of group 3
    scrambled[now + 1 :] = RNG.normal(size=scrambled[now + 1 :].shape) * 100
    scrambled[: 3 * N // GROUPS] = RNG.normal(size=scrambled[: 3 * N // GROUPS].shape) * 100
    after = run_stages(batch_of(scrambled, y, group=group), until="featurize", featurize=ALL_FEATURES).X
    own_past = slice(3 * N // GROUPS, now + 1)
    assert np.array_equal(before[own_past], after[own_past])


@pytest.mark.parametrize("window", [1, 16, 64])
def test_02_every_configuration_is_judged_on_the_same_rows(window: int) -> None:
    """Windows pad their history, they lose no row."""
    X, y, group = rows()
    batch = run_stages(
        batch_of(X, y, group=group), sequentialize={"window_rows": window, "stride": 7}, featurize=ALL_FEATURES
    )
    assert batch.prediction is not None
    assert np.array_equal(batch.eval_rows, np.flatnonzero(group == GROUPS - 1))
    assert len(batch.prediction.value) == N // GROUPS


def test_03_the_search_does_not_depend_on_test_rows(wear: pd.DataFrame, tmp_path: Path) -> None:
    """Inputs and targets of test rows may be anything: trials score the same."""
    scores = []
    for garbage in (False, True):
        frame = wear.copy()
        if garbage:
            is_test = frame["run"].isin(["tool03", "tool07"])
            frame.loc[is_test, ["force_c", "vibration", "tool_wear"]] = 1e6 * (1 + RNG.random((int(is_test.sum()), 3)))
        path = tmp_path / f"{garbage}.csv"
        frame.to_csv(path, index=False)
        study = wear_study(path)
        data = study.data.model_copy(update={"test_groups": ("tool03", "tool07")})
        prepared = compose.prepare(study.model_copy(update={"data": data}))
        plan = TrialPlan(
            trial=0,
            study=prepared.study,
            config=Config({"train": {"model": "xgboost"}, "featurize": ALL_FEATURES}),
            phase="search",
            stages=tuple(n for n in prepared.space.stages if n != "explain"),
            folds=prepared.study.split.folds or 1,
        )
        scores.append(build_pipeline(prepared.study).run(plan).score)
    assert scores[0] == scores[1] is not None


@pytest.mark.parametrize("model", MODELS.names)
def test_04_the_same_seed_gives_the_same_score(model: str) -> None:
    """Every model, twice with one seed."""
    X, y, group = rows()
    kind, score = ("regression", "r2") if "regression" in MODELS.find(model).tasks else ("classification", "f1")
    y = y if kind == "regression" else (y > np.median(y)).astype(float)
    batch = batch_of(X, y, group=group, seed=5, kind=kind, score=score, n_classes=0 if score == "r2" else 2)
    scores = [run_stages(batch, train={"model": model}).metrics[score] for _ in range(2)]
    assert scores[0] == scores[1]


def test_05_names_of_groups_mean_nothing(wear: pd.DataFrame, tmp_path: Path) -> None:
    """Renaming every group leaves the split as it was, whatever words the names hold."""
    masks = []
    for word in ("tool", "train", "test"):
        path = tmp_path / f"{word}.csv"
        wear.assign(run=wear["run"].str.replace("tool", word)).to_csv(path, index=False)
        prepared = compose.prepare(wear_study(path))
        masks.append(Splits.of(prepared.data, prepared.study.split, seed=0).test)
    assert np.array_equal(masks[0], masks[1])
    assert np.array_equal(masks[0], masks[2])


def test_06_a_rising_target_in_the_first_column_is_kept(tmp_path: Path) -> None:
    """The target is never dropped; an index-like input stays too, and is reported."""
    path = tmp_path / "rising.csv"
    pd.DataFrame({"target": np.arange(100.0), "index": np.arange(100) * 2, "x": RNG.normal(size=100)}).to_csv(
        path, index=False
    )
    data = READERS.find("tabular")().read(DataSpec(path=str(path), target="target"), "regression")
    assert data.names == ("index", "x")
    assert np.array_equal(data.y, np.arange(100.0))
    profiled = run_stages(batch_of(data.X, data.y), until="profile")
    assert any("increases with every row" in note and "v0" in note for note in profiled.notes)


def test_07_importances_belong_to_their_variable() -> None:
    """With windows and features, the one variable that matters gets the weight, at whatever lag it matters."""
    X = RNG.normal(size=(N, 3))
    y = np.r_[np.zeros(3), X[:-3, 1]]  # variable v1, three rows ago
    batch = run_stages(batch_of(X, y), until="explain", sequentialize={"window_rows": 8}, train={"model": "ridge"})
    assert max(batch.importances, key=batch.importances.__getitem__) == "v1"
    assert batch.importances["v1"] > 0.6
    assert sum(batch.importances.values()) == pytest.approx(1.0)


def test_08_no_feature_is_computed_for_nothing() -> None:
    """Every rolling statistic appears in the output under its name, and a negative correlation counts."""
    X, y, group = rows()
    names = run_stages(
        batch_of(X, y, group=group), until="featurize", featurize={"rolling": "all", "window_rows": 5}
    ).names
    assert {f"v0_{s}_5" for s in ("sum", "mean", "min", "max", "range", "std", "var")} <= set(names)
    mirrored = np.column_stack([X, -X[:, 0]])
    cleaned = run_stages(batch_of(mirrored, y, group=group), until="clean", clean={"correlation_threshold": 0.99})
    assert cleaned.names == ("v0", "v1", "v2")


def test_08_every_hyperparameter_is_read() -> None:
    """No stage declares a hyperparameter that its code does not use."""
    from cemai_opt.stages import STAGES

    for name in STAGES.names:
        stage = STAGES.find(name)
        source = inspect.getsource(inspect.getmodule(stage))  # type: ignore[arg-type]  # a part has a module
        for hyperparameter in stage.hyperparameters():
            assert f'params["{hyperparameter.name}"]' in source, f"{name}.{hyperparameter.name} is never read"


def test_09_a_network_keeps_its_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """After epochs that only made it worse, a network predicts as after its best one."""
    import torch
    from torch import nn

    from cemai_opt.core.batch import Samples

    checks: list[tuple[float, torch.Tensor]] = []

    class Recorded(nn.MSELoss):
        """Keeps loss and outputs of every epoch's check on held-out rows."""

        def forward(self, outputs: torch.Tensor, goals: torch.Tensor) -> torch.Tensor:
            loss = super().forward(outputs, goals)
            if not torch.is_grad_enabled():
                checks.append((float(loss), outputs.clone()))
            return loss

    monkeypatch.setattr(nn, "MSELoss", Recorded)
    X, y, group = rows()
    y = (y - y.mean()) / y.std()  # outputs of the network are then in the unit of the target
    task = batch_of(X, y, group=group).task
    model = MODELS.require("dnn")({"epochs": 40, "patience": 50, "learning_rate": 0.02, "dropout": 0.0}, task)
    windows = X[:, None, :].astype(np.float32)
    model.fit(Samples(windows, y, group))
    losses = [loss for loss, _ in checks]
    assert min(losses) < losses[-1]
    predicted = model.predict(windows).value

    def distance(outputs: torch.Tensor) -> float:
        return max(float(np.abs(predicted - value).min()) for value in outputs.numpy().ravel())

    assert distance(checks[int(np.argmin(losses))][1]) < 1e-4
    assert distance(checks[-1][1]) > 1e-3


def test_10_class_targets_are_not_scaled_and_an_lstm_is_explained() -> None:
    """A scaled target leaves classes alone; Shapley values work for recurrent networks."""
    X, _, group = rows()
    y = (X[:, 0] > np.median(X[:, 0])).astype(float)
    batch = run_stages(
        batch_of(X, y, group=group, kind="classification", score="f1", n_classes=2),
        until="explain",
        scale={"target": "standard"},
        sequentialize={"window_rows": 4},
        train={"model": "lstm", "epochs": 5},
    )
    assert set(batch.prediction.value) <= {0.0, 1.0}  # type: ignore[union-attr]  # evaluate filled it
    assert sum(batch.importances.values()) == pytest.approx(1.0)


def test_11_imports_are_charged_to_no_stage(wear_csv: Path) -> None:
    """The first network of a process costs its train stage about what the second one costs."""
    prepared = compose.prepare(wear_study(wear_csv))
    config = Config({"train": {"model": "dnn", "epochs": 5, "patience": 5}})
    plan = TrialPlan(
        trial=0,
        study=prepared.study,
        config=config,
        phase="search",
        stages=tuple(n for n in prepared.space.stages if n != "explain"),
        folds=1,
    )
    pipeline = build_pipeline(prepared.study)
    first, second = (pipeline.run(plan) for _ in range(2))
    cost = [next(r for r in result.cost.rows if r.stage == "train").cpu_s for result in (first, second)]
    assert cost[0] < 3 * cost[1] + 0.05


def test_12_a_trial_costs_the_same_whatever_ran_before(wear_csv: Path) -> None:
    """Every trial measures every stage: none is skipped because another trial has run it."""
    prepared = compose.prepare(wear_study(wear_csv))
    stages = tuple(name for name in prepared.space.stages if name != "explain")
    plan = TrialPlan(
        trial=0,
        study=prepared.study,
        config=Config({"train": {"model": "ridge"}}),
        phase="search",
        stages=stages,
        folds=1,
    )
    pipeline = build_pipeline(prepared.study)
    for result in (pipeline.run(plan), pipeline.run(plan)):
        assert [row.stage for row in result.cost.rows] == [*stages, OVERHEAD]
        assert all(row.cpu_s > 0 for row in result.cost.rows)


def test_13_evaluation_predicts_each_row_once() -> None:
    """No repeated stochastic passes are charged as inference."""
    X, y, group = rows()
    batch = run_stages(batch_of(X, y, group=group), until="train")
    seen: list[int] = []
    predict = batch.model.predict
    counting = type("Counting", (), {"predict": lambda self, X: (seen.append(len(X)), predict(X))[1]})()
    from cemai_opt.stages import STAGES

    STAGES.find("evaluate")().run(replace(batch, model=counting), {})
    assert sum(seen) == int(batch.is_eval.sum())


def test_14_rows_are_shuffled_only_when_asked_for(wear_csv: Path) -> None:
    """Groups are never torn apart by default; without groups the cut is in time."""
    grouped = compose.prepare(wear_study(wear_csv))
    splits = Splits.of(grouped.data, grouped.study.split, seed=0)
    for fold in (*splits.search, splits.final):
        is_train, is_eval = (set(grouped.data.group[mask]) for mask in (fold.is_train, fold.is_eval))
        assert is_train & is_eval == set()
    study = wear_study(wear_csv)
    by_time = compose.prepare(study.model_copy(update={"data": study.data.model_copy(update={"group": None})}))
    assert by_time.study.split.by == "time"
    fold = Splits.of(by_time.data, by_time.study.split, seed=0).search[0]
    assert by_time.data.order[fold.is_train].max() < by_time.data.order[fold.is_eval].min()
