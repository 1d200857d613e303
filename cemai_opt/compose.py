"""Creates the objects of a study: the only module that knows every kind of part."""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.carbon import (
    WORLD_G_PER_KWH,
    IntensitySeries,
    LiveIntensity,
    cloud_intensity,
    national_intensity,
)
from cemai_opt.core.batch import last_rows
from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.core.plan import Config
from cemai_opt.core.scores import ERRORS, REGRESSION_SCORES, skill
from cemai_opt.core.shipped import document_of
from cemai_opt.core.space import LockedSpace, Params, SearchSpace, SearchSpaceSpec
from cemai_opt.core.study import COMMAND, EngineSpec, ResolvedCarbon, ResolvedSplit, ResolvedStudy, SplitSpec, StudySpec
from cemai_opt.core.study_file import parse_study_file
from cemai_opt.datasets import READERS, Dataset
from cemai_opt.engines import ENGINES
from cemai_opt.meters import METERS, RECORD, Meter, open_meters
from cemai_opt.models import MODELS
from cemai_opt.pipeline import Splits, dummy_score, hides_extrapolation, read_data, resolve_split
from cemai_opt.pipeline.row_order import has_order
from cemai_opt.pipeline.suspicions import check_classes, suspicions
from cemai_opt.runs import RunFolder
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.spaces import build_space, load_portfolio, load_space_spec
from cemai_opt.stages import STAGES
from cemai_opt.stages.scale import is_skewed

DATA_ROOT = "CEMAI_OPT_DATA"
"""Environment variable: the base folder of relative data paths, unless another one is given."""
DEFAULT_STUDY = "demo"
AUTO_SPACE, ORDERED_SPACE, INDEPENDENT_SPACE = "auto", "default", "tabular"
"""The first stands for one of the others: rows that are shuffled have no earlier rows to compute features from."""
INDEPENDENT_NOTE = "the rows are taken as independent: no features of earlier rows are searched (--space default does)"
NO_ORDER_NOTE = "no row tells anything of the next ones, so their order counts for nothing (if it does: --split time)"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PreparedStudy:
    """A resolved study with its search space, its data and its meters, ready for a search.

    `space_spec` is the content of the search space file; `confirm_folds` is the number of folds on which the scores of
    front candidates are confirmed; `portfolio` are the configurations that a search runs first; `dummy` is the score of
    a constant prediction.
    `live` is the intensity over time, for the footprint. `start_s`, `start_j`: clock and meter readings before the data
    was read; the ledger counts from there. `notes` describe the automatic choices.
    """

    study: ResolvedStudy
    space: SearchSpace
    space_spec: SearchSpaceSpec
    data: Dataset
    confirm_folds: int
    portfolio: tuple[Params, ...]
    dummy: DummyScore
    notes: tuple[str, ...]
    meters: tuple[Meter, ...]
    live: LiveIntensity | None
    start_s: float
    start_j: float

    @property
    def locked_space(self) -> LockedSpace:
        """The search space, with the fingerprint of the data."""
        return self.space.locked(self.data.digest)


def load_study(name: str) -> StudySpec:
    """A shipped study by name, or a study file by path. StudyError if it names a command or a host."""
    return parse_study_file(*document_of("studies", name))


