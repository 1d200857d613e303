"""The decision threshold of two classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from cemai_opt.api import load_model, optimize
from cemai_opt.core.batch import Prediction, Task
from cemai_opt.pipeline.threshold import best_threshold, scored
from cemai_opt.runs import RunFolder

RNG = np.random.default_rng(0)
Y = (RNG.random(400) < 0.1).astype(float)
POSITIVE = np.round(np.clip(0.2 * RNG.random(400) + 0.15 * Y, 0.0, 1.0), 2)
"""Scores of the rare class, with ties, all of them below one half."""
TASK = Task(kind="classification", score="f1", n_classes=2)


def prediction(positive: np.ndarray) -> Prediction:
    return Prediction((positive > 0.5).astype(float), np.column_stack([1.0 - positive, positive]))


def test_it_has_the_best_f1_of_all_thresholds() -> None:
    """Of all that tell two rows apart, by exhaustion."""
    threshold = best_threshold(Y, POSITIVE)
    assert threshold is not None
    best = max(f1_score(Y, value < POSITIVE) for value in np.unique(POSITIVE)[:-1])
    assert f1_score(Y, threshold < POSITIVE) == pytest.approx(best)
    assert threshold not in POSITIVE


@pytest.mark.parametrize("y", [np.zeros(400), Y])
def test_there_is_none_where_nothing_can_be_chosen(y: np.ndarray) -> None:
    """Without a positive row, or with one score for all rows."""
    assert best_threshold(y, POSITIVE if not y.any() else np.full(400, 0.3)) is None


def test_only_f1_of_two_classes_chooses_and_never_again() -> None:
    """Another score takes the most probable class; a configuration with a threshold keeps it."""
    metrics, threshold = scored(Y, prediction(POSITIVE), task=TASK)
    assert metrics["f1"] > 0.5
    assert threshold is not None
    assert scored(Y, prediction(POSITIVE), task=replace(TASK, score="f1_macro"))[1] is None
    kept, chosen = scored(Y, prediction(POSITIVE), task=replace(TASK, threshold=0.5))
    assert (kept["f1"], chosen) == (0.0, None)


def test_the_chosen_threshold_goes_all_the_way(tmp_path: Path) -> None:
    """From the search into the front, its test score, the exported model and its ONNX form."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame(rng.normal(size=(1200, 3)), columns=list("abc"))
    rows["machine"] = np.repeat([f"m{i:02d}" for i in range(12)], 100)
    rows["fault"] = (rows["a"] + 1.5 * rng.normal(size=1200) > 2.6).astype(int)
    run = optimize(
        rows, out=tmp_path / "run", target="fault", group="machine", task="classification", score="f1", space="quick",
        trials=6, confirm=0, engine="in_process",
    )  # fmt: skip
    folder = RunFolder(run.path)
    results = {result.trial: result for result in folder.results()}
    member = next(m for m in folder.front().members if results[m.trial].threshold is not None)
    assert member.config.params("evaluate")["threshold"] == results[member.trial].threshold
    native = run.export(tmp_path / "model", member.trial)
    assert native.document.scorer.task.threshold == results[member.trial].threshold
    found = native.predict(rows)
    assert (found == "1").any()
    assert np.array_equal(found, load_model(tmp_path / "model", "onnx").predict(rows))
