"""Computes statistics of the training rows, without changing them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, FloatArray, Profile
from cemai_opt.core.hyperparameters import Hyperparameter, flag
from cemai_opt.stages._stage import Params, Stage

STRONG_CORRELATION = 0.95
MAX_NAMED = 8


class ProfileRows(Stage):
    """Statistics of every variable: missing, zero, constant, index-like, correlated."""

    order = 10
    is_for_new_rows = False

    @classmethod
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """Correlations are off by default, because they cost more than all other statistics together."""
        return (flag("correlations", False, searched=False),)

    def _run(self, batch: Batch, params: Params) -> Batch:
        X = batch.X[batch.is_train]
        is_missing = np.isnan(X)
        n_present = np.maximum((~is_missing).sum(axis=0), 1)
        filled = np.where(is_missing, 0.0, X)
        profile = Profile(
            missing=is_missing.mean(axis=0),
            zeros=((filled == 0.0) & ~is_missing).sum(axis=0) / n_present,
            low=np.where(is_missing, np.inf, X).min(axis=0),
            high=np.where(is_missing, -np.inf, X).max(axis=0),
            mean=filled.sum(axis=0, dtype=np.float64) / n_present,
        )
        notes = _notes(X, profile, names=batch.names)
        if params["correlations"]:
            notes += _correlation_notes(filled, batch.names)
        return replace(batch, profile=replace(profile, notes=notes), notes=(*batch.notes, *notes))


def _notes(X: FloatArray, profile: Profile, *, names: tuple[str, ...]) -> tuple[str, ...]:
    rises = np.all(np.diff(X, axis=0) > 0, axis=0) if len(X) > 1 else np.zeros(X.shape[1], bool)
    findings = {
        "constant": profile.low >= profile.high,
        "more than half missing": profile.missing > 0.5,
        "more than 90 % zero": (profile.zeros > 0.9) & (profile.low < profile.high),
        "increases with every row (an index? leave it out with --ignore)": rises,
    }
    return tuple(
        f"{what}: {_listed([n for n, hit in zip(names, hits, strict=True) if hit])}"
        for what, hits in findings.items()
        if hits.any()
    )


def _correlation_notes(X: FloatArray, names: tuple[str, ...]) -> tuple[str, ...]:
    with np.errstate(invalid="ignore", divide="ignore"):  # a constant column has no correlation
        strong = np.triu(np.abs(np.corrcoef(X, rowvar=False)) > STRONG_CORRELATION, k=1)
    pairs = [f"{names[i]} ~ {names[j]}" for i, j in np.argwhere(strong)]
    return (f"correlated above {STRONG_CORRELATION:g}: {_listed(pairs)}",) if pairs else ()


def _listed(things: list[str]) -> str:
    rest = len(things) - MAX_NAMED
    return ", ".join(things[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")