def prepare(study: StudySpec, *, data_root: Path | None = None, whole_process: bool = False) -> PreparedStudy:
    """Resolves every open choice of a study, reads its data, and describes the choices in notes.

    `data_root` is the base folder of relative data paths, by default the one in CEMAI_OPT_DATA. With `whole_process`
    the ledger starts with this process, so that it includes importing libraries.
    """
    ENGINES.require(study.engine.name)
    carbon, carbon_note = _resolved_carbon(study)
    meters = open_meters(carbon.meter, study.device, threads=study.threads)
    engine, trace_note = _resolved_engine(study, meters)
    live = LiveIntensity(carbon.live) if carbon.live else None
    begun = [0.0 if whole_process and meter.counts_whole_process else meter.peek_j() for meter in meters]
    start_s, start_j = time.monotonic(), math.fsum(begun)
    data_spec = _with_paths(study.data, data_root or Path(os.environ.get(DATA_ROOT, ".")))
    data_spec = READERS.require(data_spec.source)().within_memory(data_spec)
    data = read_data(data_spec, study.task)
    wanted, order_note = _independent(_explorable(study), study.space, data=data)
    split, split_note = resolve_split(data, wanted)
    resolved = ResolvedStudy.model_validate(
        {
            **dict(study),
            "data": data_spec,
            "task": data.task,
            "score": _score(study, data),
            "split": split,
            "space": _space_of(study.space, data, split=split),
            "carbon": carbon,
            "engine": engine,
        }
    )
    splits = Splits.of(data, split, seed=study.seed)
    check_classes(data, splits)
    spec, where = load_space_spec(resolved.space)
    sizes = (
        f"{len(data.y)} rows, {len(data.names)} inputs, {data.task}; search {int((~splits.test).sum())} rows, "
        f"test {int(splits.final.is_eval.sum())} rows that the search never sees"
    )
    if resolved.score == "rmse_last":
        _check_last_rows(data, splits)
    score_notes = _score_notes(resolved.score, data, splits=splits)
    space_note = (INDEPENDENT_NOTE,) if (study.space, resolved.space) == (AUTO_SPACE, INDEPENDENT_SPACE) else ()
    notes = (
        sizes,
        *data.notes,
        *suspicions(data, splits),
        f"{split_note}{_split_details(data, splits, split=split)}",
        *order_note,
        *space_note,
        *score_notes,
        carbon_note,
        *trace_note,
    )
    for note in notes:
        log.info("%s", note)
    return PreparedStudy(
        study=resolved,
        space=build_space(
            spec,
            where,
            task=data.task,
            has_categories=bool(data.n_levels),
            has_starts=split.by != "time",
            is_skewed=split.by == "rows" and is_skewed(data.y[~splits.test & data.has_target]),
            longest_window=_longest_window(data, splits),
        ),
        space_spec=spec,
        data=data,
        confirm_folds=len(splits.confirm),
        portfolio=load_portfolio(study.search.portfolio),
        dummy=dummy_score(data, splits, study=resolved),
        notes=notes,
        meters=meters,
        live=live,
        start_s=start_s,
        start_j=start_j,
    )


def reopen(folder: RunFolder, data: str | None = None) -> PreparedStudy:
    """The study of a run with its rows; `data` is their current path, if they were moved.

    No command that the study names is run, and it connects to no host. StudyError if the rows are not those of the run.
    """
    study = folder.study().without_bound().model_copy(update={"space": ORDERED_SPACE})  # nothing is searched
    if data is not None:
        study = study.model_copy(update={"data": study.data.model_copy(update={"path": str(Path(data).resolve())})})
    prepared = prepare(study)
    if prepared.data.digest != folder.space().data_digest:
        raise StudyError(f"the rows in {study.data.path} are not those of the run", "give their path with --data")
    return prepared


def _longest_window(data: Dataset, splits: Splits) -> int:
    """A quarter of the rows of a typical group, as far as trials see it."""
    group = data.group if splits.explored is None else data.group[splits.explored]
    return int(np.median(np.bincount(group)[np.unique(group)])) // 4


def _resolved_engine(study: StudySpec, meters: Sequence[Meter]) -> tuple[EngineSpec, tuple[str, ...]]:
    """The study's engine, and a note if it is `in_process` instead.

    Readings that are recorded or replayed have a fixed order; and not every system can supervise processes.
    """
    if RECORD in os.environ or not all(meter.is_live for meter in meters):
        why = "the readings of a trace have a fixed order"
    elif sys.platform != "linux" and ENGINES.require(study.engine.name).needs_linux:
        why = f"engine {study.engine.name!r} needs Linux, without which no trial is stopped for its time or memory"
    else:
        return study.engine, ()
    in_process = study.engine.model_copy(update={"name": "in_process", "workers": 1})
    return in_process, (f"{why}: trials run in this process, one after the other",)


def _resolved_carbon(study: StudySpec) -> tuple[ResolvedCarbon, str]:
    """The study's carbon settings with an intensity, and one line about its origin."""
    carbon, live = study.carbon, study.carbon.live
    if live is not None and not live.startswith(COMMAND):
        path = Path(live).resolve()
        carbon = carbon.model_copy(update={"live": str(path)})
        live_mean: float | None = IntensitySeries.read(path).mean()
    else:
        path, live_mean = Path(), None
    if carbon.intensity_g_per_kwh is not None:
        grams, origin = carbon.intensity_g_per_kwh, carbon.origin or "as given"
    elif live_mean is not None:
        grams, origin = live_mean, f"mean of {path.name}"
    elif carbon.country is not None:
        grams, origin = national_intensity(carbon.country)
    elif carbon.cloud is not None:
        grams, origin = cloud_intensity(carbon.cloud)
    else:
        grams, origin = WORLD_G_PER_KWH, "world mean, because no --country was given"
    resolved = ResolvedCarbon.model_validate({**carbon.model_dump(), "intensity_g_per_kwh": grams, "origin": origin})
    return resolved, f"carbon intensity: {grams:g} g/kWh ({origin})"


