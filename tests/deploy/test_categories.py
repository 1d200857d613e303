"""Exported models on text of many values and on dates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.api import load_model, optimize
from cemai_opt.core.errors import StudyError
from cemai_opt.models import MODELS


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """A line of machines with 30 kinds of part, and a shift that works better at night."""
    rng = np.random.default_rng(0)
    part, hours = rng.integers(0, 30, 1500), np.arange(1500)
    frame = pd.DataFrame({"load": rng.normal(size=1500), "part": [f"P{n:02d}" for n in part]})
    frame["at"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(hours, unit="h")
    effect = np.random.default_rng(1).normal(size=30)[part]
    frame["line"] = [f"L{n}" for n in np.repeat(np.arange(15), 100)]
    frame["output"] = effect + 0.5 * (frame["at"].dt.hour < 6) + 0.2 * rng.normal(size=1500)
    return frame


@pytest.mark.parametrize("model", ["ridge", "decision_tree", "gradient_boosting", "dnn"])
def test_new_rows_are_read_and_encoded_as_in_training(rows: pd.DataFrame, model: str, tmp_path: Path) -> None:
    """From the file to the prediction: a new part, a missing one, and ONNX where there is a form."""
    space = tmp_path / "space.yaml"
    epochs = "  dnn.epochs: 20\n" if model == "dnn" else ""
    space.write_text(f"models: [{model}]\nhyperparameters:\n  featurize.rolling: [none, mean]\n{epochs}")
    rows.to_csv(tmp_path / "rows.csv", index=False)
    run = optimize(
        tmp_path / "rows.csv", out=tmp_path / "run", target="output", group="line", space=str(space), trials=3,
        confirm=0, engine="in_process", explain="never",
    )  # fmt: skip
    notes = " ".join(run.summary.notes)
    assert "column 'part' has 30 values" in notes
    assert "column 'at' is a date: inputs are its hour, weekday, month" in notes
    native = run.export(tmp_path / "model", "best")
    assert native.document.native.differing == 0
    new = rows.drop(columns="output").head(40).astype({"part": object})
    new.loc[3, "part"], new.loc[4, "part"] = "P99", None
    predicted = native.predict(new)
    assert np.isfinite(predicted).all()
    assert predicted[3] == native.predict(new.assign(part="P98"))[3]
    if MODELS.find(model).knows_categories:
        assert native.document.onnx.file is None
        assert "categories" in native.document.onnx.why
    else:
        assert np.allclose(load_model(tmp_path / "model", "onnx").predict(new), predicted, atol=1e-3)
    with pytest.raises(StudyError, match="held dates in training"):
        native.predict(new.assign(at="yesterday"))
