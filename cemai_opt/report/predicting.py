"""Predictions of a whole file, written as a file, with what they cost."""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cemai_opt.core.errors import StudyError
from cemai_opt.core.units import grams_co2eq
from cemai_opt.datasets import Schema
from cemai_opt.meters import open_meters
from cemai_opt.pipeline import Recorder
from cemai_opt.report.model_folder import TrainedModel

PREDICT = "predict"


def predict_file(
    model: TrainedModel,
    data: Path,
    out: Path,
    with_scores: bool = False,
    ignore: tuple[str, ...] = (),
    intensity_g_per_kwh: float | None = None,
) -> dict[str, Any]:
    """Writes one line for each row of `data` to `out`: its number, group, time and prediction. What that has cost.

    Neither rows nor their features are held in memory all at once: numbers lie in scratch files beside `out`. Rows that
    are not in order yet take 32 bytes each to be put so. StudyError where `data` has other columns than training had.
    """
    if out.is_dir() or out.resolve() == data.resolve():
        raise StudyError(f"--out {out} is {'a folder' if out.is_dir() else 'the data itself'}", "name another file")
    schema = replace(model.schema, left_out=(*model.schema.left_out, *ignore))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(prefix=".predict-", dir=out.parent)
    except OSError as error:
        raise StudyError(f"cannot write {out}: {error.strerror}", "choose another --out") from error
    meters = open_meters("auto", "cpu", model.scorer.job.threads)
    recorder = Recorder(meters)
    with scratch as folder, recorder.stage(PREDICT):
        rows = schema.read(data, Path(folder))
        value = np.memmap(Path(folder) / "predictions.f64", np.float64, "w+", shape=len(rows.group))
        n_classes = len(model.classes) if with_scores else 0
        by_class = None
        if n_classes:
            by_class = np.memmap(Path(folder) / "scores.f64", np.float64, "w+", shape=(len(rows.group), n_classes))
        for numbers, prediction in model.predictions(rows):
            value[numbers] = prediction.value
            if by_class is not None:
                assert prediction.by_class is not None, "a classifier gives scores by class"
                by_class[numbers] = prediction.by_class
        _write(model, schema, data, out, value, by_class)
    row = recorder.recording().cost.rows[0]
    carbon = model.carbon
    intensity = intensity_g_per_kwh or carbon.intensity_g_per_kwh or 0.0
    counts_all = any(meter.counts_whole_process for meter in meters)
    whole_j = math.fsum(meter.peek_j() for meter in meters if meter.counts_whole_process)
    return {
        "rows": len(rows.group),
        "out": str(out),
        "form": model.form,
        "duration_s": row.duration_s,
        "energy_j": row.total_j,
        "carbon_g": grams_co2eq(row.total_j, intensity, carbon.pue),
        "uncertainty_g": grams_co2eq(row.uncertainty_j, intensity, carbon.pue),
        "whole_process_g": grams_co2eq(whole_j, intensity, carbon.pue) if counts_all else None,
        "source": row.source,
        "notes": list(rows.notes),
    }


def _write(
    model: TrainedModel, schema: Schema, data: Path, out: Path, value: np.ndarray, by_class: np.ndarray | None
) -> None:
    """The lines, read beside the data once more; the file is there as a whole or not at all."""
    shown = [name for name in (schema.group, schema.time) if name is not None]
    draft, first = out.with_name(out.name + ".part"), 0
    try:
        with draft.open("w", encoding="utf-8", newline="") as stream:
            for piece in schema.pieces(data):
                end = first + len(piece)
                lines = pd.DataFrame({"row": np.arange(first, end)})
                lines[shown] = piece[shown].to_numpy()
                lines["prediction"] = model.named(np.asarray(value[first:end]))
                for code, name in enumerate(model.classes if by_class is not None else ()):
                    lines[f"score_{name}"] = by_class[first:end, code]  # type: ignore[index]  # it is there
                lines.to_csv(stream, index=False, header=first == 0)
                first = end
        os.replace(draft, out)
    except OSError as error:
        raise StudyError(f"cannot write {out}: {error.strerror}", "make room, or choose another --out") from error
    finally:
        draft.unlink(missing_ok=True)