def _explorable(study: StudySpec) -> SplitSpec:
    """The study's split; without exploration if candidates are not measured again, or only last rows are scored."""
    if study.search.confirm and study.score != "rmse_last":
        return study.split
    if study.split.explore_rows:
        why = "--confirm 0" if not study.search.confirm else "--score rmse_last"
        raise StudyError(f"--explore-rows does not work with {why}", "leave one of them out")
    return study.split.model_copy(update={"explore_rows": 0})


def _independent(split: SplitSpec, space: str, *, data: Dataset) -> tuple[SplitSpec, tuple[str, ...]]:
    """The split, and a note: of shuffled rows if nothing is said of their order, and they have none or none is used."""
    if split.by != "auto" or data.has_groups or data.has_time or space not in (INDEPENDENT_SPACE, AUTO_SPACE):
        return split, ()
    if space == AUTO_SPACE and has_order(data):
        return split, ()
    return split.model_copy(update={"by": "rows"}), (NO_ORDER_NOTE,) if space == AUTO_SPACE else ()


def _with_paths(spec: DataSpec, root: Path) -> DataSpec:
    """The data with absolute paths; relative ones are resolved against `root`."""
    return spec.with_paths(lambda path: str((root / path).resolve()))


def _space_of(space: str, data: Dataset, *, split: ResolvedSplit) -> str:
    if space != AUTO_SPACE:
        return space
    is_independent = split.by == "rows" and not (data.has_groups or data.has_time)
    return INDEPENDENT_SPACE if is_independent else ORDERED_SPACE


def _score(study: StudySpec, data: Dataset) -> str:
    is_class = data.task == "classification"
    if study.score == "auto":
        return "r2" if not is_class else "f1" if len(data.classes) == 2 else "f1_macro"
    if (study.score in REGRESSION_SCORES) == is_class:
        raise StudyError(f"score {study.score!r} does not fit a {data.task}", "leave --score out, or change --task")
    if study.score == "f1" and len(data.classes) != 2:
        raise StudyError(f"f1 needs two classes, the target has {len(data.classes)}", "use --score f1_macro")
    if study.score == "rmse_last" and len(np.unique(data.group)) < 2:
        raise StudyError("rmse_last is that of the last row of each group, and there are no groups", "give --group")
    return study.score


def _split_details(data: Dataset, splits: Splits, *, split: ResolvedSplit) -> str:
    """What follows the note on the split: which rows are explored, what is known of the target, what is confirmed."""
    text = ""
    if splits.explored is not None:
        text += f"; trials explore on {int(splits.explored.sum())} rows, candidates run on all (see --explore-rows)"
    if data.horizon:
        target = data.schema.target
        role = "an input (--no-past-target)" if target in data.schema.input_columns else "no input"
        text += f"; the present value of {target!r} is {role}"
    if hides_extrapolation(data, split):
        text += "; so few do not show how a model extrapolates, so the untuned baseline is one that does not"
    if split.by == "time":
        text += "; rows to predict continue these series: no feature of a series' start is searched"
    return f"{text}; the scores of the front are confirmed on {len(splits.confirm)} other folds"


def _check_last_rows(data: Dataset, splits: Splits) -> None:
    """StudyError unless several groups have last rows to be scored, in all validation folds together and in the test.

    A single error has no skill: its constant prediction is the target itself.
    """
    validated = np.any([fold.is_eval for fold in splits.search], axis=0)
    for name, rows in (("validation", validated), ("test", splits.final.is_eval)):
        if len(np.unique(data.group[rows & data.has_target])) < 2:
            raise StudyError(
                f"rmse_last needs at least two groups of {name} rows", "use more groups or another --score"
            )


def _score_notes(score: str, data: Dataset, *, splits: Splits) -> tuple[str, ...]:
    """What a score judges, where its name does not say it."""
    if score not in ERRORS:
        return ()
    notes = [f"score: the search maximises {skill(score)} = 1 - {score} / {score} of predicting the mean"]
    rows = np.flatnonzero(~splits.test & data.has_target)
    if score == "rmse_last" and len(np.unique(data.y[rows][last_rows(data.group[rows])])) == 1:
        notes.append("the last target of every group of the search is the same: rmse_last judges only such rows")
    return tuple(notes)


def check_config(config: Config, task: str) -> None:
    """StudyError if a configuration has an unknown stage, hyperparameter or model, or a value out of range."""
    for stage, params in config.stages.items():
        STAGES.require(stage).checked(stage, params, task=task)
    if "model" not in config.params("train"):
        raise StudyError("the configuration names no model", "write train: {model: ridge}")


def all_parts() -> dict[str, Any]:
    """Every registry, by kind, for `parts`."""
    from cemai_opt.search.samplers import SAMPLERS  # loads Optuna, which only a search needs

    return {
        "models": MODELS,
        "stages": STAGES,
        "meters": METERS,
        "engines": ENGINES,
        "samplers": SAMPLERS,
        "datasets": READERS,
    }
