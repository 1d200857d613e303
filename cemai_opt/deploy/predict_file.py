"""Predictions for a whole file, written to a file, and their cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pandas as pd

from cemai_opt.core.errors import StudyError
from cemai_opt.core.files import atomic_file
from cemai_opt.core.units import checked_intensity, grams_co2eq
from cemai_opt.datasets import NewRows, Schema, known_pieces, read_new_rows
from cemai_opt.deploy.model_folder import TrainedModel
from cemai_opt.meters import open_meters
from cemai_opt.pipeline import Recorder

PREDICT = "predict"
ROW, PREDICTION = "row", "prediction"
HEADING_BYTES = 65536
"""Longest heading of a file of predictions that is recognised."""


@dataclass(frozen=True, kw_only=True)
class FilePredictions:
    """The cost of predicting a file; `whole_process_g` includes startup and loading libraries."""

    rows: int
    out: str
    form: str
    duration_s: float
    energy_j: float
    carbon_g: float
    uncertainty_g: float
    whole_process_g: float | None
    source: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Values:
    """Predicted values (n_rows,), and scores by class name, each (n_rows,), if requested."""

    value: np.ndarray
    by_class: Mapping[str, np.ndarray]


def predict_file(
    model: TrainedModel,
    data: Path,
    *,
    out: Path,
    history: Path | None = None,
    with_scores: bool = False,
    ignore: tuple[str, ...] = (),
    intensity_g_per_kwh: float | None = None,
) -> FilePredictions:
    """Writes one line per row of `data` to `out`: its number, group, time and prediction.

    `history` is a file or folder with the rows before those of `data`, which features are computed from. Neither all
    rows nor all features are held in memory: values are in files without a name on the disk of `out`, which end with
    the process. Rows that are not in order take 32 bytes each. StudyError if `data` or `history` have other columns
    than the training data, if history is not earlier, or if `out` is a file of another kind.
    """
    _check_free(out, {"--data": data} if history is None else {"--data": data, "--history": history})
    schema = replace(model.schema, left_out=(*model.schema.left_out, *ignore))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise StudyError(f"cannot write {out}: {error.strerror}", "choose another --out") from error
    intensity = model.carbon.intensity_g_per_kwh
    if intensity_g_per_kwh is not None:
        intensity = checked_intensity(intensity_g_per_kwh)
    meters = open_meters("auto", "cpu", threads=model.scorer.task.threads)
    recorder = Recorder(meters)
    with recorder.stage(PREDICT):
        rows = read_new_rows(data, schema, scratch=out.parent, history=history)
        values = _predicted(model, rows, scratch=out.parent, with_scores=with_scores)
        _write(model, values, schema=schema, data=data, out=out)
    row = recorder.recording().cost.rows[0]

    def grams(energy_j: float) -> float:
        return grams_co2eq(energy_j, intensity, pue=model.carbon.pue)

    counts_all = any(meter.counts_whole_process for meter in meters)
    whole_j = math.fsum(meter.peek_j() for meter in meters if meter.counts_whole_process)
    return FilePredictions(
        rows=len(rows.group) - rows.n_history,
        out=str(out),
        form=model.form,
        duration_s=row.duration_s,
        energy_j=row.total_j,
        carbon_g=grams(row.total_j),
        uncertainty_g=grams(row.uncertainty_j),
        whole_process_g=grams(whole_j) if counts_all else None,
        source=row.source,
        notes=(*rows.notes, *_history_notes(model, rows)),
    )


def _history_notes(model: TrainedModel, rows: NewRows) -> tuple[str, ...]:
    """A note on rows that continue series without all the earlier rows that their features need."""
    if not model.document.history.continues:
        return ()
    if not rows.n_history:
        return lacking_history(model)
    n_groups, wanted = int(rows.group.max()) + 1, model.document.history.rows
    n_before, n_own = (np.bincount(part, minlength=n_groups) for part in np.split(rows.group, [rows.n_history]))
    n_short = int(((n_before > 0) & (n_before < wanted) & (n_own > 0)).sum())
    of = "" if n_groups == 1 else f" of {n_short} groups"
    return (f"the history{of} is shorter than the {wanted} rows that features look back",) if n_short else ()


def lacking_history(model: TrainedModel) -> tuple[str, ...]:
    """A note that a model with features of earlier rows has not been given the rows before those to predict."""
    n_rows = model.document.history.rows
    text = f"features look back up to {n_rows} rows: the first rows of each group lack their history (see --history)"
    return (text,) if n_rows else ()


def _check_free(out: Path, read: Mapping[str, Path]) -> None:
    """StudyError unless predictions may be written to `out`: a new file, an empty one, or earlier predictions.

    `read`: the files and folders to read, by the option that names them.
    """
    if not out.name or out.is_dir():
        raise StudyError(f"--out {out} is a folder", "name a file")
    for option, path in read.items():
        if out.resolve() == path.resolve():
            raise StudyError(f"--out {out} is the file of {option}", "name another file")
        if path.is_dir() and out.resolve().parent == path.resolve():
            raise StudyError(f"--out {out} would be one of the files of {option}", "name a file in another folder")
    if not out.exists():
        return
    if not out.is_file():
        raise StudyError(f"--out {out} is no regular file", "name another file")
    with out.open("rb") as stream:
        heading = stream.readline(HEADING_BYTES).decode("utf-8", "replace").strip()
    columns = heading.split(",")
    if heading and (columns[0] != ROW or PREDICTION not in columns):
        raise StudyError(f"--out {out} exists, and holds no predictions", "name another file")


def _predicted(model: TrainedModel, rows: NewRows, *, scratch: Path, with_scores: bool) -> _Values:
    """Predictions of all rows but the history, in files without a name."""
    n_rows = len(rows.group)
    value = _on_disk(scratch, n_rows)
    by_class = {name: _on_disk(scratch, n_rows) for name in (model.classes if with_scores else ())}
    for numbers, prediction in model.predictions(rows):
        value[numbers] = prediction.value
        if prediction.by_class is not None:
            for code, column in enumerate(by_class.values()):
                column[numbers] = prediction.by_class[:, code]
    return _Values(value[rows.n_history :], {name: column[rows.n_history :] for name, column in by_class.items()})


def _on_disk(scratch: Path, n_rows: int) -> np.ndarray:
    """Numbers (n_rows,) in a file without a name."""
    with TemporaryFile(dir=scratch) as stream:
        return np.memmap(stream, np.float64, "w+", shape=n_rows)


def _write(model: TrainedModel, values: _Values, *, schema: Schema, data: Path, out: Path) -> None:
    """Writes the predictions atomically; the data is read once more for group and time."""
    shown = [*([schema.group] if schema.group is not None else []), *schema.time_columns]
    first = 0
    try:
        with atomic_file(out, is_durable=False) as binary:
            stream = TextIOWrapper(binary, "utf-8", newline="", write_through=True)
            for piece in known_pieces(data, schema):
                end = first + len(piece)
                lines = pd.DataFrame({ROW: np.arange(first, end)})
                lines[shown] = piece[shown].to_numpy()
                lines[PREDICTION] = model.named(np.asarray(values.value[first:end]))
                for name, column in values.by_class.items():
                    lines[f"score_{name}"] = column[first:end]
                lines.to_csv(stream, index=False, header=first == 0)
                first = end
            stream.flush()
            stream.detach()
    except OSError as error:
        raise StudyError(
            f"cannot write {out}: {error.strerror}", "free some disk space, or choose another --out"
        ) from error
