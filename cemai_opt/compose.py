"""Turns a study into live objects: the only file that knows every part."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.genes import Gene
from cemai_opt.core.plan import Config
from cemai_opt.core.space import MODEL, Lens, SearchSpace
from cemai_opt.core.spec import DataSpec, StudySpec, parse_study
from cemai_opt.datasets import READERS, Dataset
from cemai_opt.engines import ENGINES
from cemai_opt.meters import (
    COMMAND,
    RECORD,
    WORLD_G_PER_KWH,
    IntensitySeries,
    LiveIntensity,
    Meter,
    cloud_intensity,
    national_intensity,
    open_meters,
)
from cemai_opt.models import MODELS
from cemai_opt.pipeline import Splits, read_data, resolve_split, stage_order
from cemai_opt.stages import STAGES

DATA_ROOT = "CEMAI_OPT_DATA"
"""Environment variable: the folder that relative data paths start from."""
DEFAULT_STUDY = "demo"


@dataclass(frozen=True)
class Settled:
    """A study without open choices, with what it is about."""

    study: StudySpec
    space: SearchSpace
    data: Dataset
    notes: tuple[str, ...]
    meters: tuple[Meter, ...]
    live: LiveIntensity | None
    """Intensity over time, for the footprint."""
    start_s: float
    start_j: float
    """Reading of the meters before the data was read: the ledger counts from here."""

    def lock(self) -> dict[str, Any]:
        """What `space.lock.yaml` holds: the space as searched, and the fingerprint of the data."""
        return {**self.space.to_json(), "data_digest": self.data.digest}


def shipped(kind: str) -> dict[str, Path]:
    """Files that come with the product, by name: `kind` is "studies" or "search_spaces".

    In a wheel they lie inside the package, in a checkout beside it.
    """
    package = Path(__file__).parent
    for folder in (package / kind, package.parent / kind):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def load_study(name: str) -> StudySpec:
    """A shipped study by name, or a study file by path."""
    return parse_study(*_document("studies", name))


def load_lens(name: str) -> tuple[Lens, str]:
    """A shipped search space by name, or a file by path; with where it was found."""
    document, where = _document("search_spaces", name)
    return Lens.parse(document, where), where


def _document(kind: str, name: str) -> tuple[object, str]:
    known = shipped(kind)
    path = Path(name) if name.endswith((".yaml", ".yml")) else known.get(name)
    if path is None:
        raise StudyError(f"{kind}: there is no {name!r}", f"{nearest(name, known)} (a path ends in .yaml)")
    return read_yaml(path), str(path)


def read_yaml(path: Path) -> object:
    """The document in a YAML file. StudyError where it is missing or not YAML."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        siblings = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise StudyError(f"there is no file {path}", nearest(path.name, siblings)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot read {path}: {error}", "is it a YAML file?") from error
    except yaml.YAMLError as error:
        raise StudyError(f"{path} is not YAML: {' '.join(str(error).split())}", "mend the file") from error


def build_space(lens: Lens, where: str, task: str) -> SearchSpace:
    """All genes of the stages and models that the lens lets through."""
    names = stage_order(STAGES.available())
    for name in lens.skip_stages:
        if name not in names:
            raise StudyError(f"{where}: there is no stage {name!r}", nearest(name, names))
        if not STAGES.find(name).is_optional:
            optional = [n for n in names if STAGES.find(n).is_optional]
            raise StudyError(f"{where}: stage {name!r} cannot be skipped", f"these can: {', '.join(optional)}")
    stages = tuple(name for name in names if name not in lens.skip_stages)
    models = _models(lens, where)
    genes = {
        MODEL: replace(STAGES.find("train").genes()[0], choices=models, default=models[0], searched=len(models) > 1)
    }
    for stage in stages:
        genes |= {g.name: g for g in (_owned(stage, gene) for gene in STAGES.find(stage).genes()) if g.name != MODEL}
    for model in models:
        owned = [_owned(model, gene) for gene in MODELS.find(model).genes(task)]
        genes |= {g.name: g if g.when else replace(g, when=(MODEL, (model,))) for g in owned}
    pins = {model: MODELS.find(model).pins for model in models}
    return SearchSpace(lens.applied(genes, where), stages, pins)


def _models(lens: Lens, where: str) -> tuple[str, ...]:
    """Models of the lens, or all whose libraries are installed, cheapest first."""
    if lens.models is not None and not lens.models:
        raise StudyError(f"{where}: models is an empty list", f"known: {', '.join(MODELS.names)}")
    for name in lens.models or ():
        MODELS.require(name)
    names = dict.fromkeys(lens.models or MODELS.available())
    return tuple(sorted(names, key=lambda name: (MODELS.find(name).cost_rank, name)))


def _owned(owner: str, gene: Gene) -> Gene:
    """A gene under its full name, its condition too."""
    when = (f"{owner}.{gene.when[0]}", gene.when[1]) if gene.when else None
    return replace(gene, name=f"{owner}.{gene.name}", when=when)


