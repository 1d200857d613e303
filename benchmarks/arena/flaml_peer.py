"""FLAML's AutoML under the budget: on raw columns, and on rolling features where rows have an order."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.arena.peers import SEARCH_SHARE
from benchmarks.arena.pipelines import Bench, kept_metrics
from benchmarks.arena.result import Member, Result
from cemai_opt.core.batch import BoolArray, IntArray, Prediction, Task, group_starts
from cemai_opt.core.scores import maximised
from cemai_opt.pipeline import Splits
from cemai_opt.stages.evaluate import metrics_of

METRICS = {"r2": "r2", "f1": "f1", "f1_macro": "macro_f1"}
"""FLAML's names of our scores."""
WINDOW_ROWS = 30


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """The rows of a study as FLAML gets them, text and dates too, in the order of the product's data.

    `y`: (n_rows,) numbers, or class codes.
    """

    bench: Bench
    rows: pd.DataFrame
    y: np.ndarray
    splits: Splits

    @staticmethod
    def of(bench: Bench, seed: int) -> _Problem:
        """The rows of the files, which the arena has written in the product's order."""
        spec, data = bench.study.data, bench.data
        frames = [pd.read_parquet(path) for path in (spec.path, spec.test) if path]
        rows = pd.concat(frames, ignore_index=True)
        if bench.study.task == "regression":
            in_order = np.minimum(rows[spec.target].to_numpy(float), spec.clip_target or np.inf)
            assert np.array_equal(in_order, data.y, equal_nan=True), "the rows are not in the order of the product's"
        dropped = [name for name in (spec.target, spec.group, spec.time, *spec.ignore) if name]
        y = data.y if bench.study.task == "regression" else np.nan_to_num(data.y).astype(int)
        splits = Splits.of(data, bench.study.split, seed=seed)
        return _Problem(bench=bench, rows=rows.drop(columns=dropped), y=y, splits=splits)

    def columns(self, variant: str) -> pd.DataFrame:
        """The inputs, with rolling features if `variant` is "rolling"."""
        return self.rows if variant == "raw" else _rolling(self.rows, self.bench.data.group)

    def metrics(self, predicted: np.ndarray) -> dict[str, float]:
        """The product's scores of predicted test rows; those that need the scores of classes are of no use here."""
        y, n_classes = self.y[self.splits.final.is_eval].astype(float), len(self.bench.data.classes)
        by_class = np.eye(n_classes)[predicted.astype(int)] if n_classes else None
        study = self.bench.study
        task = Task(kind=study.task, score=maximised(study.score), n_classes=n_classes)
        return metrics_of(y, Prediction(predicted, by_class), task=task)


class _Folds:
    """The product's validation folds as a splitter, over the rows that may be searched."""

    shuffle = False

    def __init__(self, splits: Splits, rows: BoolArray) -> None:
        self._parts = [(np.flatnonzero(f.is_train[rows]), np.flatnonzero(f.is_eval[rows])) for f in splits.search]

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Number of folds."""
        return len(self._parts)

    def split(self, X: object, y: object = None, groups: object = None) -> Iterator[tuple[IntArray, IntArray]]:
        """Positions of training and validation rows, fold by fold."""
        yield from self._parts


def flaml(study: Path, *, seed: int, budget_mg: float, is_independent: bool) -> Result:
    """FLAML's best configuration of each learner, refitted on training and validation rows and tested."""
    sys.modules["mlflow"] = None  # type: ignore[assignment]  # FLAML imports it if it is installed, at a cost
    bench = Bench(study, seed=seed)
    problem = _Problem.of(bench, seed)
    variants = ("raw",) if is_independent else ("raw", "rolling")
    searches = []
    for i, variant in enumerate(variants):
        until_g = SEARCH_SHARE * budget_mg / 1e3 * (i + 1) / len(variants)
        searches.append(_searched(problem, variant, until_g=until_g))
    found = [
        _refitted(problem, automl, name=name, variant=variant)
        for variant, automl in zip(variants, searches, strict=True)
        for name, config in automl.best_config_per_estimator.items()
        if config is not None and np.isfinite(automl.best_loss_per_estimator[name])
    ]
    return Result(
        set=study.parent.name,
        arm="flaml",
        seed=seed,
        budget_mg=budget_mg,
        score=bench.study.score,
        members=tuple(member for member in found if isinstance(member, Member)),
        trials=sum(automl._track_iter for automl in searches),
        run_grams=bench.spent_g,
        notes=tuple(reason for reason in found if isinstance(reason, str)),
    )


