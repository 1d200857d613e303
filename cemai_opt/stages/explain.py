"""Computes the importance of each variable by Shapley values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, FloatArray, Task
from cemai_opt.core.hyperparameters import Hyperparameter, integer
from cemai_opt.models import MODELS
from cemai_opt.stages._stage import Params, Stage


class Explain(Stage):
    """Mean absolute Shapley value of every variable, normalised to sum 1.

    A variable is present with its whole window, or replaced by the window of a background row, so that all models are
    explained in the same way and on the same scale (Lundberg and Lee (2017), NeurIPS, section 4). Values are sampled by
    permutation with shap; those of an additive model are exact without it, which saves loading and compiling it.
    """

    order = 100
    is_for_new_rows = False
    requires = ("shap",)

    @classmethod
    def libraries(cls, model: str) -> tuple[str, ...]:
        """None for an additive model."""
        return () if MODELS.find(model).is_additive else cls.requires

    @classmethod
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """Number of background rows, which represent an absent variable, and of explained rows."""
        return (
            integer("background_samples", 1, high=100, default=10, unit="rows", searched=False),
            integer("summary_samples", 1, high=500, default=20, unit="rows", searched=False),
        )

    def prepare(self, params: Params, task: Task) -> None:
        """Explains a sum of three numbers with shap, if it is needed: it imports and compiles on first use."""
        if self.libraries(self.model):
            _sampled(lambda present: present.sum(axis=1, keepdims=True), 3, seed=task.seed)

    def _run(self, batch: Batch, params: Params) -> Batch:
        assert batch.windows is not None, "explain needs windows"
        assert batch.samples is not None, "explain needs samples"
        rng = np.random.default_rng(batch.task.seed)
        background = _some(batch.samples.X, int(params["background_samples"]), rng=rng)
        n_explained = min(int(params["summary_samples"]), len(batch.eval_rows))
        rows = np.sort(rng.choice(batch.eval_rows, n_explained, replace=False))
        seed, n_features = batch.task.seed, len(batch.names)
        outputs = [_mean_output(batch, window, background=background) for window in batch.windows.take(rows)]
        if batch.model.is_additive:
            weights = np.mean([_exact(output, n_features) for output in outputs], axis=0)
        else:
            weights = np.mean([_sampled(output, n_features, seed=seed) for output in outputs], axis=0)
        total = weights.sum()
        shares = weights / total if total > 0 else weights
        by_weight = np.argsort(-shares, kind="stable")
        return replace(batch, importances={batch.names[i]: float(shares[i]) for i in by_weight})


def _some(X: FloatArray, n: int, *, rng: np.random.Generator) -> FloatArray:
    return X[np.sort(rng.choice(len(X), min(n, len(X)), replace=False))]


def _mean_output(batch: Batch, window: FloatArray, *, background: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """From presence (n, n_features) to the mean output over backgrounds (n, n_outputs), for one window of a row."""

    def mean_output(present: FloatArray) -> FloatArray:
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


def _sampled(output: Callable[[FloatArray], FloatArray], n_features: int, *, seed: int) -> FloatArray:
    """Absolute Shapley value of each variable's presence, summed over outputs: (n_features,)."""
    import shap

    explainer = shap.explainers.Permutation(output, np.zeros((1, n_features)), seed=seed)
    values = explainer(np.ones((1, n_features)), max_evals=2 * n_features + 1, silent=True).values[0]
    weights: FloatArray = np.abs(values).reshape(n_features, -1).sum(axis=1)
    return weights