def settle(study: StudySpec, whole_process: bool = False) -> Settled:
    """Makes every open choice of a study, reads its data, and says in notes what was chosen.

    `whole_process` lets the ledger begin with this process, so that importing libraries is in it.
    """
    ENGINES.require(study.engine.name)
    study, carbon_note = _with_intensity(study)
    meters = open_meters(study.carbon.meter, study.device, study.threads)
    study, traced_note = _in_one_process(study, meters)
    live = LiveIntensity(study.carbon.live) if study.carbon.live else None
    begun = [0.0 if whole_process and meter.counts_whole_process else meter.peek_j() for meter in meters]
    start_s, start_j = time.monotonic(), math.fsum(begun)
    study = study.model_copy(update={"data": _with_paths(study.data)})
    data = read_data(study.data, study.task)
    split, split_note = resolve_split(data, study.split)
    study = study.model_copy(update={"task": data.task, "split": split, "score": _score(study, data)})
    splits = Splits.of(data, split, study.seed)
    lens, where = load_lens(study.space)
    sizes = (
        f"{len(data.y)} rows, {len(data.names)} inputs, {data.task}; search {int((~splits.test).sum())} rows, "
        f"test {int(splits.final.judge.sum())} rows that the search never sees"
    )
    notes = (sizes, *data.notes, split_note, carbon_note, *traced_note)
    return Settled(study, build_space(lens, where, data.task), data, notes, meters, live, start_s, start_j)


def _in_one_process(study: StudySpec, meters: Sequence[Meter]) -> tuple[StudySpec, tuple[str, ...]]:
    """The study as it must run where readings are recorded or played back, which have one order; and a note of it."""
    if RECORD not in os.environ and all(meter.is_live for meter in meters):
        return study, ()
    engine = study.engine.model_copy(update={"name": "in_process", "workers": 1})
    return study.model_copy(update={"engine": engine}), ("a trace has one order: trials run in this process",)


def _with_intensity(study: StudySpec) -> tuple[StudySpec, str]:
    """The study with a carbon intensity, and one line that says where it comes from."""
    carbon = study.carbon
    live = carbon.live if carbon.live and not carbon.live.startswith(COMMAND) else None
    if live is not None:
        path = Path(live).resolve()
        carbon = carbon.model_copy(update={"live": str(path)})
    if live is not None and carbon.intensity_g_per_kwh is None:
        grams, origin = IntensitySeries.read(path).mean(), f"mean of {path.name}"
    elif carbon.intensity_g_per_kwh is not None:
        grams, origin = carbon.intensity_g_per_kwh, carbon.origin or "as given"
    elif carbon.country is not None:
        grams, origin = national_intensity(carbon.country)
    elif carbon.cloud is not None:
        grams, origin = cloud_intensity(carbon.cloud)
    else:
        grams, origin = WORLD_G_PER_KWH, "world mean, for no --country was given"
    settled = carbon.model_copy(update={"intensity_g_per_kwh": grams, "origin": origin})
    return study.model_copy(update={"carbon": settled}), f"carbon intensity: {grams:g} g/kWh ({origin})"


def _with_paths(spec: DataSpec) -> DataSpec:
    """Absolute paths, relative ones starting from the data root where one is set."""
    root = Path(os.environ.get(DATA_ROOT, "."))
    found = {key: getattr(spec, key) for key in ("path", "test")}
    return spec.model_copy(
        update={key: str((root / path).resolve()) for key, path in found.items() if path is not None}
    )


def _score(study: StudySpec, data: Dataset) -> str:
    is_class = data.task == "classification"
    if study.score == "auto":
        return "r2" if not is_class else "f1" if len(data.classes) == 2 else "f1_macro"
    if (study.score == "r2") == is_class:
        raise StudyError(f"score {study.score!r} does not fit a {data.task}", "leave --score out, or change --task")
    if study.score == "f1" and len(data.classes) != 2:
        raise StudyError(f"f1 needs two classes, the target has {len(data.classes)}", "use --score f1_macro")
    return study.score


def check_config(config: Config, task: str) -> None:
    """StudyError where a configuration names an unknown stage, knob or model, or a value outside its range."""
    for stage, params in config.stages.items():
        STAGES.require(stage).checked(stage, params, task)
    if "model" not in config.params("train"):
        raise StudyError("the configuration names no model", "write train: {model: ridge}")


def all_parts() -> dict[str, Any]:
    """Every registry, by kind, for `parts`."""
    from cemai_opt.meters import METERS
    from cemai_opt.search.samplers import SAMPLERS

    return {
        "models": MODELS,
        "stages": STAGES,
        "meters": METERS,
        "engines": ENGINES,
        "samplers": SAMPLERS,
        "datasets": READERS,
    }
