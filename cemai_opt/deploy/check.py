"""Checks that a deployed model still keeps its limits on labelled rows: for continuous integration."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from pathlib import Path

from cemai_opt.core.config_file import read_config_file
from cemai_opt.core.errors import StudyError
from cemai_opt.core.scores import error_of
from cemai_opt.core.units import checked_intensity, grams_co2eq, readable_grams
from cemai_opt.datasets import Dataset, read_labelled_rows
from cemai_opt.deploy.model_folder import CONFIG, TrainedModel
from cemai_opt.deploy.predict_file import lacking_history
from cemai_opt.deploy.scoring import metrics_on
from cemai_opt.meters import open_meters
from cemai_opt.pipeline import Recorder
from cemai_opt.runs.payback import PER_READING

PREDICT, MEASUREMENTS = "predict", 3
"""The measured phase, and how often the rows are predicted; the first prediction warms up and is not measured."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a model has to keep; None for no limit. `max_error` is in the target's unit."""

    min_score: float | None = None
    max_error: float | None = None
    max_g_per_1000: float | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """Score, error and cost of a model on labelled rows, and the limits that it breaks, in words."""

    rows: int
    score_name: str
    score: float | None
    error_name: str | None
    error: float | None
    carbon_g_per_1000: float
    energy_j_per_1000: float
    source: str
    broken: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether every limit is kept."""
        return not self.broken


def check_model(
    model: TrainedModel,
    data: Path,
    *,
    limits: Limits,
    history: Path | None = None,
    ignore: tuple[str, ...] = (),
    intensity_g_per_kwh: float | None = None,
) -> CheckResult:
    """Scores a model on the rows of a file or folder and measures its predictions, in grams per 1,000 rows.

    `history` is a file or folder with the rows before those of `data`, which features are computed from.
    A limit on a score that is not defined on these rows is broken. StudyError if the rows are not what the model needs,
    or if `max_error` is given and the model was not chosen by an error.
    """
    error_name = error_of(model.scorer.task.score)
    if limits.max_error is not None and error_name is None:
        score = model.scorer.task.score
        raise StudyError(f"the model was chosen by {score}, which is no error", "use --min-score")
    document = model.document
    rows = read_labelled_rows(
        data,
        replace(model.schema, left_out=(*model.schema.left_out, *ignore)),
        classes=model.classes,
        horizon=document.horizon,
        clip_target=document.clip_target,
        history=history,
    )
    intensity = model.carbon.intensity_g_per_kwh
    if intensity_g_per_kwh is not None:
        intensity = checked_intensity(intensity_g_per_kwh)
    metrics = metrics_on(model, rows, wanted=rows.has_target)
    energy_j, source = _predicting_j(model, rows)
    result = CheckResult(
        rows=int(rows.has_target.sum()),
        score_name=model.scorer.task.score,
        score=metrics.get(model.scorer.task.score),
        error_name=error_name,
        error=None if error_name is None else metrics.get(error_name),
        carbon_g_per_1000=grams_co2eq(energy_j, intensity, pue=model.carbon.pue) / len(rows.y) * PER_READING,
        energy_j_per_1000=energy_j / len(rows.y) * PER_READING,
        source=source,
        broken=(),
        notes=(*rows.notes, *_cautions(model, data, history=history)),
    )
    return replace(result, broken=_broken(result, limits))


def _cautions(model: TrainedModel, data: Path, *, history: Path | None) -> list[str]:
    """What makes the score on these rows differ from that on rows that are new."""
    spec, checked = read_config_file(model.folder / CONFIG)[0].data, data.resolve()
    cautions = list[str]()
    if checked in {Path(path).resolve() for path in (spec.path, *spec.append) if path is not None}:
        cautions.append(f"the model was trained on rows of {data}: the score is too good")
    elif spec.test is not None and checked == Path(spec.test).resolve():
        cautions.append(f"{data} has the test rows of the study: this repeats their score; updates train on them")
    return [*cautions, *(lacking_history(model) if history is None else ())]


def _broken(result: CheckResult, limits: Limits) -> tuple[str, ...]:
    """The limits that are broken, in words."""
    broken = list[str]()
    if limits.min_score is not None and not (result.score is not None and result.score >= limits.min_score):
        broken.append(f"{result.score_name} is {_readable(result.score)}, below {limits.min_score:g}")
    if limits.max_error is not None and not (result.error is not None and result.error <= limits.max_error):
        broken.append(f"{result.error_name} is {_readable(result.error)}, above {limits.max_error:g}")
    grams = result.carbon_g_per_1000
    if limits.max_g_per_1000 is not None and grams > limits.max_g_per_1000:
        limit = readable_grams(limits.max_g_per_1000)
        broken.append(f"1,000 predictions emit {readable_grams(grams)}, more than {limit}")
    return tuple(broken)


def _readable(value: float | None) -> str:
    return "not defined on these rows" if value is None else f"{value:.4g}"


def _predicting_j(model: TrainedModel, rows: Dataset) -> tuple[float, str]:
    """The median joules of predicting all rows, and the meter."""
    recorder = Recorder(open_meters("auto", "cpu", threads=model.scorer.task.threads))
    for i in range(MEASUREMENTS):
        with recorder.stage(f"{PREDICT} {i + 1}"):
            model.scorer.predict(rows.X, rows.group)
    measured = recorder.recording().cost.rows[:MEASUREMENTS]
    return statistics.median(row.total_j for row in measured), measured[0].source
