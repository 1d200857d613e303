"""A recorded table of pipelines, which also predicts score and joules of pipelines that are not in it.

Between recorded pipelines extremely randomised trees predict score and joules, one model per family (a surrogate
benchmark: Eggensperger et al. (2015), AAAI, "Efficient Benchmarking of Hyperparameter Optimizers via Surrogates"). For
a recorded pipeline they return the recorded values.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.space import MODEL, Params, SearchSpace, SearchSpaceSpec
from cemai_opt.models import MODELS
from cemai_opt.spaces import build_space
from cemai_opt.stages import STAGES

PARAMS = "genes"
"""Key of a pipeline's hyperparameters in a table."""
BEFORE_TRAINING = ("profile", "clean", "featurize", "split", "scale", "sequentialize", "combine", "overhead")
MIN_J, MIN_LOSS, MAX_LOSS = 1e-6, 1e-3, 3.0


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Loss, joules of training and joules of evaluating a pipeline at some sizes of its model, smallest first.

    `stages`: joules of the other stages; `fold_factor`: loss of the first fold relative to that of all folds.
    """

    losses: tuple[float, ...]
    train_j: tuple[float, ...]
    evaluate_j: tuple[float, ...]
    stages: Mapping[str, float]
    fold_factor: float


class Table:
    """The pipelines of one study that `record` has written."""

    def __init__(self, path: Path, n_trees: int = 20) -> None:
        from sklearn.ensemble import ExtraTreesRegressor

        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
        header, *rows = [json.loads(line) for line in text.splitlines()]
        self.study, self.folds = str(header["study"]), int(header["folds"])
        self.task = str(header["task"])
        rows = [{**row, PARAMS: present_params(row[PARAMS])} for row in rows]
        self._known = frozenset(name for row in rows for name in row[PARAMS])
        self.models = tuple(sorted({str(row[PARAMS][MODEL]) for row in rows}))
        self.space = self.space_of(self.models)
        self.n_pipelines, self.n_evaluated = len(rows), sum(1 + len(row["curve"]) for row in rows)
        self.costs_j: list[float] = []
        self._trees: dict[str, Any] = {}
        for model in self.space.models:
            own = [row for row in rows if row[PARAMS][MODEL] == model]
            pairs = [pair for row in own for pair in self._examples(row)]
            X, Y = np.array([x for x, _ in pairs]), np.array([y for _, y in pairs])
            self._trees[model] = ExtraTreesRegressor(n_trees, random_state=0).fit(X, Y)
            self.costs_j += [float(np.exp(y[1:-1]).sum()) for _, y in pairs]

    def space_of(self, models: tuple[str, ...]) -> SearchSpace:
        """The space of these models as it was recorded: what was added since then keeps its default."""
        whole = build_space(SearchSpaceSpec(models=models), "the table", task=self.task)
        fixed = {name: h.default for name, h in whole.hyperparameters.items() if h.searched and name not in self._known}
        return build_space(SearchSpaceSpec(models=models, hyperparameters=fixed), "the table", task=self.task)

    def estimate(self, params: Params, sizes: Sequence[int] = ()) -> Estimate:
        """The pipeline at some sizes of its model; at the size in `params` where none are given."""
        model = str(params[MODEL])
        growth = growth_of(model)
        candidates = [{**params, growth: size} for size in sizes] if growth and sizes else [params]
        X = np.array([self.space.vector(candidate) for candidate in candidates], np.float32)
        trees = self._trees[model].estimators_
        out = sum(tree.predict(X, check_input=False) for tree in trees) / len(trees)  # a tenth of predict()'s time
        joules = np.exp(out[-1, 1:-1])
        return Estimate(
            losses=tuple(np.exp(out[:, 0])),
            train_j=tuple(np.maximum.accumulate(np.exp(out[:, 1]))),
            evaluate_j=tuple(np.exp(out[:, 2])),
            stages=dict(zip(BEFORE_TRAINING, joules[2:].tolist(), strict=True)),
            fold_factor=float(np.exp(out[-1, -1])),
        )

    def _examples(self, row: Mapping[str, Any]) -> list[tuple[list[float], list[float]]]:
        """Training examples of the surrogate: the pipeline, and every point of its learning curve."""
        recorded, stages = self.space.complete(row[PARAMS]), row["stages"]
        growth = growth_of(str(recorded[MODEL]))
        before_training = [_log(stages.get(name, 0.0)) for name in BEFORE_TRAINING]
        fold_factor = float(np.log(_loss(row["first_fold"]) / _loss(row["score"])))
        points = [(None, row["score"], stages["train"], stages["evaluate"]), *row["curve"]]
        examples = []
        for size, score, train_j, evaluate_j in points:
            params = recorded if size is None or growth is None else {**recorded, growth: size}
            y = [float(np.log(_loss(score))), _log(train_j), _log(evaluate_j), *before_training, fold_factor]
            examples.append((self.space.vector(params), y))
        return examples


def present_params(recorded: Params) -> dict[str, Value]:
    """The hyperparameters of a recorded pipeline under their present names."""
    stage = "featurize."
    own = {name.removeprefix(stage): value for name, value in recorded.items() if name.startswith(stage)}
    upgraded = STAGES.find("featurize").upgraded(own)
    others = {name: value for name, value in recorded.items() if not name.startswith(stage)}
    return {**others, **{f"{stage}{name}": value for name, value in upgraded.items()}}


def growth_of(model: str) -> str | None:
    """Full name of the hyperparameter by which a model grows, if any."""
    grows_by = MODELS.find(model).grows_by
    return f"{model}.{grows_by}" if grows_by else None


def _loss(score: float) -> float:
    return min(max(1.0 - score, MIN_LOSS), MAX_LOSS)


def _log(joules: float) -> float:
    return float(np.log(max(joules, MIN_J)))
