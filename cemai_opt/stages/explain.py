"""Computes the importance of each variable by Shapley values."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, FloatArray, Task, WindowRows
from cemai_opt.core.hyperparameters import Hyperparameter, choice, integer
from cemai_opt.core.registry import need
from cemai_opt.models import MODELS
from cemai_opt.stages._stage import Params, Stage

PERMUTATION, BY_MODEL = "permutation", "by_model"
MAX_VALUES = 4_000_000
"""Values of inputs that are predicted at once."""


class Explain(Stage):
    """Mean absolute Shapley value of every variable, normalised to sum 1.

    By default, a variable is present with its whole window, or replaced by the window of a background row, so that all
    models are explained in the same way and on the same scale (Lundberg and Lee (2017), NeurIPS, section 4). Values are
    exact for additive models; for others they are sampled by pairs of permutations, each with its reverse, as shap
    does: loading it takes longer than most trials.

    `algorithm: by_model` explains trees, forests and boosters by tree SHAP and networks by expected gradients, as CEMAI
    did; a variable's values add up over the window. Other models are explained as by default.
    """

    order = 100
    is_for_new_rows = False

    @classmethod
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """The algorithm; number of background rows, which represent an absent variable, and of explained rows."""
        return (
            choice("algorithm", (PERMUTATION, BY_MODEL), default=PERMUTATION, searched=False),
            integer("background_samples", 1, high=100, default=10, unit="rows", searched=False),
            integer("summary_samples", 1, high=500, default=20, unit="rows", searched=False),
        )

    @classmethod
    def libraries(cls, model: str, params: Params) -> tuple[str, ...]:
        """None by default; those of the model's own algorithm."""
        return MODELS.find(model).explained_with if params.get("algorithm") == BY_MODEL else ()

    def prepare(self, params: Params, task: Task) -> None:
        """Loads them. StudyError with the command to install what is missing."""
        libraries = self.libraries(self.model, params)
        need(*libraries)
        for library in libraries:
            importlib.import_module(library)

    def _run(self, batch: Batch, params: Params) -> Batch:
        assert batch.windows is not None, "explain needs windows"
        assert batch.samples is not None, "explain needs samples"
        rng = np.random.default_rng(batch.task.seed)
        background = _some(batch.samples.X, int(params["background_samples"]), rng=rng)
        n_explained = min(int(params["summary_samples"]), len(batch.eval_rows))
        rows = np.sort(rng.choice(batch.eval_rows, n_explained, replace=False))
        windows = batch.windows.take(rows)
        is_by_model = params["algorithm"] == BY_MODEL
        values = batch.model.shapley_values(windows, background=background) if is_by_model else None
        weights = _of_any(batch, windows, background=background, rng=rng) if values is None else _weights(values)
        total = weights.sum()
        shares = weights / total if total > 0 else weights
        by_weight = np.argsort(-shares, kind="stable")
        return replace(batch, importances={batch.names[i]: float(shares[i]) for i in by_weight})


def _weights(values: FloatArray) -> FloatArray:
    """Mean over rows of absolute values (n, n_features, n_outputs), summed over outputs: (n_features,)."""
    weights: FloatArray = np.abs(values).sum(axis=2).mean(axis=0)
    return weights


def _of_any(batch: Batch, windows: FloatArray, *, background: FloatArray, rng: np.random.Generator) -> FloatArray:
    """As `_weights`, of any model by its predictions alone."""
    outputs = [_mean_output(batch, window, background=background) for window in windows]
    n_features = len(batch.names)
    if batch.model.is_additive:
        found = [_exact(output, n_features) for output in outputs]
    else:
        found = [_sampled(output, n_features, rng=rng) for output in outputs]
    return np.asarray(np.mean(found, axis=0))


def _some(X: FloatArray | WindowRows, n: int, *, rng: np.random.Generator) -> FloatArray:
    return X[np.sort(rng.choice(len(X), min(n, len(X)), replace=False))]


def _mean_output(batch: Batch, window: FloatArray, *, background: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """From presence (n, n_features) to the mean output over backgrounds (n, n_outputs), for one window of a row."""

    def mean_output(present: FloatArray) -> FloatArray:
        n_parts = -(-len(present) * background.size // MAX_VALUES)
        return np.concatenate([of_part(part) for part in np.array_split(present, n_parts)])

    def of_part(present: FloatArray) -> FloatArray:
        mixed = np.where(present[:, None, None, :] > 0.5, window, background)
        prediction = batch.model.predict(mixed.reshape(-1, *window.shape))
        output = prediction.value[:, None] if prediction.by_class is None else prediction.by_class
        means: FloatArray = output.reshape(len(present), len(background), -1).mean(axis=1)
        return means

    return mean_output


def _exact(output: Callable[[FloatArray], FloatArray], n_features: int) -> FloatArray:
    """As `_sampled`, for a sum of one term per variable: the value of a variable is what it adds on its own."""
    alone = output(np.vstack([np.zeros(n_features), np.eye(n_features)]))
    weights: FloatArray = np.abs(alone[1:] - alone[0]).sum(axis=1)
    return weights


def _sampled(output: Callable[[FloatArray], FloatArray], n_features: int, *, rng: np.random.Generator) -> FloatArray:
    """Absolute Shapley value of each variable's presence, summed over outputs: (n_features,).

    The variables enter in a random order, and in its reverse: the value of a variable is the mean of what it adds.
    """
    order = rng.permutation(n_features)
    n_present, place = np.arange(n_features + 1)[:, None], np.argsort(order)[None, :]
    values = output(np.vstack([place < n_present, place >= n_features - n_present]).astype(np.float64))
    forward, backward = np.diff(values[: n_features + 1], axis=0), np.diff(values[n_features + 1 :], axis=0)
    weights: FloatArray = np.abs(forward[place[0]] + backward[n_features - 1 - place[0]]).sum(axis=1) / 2.0
    return weights
