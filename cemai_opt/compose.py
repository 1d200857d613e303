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
from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.core.plan import Config
from cemai_opt.core.shipped import document_of
from cemai_opt.core.space import LockedSpace, Params, SearchSpace, SearchSpaceSpec
from cemai_opt.core.study import COMMAND, EngineSpec, ResolvedCarbon, ResolvedStudy, StudySpec
from cemai_opt.core.study_file import parse_study_file
from cemai_opt.datasets import READERS, Dataset
from cemai_opt.engines import ENGINES
from cemai_opt.meters import METERS, RECORD, Meter, open_meters
from cemai_opt.models import MODELS
from cemai_opt.open_choices import (
    INDEPENDENT,
    ORDERED_SPACE,
    check_last_rows,
    portfolio_of,
    score_notes,
    score_of,
    space_of,
    split_details,
    split_of,
)
from cemai_opt.pipeline import Splits, dummy_score, read_data
from cemai_opt.pipeline.suspicions import check_classes, suspicions
from cemai_opt.runs import RunFolder
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.spaces import build_space, load_space_spec
from cemai_opt.stages import STAGES
from cemai_opt.stages.scale import is_skewed

DATA_ROOT = "CEMAI_OPT_DATA"
"""Environment variable: the base folder of relative data paths, unless another one is given."""
DEFAULT_STUDY = "demo"
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
    split, (split_note, *order_notes) = split_of(study, data)
    choices = {"task": data.task, "score": score_of(study, data), "space": space_of(study.space, data, split=split)}
    parts = {"data": data_spec, "split": split, "carbon": carbon, "engine": engine}
    resolved = ResolvedStudy.model_validate({**dict(study), **choices, **parts})
    splits = Splits.of(data, split, seed=study.seed)
    check_classes(data, splits)
    spec, where = load_space_spec(resolved.space)
    if resolved.score == "rmse_last":
        check_last_rows(data, splits)
    notes = (
        _sizes(data, splits),
        *data.notes,
        *suspicions(data, splits),
        f"{split_note}{split_details(data, splits, split=split)}",
        *order_notes,
        *score_notes(resolved.score, data, splits=splits),
        carbon_note,
        *trace_note,
    )
    for note in notes:
        log.info("%s", note)
    return PreparedStudy(
        study=resolved,
        space=_space_for(spec, where, data=data, splits=splits, split_by=split.by),
        space_spec=spec,
        data=data,
        confirm_folds=len(splits.confirm),
        portfolio=portfolio_of(study.search.portfolio, data, split=split),
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


def _sizes(data: Dataset, splits: Splits) -> str:
    """How many rows there are, and what for."""
    n_search, n_test = int((~splits.test).sum()), int(splits.final.is_eval.sum())
    size = f"{len(data.y)} rows, {len(data.names)} inputs, {data.task}"
    return f"{size}; search {n_search} rows, test {n_test} rows that the search never sees"


def _space_for(spec: SearchSpaceSpec, where: str, *, data: Dataset, splits: Splits, split_by: str) -> SearchSpace:
    """The search space, with what only these data and splits give a use."""
    return build_space(
        spec,
        where,
        task=data.task,
        has_categories=bool(data.n_levels),
        has_starts=split_by != "time",
        is_skewed=split_by in INDEPENDENT and is_skewed(data.y[~splits.test & data.has_target]),
        longest_window=_longest_window(data, splits),
    )


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


def _with_paths(spec: DataSpec, root: Path) -> DataSpec:
    """The data with absolute paths; relative ones are resolved against `root`."""
    return spec.with_paths(lambda path: str((root / path).resolve()))


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