def _searched(problem: _Problem, variant: str, *, until_g: float) -> Any:
    """A fitted `AutoML`, which stops when the process has spent `until_g` grams, if it gets a whole core."""
    from flaml import AutoML

    bench, folds = problem.bench, problem.splits.search
    columns, automl = problem.columns(variant), AutoML()
    seconds = max(1.0, bench.cpu_s(until_g - bench.spent_g))
    if len(folds) == 1:
        train, held_out = folds[0].is_train, folds[0].is_eval
        validation = {"X_val": columns[held_out], "y_val": problem.y[held_out], "eval_method": "holdout"}
    else:
        train = ~problem.splits.test & bench.data.has_target
        validation = {"eval_method": "cv", "split_type": _Folds(problem.splits, train)}
    automl.fit(
        columns[train].reset_index(drop=True),
        problem.y[train],
        task=bench.study.task,
        metric=METRICS[bench.study.score],
        time_budget=seconds,
        n_jobs=1,
        seed=bench.study.seed,
        verbose=0,
        retrain_full=False,
        **validation,
    )
    return automl


def _refitted(problem: _Problem, automl: Any, *, name: str, variant: str) -> Member | str:
    """The best configuration of one learner: features, preparation, fit and test are measured. Or why it failed."""
    from flaml.automl.data import DataTransformer

    bench, train = problem.bench, problem.splits.final.is_train
    held_out, config = problem.splits.final.is_eval, automl.best_config_per_estimator[name]
    learner, task = automl._state.learner_classes[name], automl._state.task
    before_j = bench.drawn_j()
    try:
        columns, prepare = problem.columns(variant), DataTransformer()
        X, y = prepare.fit_transform(columns[train].reset_index(drop=True), problem.y[train], task)
        model = learner(**config, task=task, n_jobs=1)
        model.fit(X, np.asarray(y))
        predicted = model.predict(prepare.transform(columns[held_out].reset_index(drop=True)))
        metrics = problem.metrics(np.asarray(predicted, float))
    except Exception as error:  # of any library: the member is left out, with a note
        return f"{name} on {variant}: {type(error).__name__}: {error}"
    return Member(
        model=f"flaml:{name}",
        config={"features": variant, **config},
        validation=1.0 - float(automl.best_loss_per_estimator[name]),
        test=metrics[bench.study.score],
        grams=bench.study.carbon.grams(bench.drawn_j() - before_j),
        metrics=kept_metrics(metrics),
    )


def _rolling(rows: pd.DataFrame, group: IntArray) -> pd.DataFrame:
    """The columns, their mean and standard deviation over 30 rows, and the change since the mean of the first 30."""
    numeric = rows.select_dtypes("number")
    X = numeric.ffill().fillna(0.0).to_numpy(float)
    X = X - X.mean(axis=0)
    row, starts = np.arange(len(X)), group_starts(group)
    mean = _mean(X, np.maximum(starts, row - WINDOW_ROWS + 1), last=row)
    square = _mean(X * X, np.maximum(starts, row - WINDOW_ROWS + 1), last=row)
    change = X - _mean(X, starts, last=np.minimum(row, starts + WINDOW_ROWS - 1))
    blocks = {"mean": mean, "std": np.sqrt(np.maximum(square - mean**2, 0.0)), "change": change}
    added = [pd.DataFrame(block, columns=[f"{c}_{name}" for c in numeric]) for name, block in blocks.items()]
    return pd.concat([rows, *added], axis=1)


def _mean(X: np.ndarray, first: IntArray, *, last: IntArray) -> np.ndarray:
    """The means of rows `first` to `last`, for each row."""
    sums = np.vstack([np.zeros(X.shape[1]), np.cumsum(X, axis=0)])
    return (sums[last + 1] - sums[first]) / (last - first + 1)[:, None]
