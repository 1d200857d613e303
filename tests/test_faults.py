"""One test for each fault of the pipeline that came before this one; the numbers are those of the list of faults."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt import compose
from cemai_opt.core.measurement import OVERHEAD
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.spec import DataSpec
from cemai_opt.datasets import READERS
from cemai_opt.models import MODELS
from cemai_opt.models._network import NetworkModel
from cemai_opt.pipeline import Splits, build_pipeline
from tests.conftest import wear_study
from tests.pipelines import ALL_FEATURES, batch_of, run_stages

RNG = np.random.default_rng(3)
N, GROUPS = 240, 6


def rows(n_columns: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X (N, n_columns), y (N,), group (N,)."""
    X = np.random.default_rng(1).normal(size=(N, n_columns)).cumsum(axis=0)
    return X, X[:, 0] + 0.1 * np.random.default_rng(2).normal(size=N), np.repeat(np.arange(GROUPS), N // GROUPS)


def test_01_features_know_no_future_and_no_other_group() -> None:
    """Scrambling later rows and other groups changes no feature of the past, bit for bit."""
    X, y, group = rows()
    before = run_stages(batch_of(X, y, group), "featurize", featurize=ALL_FEATURES).X
    scrambled = X.copy()
    now = 3 * N // GROUPS + 10  # row 10 of group 3
    scrambled[now + 1 :] = RNG.normal(size=scrambled[now + 1 :].shape) * 100
    scrambled[: 3 * N // GROUPS] = RNG.normal(size=scrambled[: 3 * N // GROUPS].shape) * 100
    after = run_stages(batch_of(scrambled, y, group), "featurize", featurize=ALL_FEATURES).X
    own_past = slice(3 * N // GROUPS, now + 1)
    assert np.array_equal(before[own_past], after[own_past])


@pytest.mark.parametrize("window", [1, 16, 64])
def test_02_every_configuration_is_judged_on_the_same_rows(window: int) -> None:
    """Windows pad their history, they lose no row."""
    X, y, group = rows()
    batch = run_stages(
        batch_of(X, y, group), sequentialize={"window_rows": window, "stride": 7}, featurize=ALL_FEATURES
    )
    assert batch.prediction is not None
    assert np.array_equal(batch.judge_rows, np.flatnonzero(group == GROUPS - 1))
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
        settled = compose.settle(study.model_copy(update={"data": data}))
        plan = TrialPlan(
            0,
            settled.study,
            Config({"train": {"model": "xgboost"}, "featurize": ALL_FEATURES}),
            "search",
            tuple(n for n in settled.space.stages if n != "explain"),
            settled.study.split.folds or 1,
        )
        scores.append(build_pipeline(settled.study).run(plan).score)
    assert scores[0] == scores[1] is not None


@pytest.mark.parametrize("model", MODELS.names)
def test_04_the_same_seed_gives_the_same_score(model: str) -> None:
    """Every model, twice with one seed."""
    X, y, group = rows()
    scores = [run_stages(batch_of(X, y, group, seed=5), train={"model": model}).metrics["r2"] for _ in range(2)]
    assert scores[0] == scores[1]


def test_05_names_of_groups_mean_nothing(wear: pd.DataFrame, tmp_path: Path) -> None:
    """Renaming every group leaves the split as it was, whatever words the names hold."""
    masks = []
    for word in ("tool", "train", "test"):
        path = tmp_path / f"{word}.csv"
        wear.assign(run=wear["run"].str.replace("tool", word)).to_csv(path, index=False)
        settled = compose.settle(wear_study(path))
        masks.append(Splits.of(settled.data, settled.study.split, 0).test)
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
    profiled = run_stages(batch_of(data.X, data.y), "profile")
    assert any("rises with every row" in note and "v0" in note for note in profiled.notes)


def test_07_importances_belong_to_their_variable() -> None:
    """With windows and features, the one variable that matters gets the weight, at whatever lag it matters."""
    X = RNG.normal(size=(N, 3))
    y = np.r_[np.zeros(3), X[:-3, 1]]  # variable v1, three rows ago
    batch = run_stages(batch_of(X, y), "explain", sequentialize={"window_rows": 8}, train={"model": "ridge"})
    assert max(batch.importances, key=batch.importances.__getitem__) == "v1"
    assert batch.importances["v1"] > 0.6
    assert sum(batch.importances.values()) == pytest.approx(1.0)


def test_08_no_feature_is_computed_for_nothing() -> None:
    """Every rolling statistic appears in the output under its name, and a negative correlation counts."""
    X, y, group = rows()
    names = run_stages(batch_of(X, y, group), "featurize", featurize={"rolling": "all", "window_rows": 5}).names
    assert {f"v0_{s}_5" for s in ("sum", "mean", "min", "max", "range", "std", "var")} <= set(names)
    mirrored = np.column_stack([X, -X[:, 0]])
    cleaned = run_stages(batch_of(mirrored, y, group), "clean", clean={"correlation_threshold": 0.99})
    assert cleaned.names == ("v0", "v1", "v2")


def test_08_every_knob_is_read() -> None:
    """No stage declares a knob that its code does not use."""
    from cemai_opt.stages import STAGES

    for name in STAGES.names:
        stage = STAGES.find(name)
        source = inspect.getsource(inspect.getmodule(stage))  # type: ignore[arg-type]  # a part has a module
        for gene in stage.genes():
            assert f'params["{gene.name}"]' in source, f"{name}.{gene.name} is never read"


def test_09_a_network_keeps_its_best_epoch() -> None:
    """After epochs that only made it worse, a network predicts as after its best one."""
    from cemai_opt.core.batch import Samples

    X, y, group = rows()
    job = batch_of(X, y, group).job
    model = MODELS.require("dnn")({"epochs": 40, "patience": 50, "learning_rate": 0.02, "dropout": 0.0}, job)
    assert isinstance(model, NetworkModel)
    losses: list[float] = []
    loss_of = model._loss

    def recorded(*arguments: object) -> float:
        losses.append(loss_of(*arguments))  # type: ignore[arg-type]  # passed on
        return losses[-1]

    model._loss = recorded  # type: ignore[method-assign, assignment]  # listens in
    checks: list[tuple[object, ...]] = []
    train = model._train
    model._train = lambda *a: (checks.append(a), train(*a))[1]  # type: ignore[method-assign, func-returns-value, assignment]  # the same
    model.fit(Samples(X[:, None, :].astype(np.float32), y, group))
    from torch import nn

    inputs, goals, _, check = checks[0]
    assert loss_of(inputs, goals, check, nn.MSELoss()) == pytest.approx(min(losses))  # type: ignore[arg-type]  # tensors
    assert min(losses) < losses[-1]


def test_10_class_targets_are_not_scaled_and_an_lstm_is_explained() -> None:
    """A scaled target leaves classes alone; Shapley values work for recurrent networks."""
    X, _, group = rows()
    y = (X[:, 0] > np.median(X[:, 0])).astype(float)
    batch = run_stages(
        batch_of(X, y, group, task="classification", score="f1", n_classes=2),
        "explain",
        scale={"target": "standard"},
        sequentialize={"window_rows": 4},
        train={"model": "lstm", "epochs": 5},
    )
    assert set(batch.prediction.value) <= {0.0, 1.0}  # type: ignore[union-attr]  # evaluate filled it
    assert sum(batch.importances.values()) == pytest.approx(1.0)


def test_11_imports_are_charged_to_no_stage(wear_csv: Path) -> None:
    """The first network of a process costs its train stage about what the second one costs."""
    settled = compose.settle(wear_study(wear_csv))
    config = Config({"train": {"model": "dnn", "epochs": 5, "patience": 5}})
    plan = TrialPlan(0, settled.study, config, "search", tuple(n for n in settled.space.stages if n != "explain"), 1)
    pipeline = build_pipeline(settled.study)
    first, second = (pipeline.run(plan) for _ in range(2))
    cost = [next(r for r in result.cost.rows if r.stage == "train").cpu_s for result in (first, second)]
    assert cost[0] < 3 * cost[1] + 0.05


def test_12_a_trial_costs_the_same_whatever_ran_before(wear_csv: Path) -> None:
    """Every trial measures every stage: none is skipped because another trial has run it."""
    settled = compose.settle(wear_study(wear_csv))
    stages = tuple(name for name in settled.space.stages if name != "explain")
    plan = TrialPlan(0, settled.study, Config({"train": {"model": "ridge"}}), "search", stages, 1)
    pipeline = build_pipeline(settled.study)
    for result in (pipeline.run(plan), pipeline.run(plan)):
        assert [row.stage for row in result.cost.rows] == [*stages, OVERHEAD]
        assert all(row.cpu_s > 0 for row in result.cost.rows)


def test_13_evaluation_predicts_each_row_once() -> None:
    """No repeated stochastic passes are charged as inference."""
    X, y, group = rows()
    batch = run_stages(batch_of(X, y, group), "train")
    seen: list[int] = []
    predict = batch.model.predict
    counting = type("Counting", (), {"predict": lambda self, X: (seen.append(len(X)), predict(X))[1]})()
    from cemai_opt.stages import STAGES

    STAGES.find("evaluate")().run(replace(batch, model=counting), {})
    assert sum(seen) == int(batch.judge.sum())


def test_14_rows_are_shuffled_only_when_asked_for(wear_csv: Path) -> None:
    """Groups are never torn apart by default; without groups the cut is in time."""
    grouped = compose.settle(wear_study(wear_csv))
    splits = Splits.of(grouped.data, grouped.study.split, 0)
    for fold in (*splits.search, splits.final):
        learn, judge = (set(grouped.data.group[mask]) for mask in (fold.learn, fold.judge))
        assert learn & judge == set()
    study = wear_study(wear_csv)
    by_time = compose.settle(study.model_copy(update={"data": study.data.model_copy(update={"group": None})}))
    assert by_time.study.split.by == "time"
    fold = Splits.of(by_time.data, by_time.study.split, 0).search[0]
    assert by_time.data.order[fold.learn].max() < by_time.data.order[fold.judge].min()
