"""Shapley values by those algorithms of the library shap that are made for one kind of model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cemai_opt.core.batch import FloatArray

if TYPE_CHECKING:
    import torch
    from torch import nn


def of_trees(estimator: Any, X: FloatArray) -> FloatArray:
    """Of a fitted tree, forest or booster of scikit-learn and rows (n, n_flat): (n, n_flat, n_outputs), exact.

    Where an input is absent, a row follows both branches of a split, as many training rows did (Lundberg et al. (2020),
    Nature Machine Intelligence 2, algorithm 2).
    """
    import shap

    values = np.asarray(shap.TreeExplainer(estimator).shap_values(X, check_additivity=False), np.float64)
    return values if values.ndim == 3 else values[:, :, None]


def of_network(network: nn.Module, X: torch.Tensor, *, background: torch.Tensor, seed: int) -> FloatArray:
    """Of a network and windows (n, window, n_features): (n, window, n_features, n_outputs), sampled.

    They are expected gradients on the way from background windows (m, window, n_features) to each window (Erion et al.
    (2021), Nature Machine Intelligence 3), with as many samples as shap draws by default.
    """
    import shap
    import torch

    with torch.backends.cudnn.flags(enabled=False):  # its recurrent layers have gradients in training mode only
        explainer = shap.GradientExplainer(network, background)
        return np.asarray(explainer.shap_values(X, rseed=seed), np.float64)
