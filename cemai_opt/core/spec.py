"""The study file: one question asked of one data set, strict about every key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.units import grams_co2eq


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataSpec(_Strict):
    """Where the rows come from, and what is to be predicted from them."""

    source: str = "tabular"
    """Name of a part under `datasets/`."""
    path: str | None = None
    """CSV or Parquet file (gzip too), or a folder of them, in which one file is one group."""
    test: str | None = None
    """A second path whose rows are the test rows."""
    target: str | None = None
    group: str | None = None
    time: str | None = None
    """Column that orders the rows of a group; it is no input."""
    test_groups: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    missing: float | None = None
    """A number that stands for "no value", such as -200."""
    clip_target: float | None = None
    positive: str | None = None
    """Of two classes the one to look for; None: the larger number, or the rarer word."""
    horizon: int = Field(default=0, ge=0)
    """Predict the target of the row this many rows later in the same group."""


class SplitSpec(_Strict):
    """Who trains, who validates, who tests; fixed once per study."""

    by: Literal["auto", "group", "time", "rows"] = "auto"
    folds: int | None = Field(default=None, ge=1, le=50)
    """1 is one holdout; None chooses: a holdout where there are many groups, folds where there are few."""
    test_share: float = Field(default=0.2, gt=0.0, lt=1.0)
    validation_share: float = Field(default=0.2, gt=0.0, lt=1.0)


class CarbonSpec(_Strict):
    """How joules become grams: one fixed intensity per study."""

    country: str | None = None
    """ISO 3166 code of three letters, looked up in CodeCarbon's table of yearly means."""
    cloud: str | None = None
    """"provider/region", looked up in CodeCarbon's table of cloud regions."""
    live: str | None = None
    """Intensity over time, for the footprint: a CSV file of time,g_per_kwh, or "cmd:" and a command that prints it."""
    intensity_g_per_kwh: float | None = Field(default=None, gt=0.0)
    origin: str = ""
    """Where the intensity comes from, in words."""
    pue: float = Field(default=1.0, ge=1.0, le=5.0)
    """Power usage effectiveness of the building."""
    embodied_kg: float = Field(default=0.0, ge=0.0)
    """Kilograms of CO2 equivalent that making the machine caused; the footprint takes its share by time."""
    lifetime_years: float = Field(default=4.0, gt=0.0)
    meter: str = "auto"
    """Source of CPU energy: the name of a part under `meters/`, or the best that is readable."""

    def grams(self, energy_j: float) -> float:
        """Grams of CO2 equivalent of `energy_j` joules. StudyError while the intensity is not settled."""
        if self.intensity_g_per_kwh is None:
            raise StudyError("the study has no carbon intensity", "give --country or --intensity")
        return grams_co2eq(energy_j, self.intensity_g_per_kwh, self.pue)


class ObjectiveSpec(_Strict):
    """Which grams are minimised."""

    of: Literal["total", "train", "inference", "lifecycle"] = "total"
    """All stages, training alone, 1,000 predictions, or a year of retraining and predicting."""
    retrains_per_year: float = Field(default=12.0, ge=0.0)
    predictions_per_year: float = Field(default=1e6, ge=0.0)

    @property
    def needs_inference(self) -> bool:
        """Must predictions be measured in every trial?"""
        return self.of in ("inference", "lifecycle")


class SearchSpec(_Strict):
    """How the search spends its trials."""

    sampler: str = "auto"
    trials: int = Field(default=100, ge=1)
    timeout_s: float | None = Field(default=None, gt=0.0)
    population: int | None = Field(default=None, ge=2)
    """None chooses a twentieth of the trials, between 10 and 50."""
    explain: Literal["front", "every", "never"] = "front"
    confirm: int = Field(default=3, ge=0, le=20)
    """How often front members are measured again, alone on the machine, before anything is reported of them."""
    budget_g: float | None = Field(default=None, gt=0.0)
    """Grams that the whole run may spend, measuring and testing its front included."""
    patience: int | None = Field(default=None, ge=1)
    """Trials in a row without a gain in hypervolume after which the search ends."""
    max_carbon_g: float | None = Field(default=None, gt=0.0)
    """A pipeline that costs more is of no use."""
    min_score: float | None = None
    """A pipeline that scores less is of no use."""
    tolerance: float = Field(default=0.01, ge=0.0)
    """Scores this close to the best are as good, where the greenest of them is picked."""
    harvest: bool = True
    """Are half-grown models candidates of their own?"""
    stop_early: bool = True
    """Are trials ended that can no longer reach the front?"""
    cache_mb: int = Field(default=1000, ge=0)
    """Disk space for results of stages that trials share; 0 keeps none."""
    storage: str | None = None
    """Address of a database that several drivers share, without a password; None: a file in the run folder."""

    @field_validator("storage")
    @classmethod
    def _has_no_password(cls, address: str | None) -> str | None:
        if address is not None and urlsplit(address).password:
            raise ValueError("a password does not belong in a study; give it with --storage, which writes it nowhere")
        return address


class EngineSpec(_Strict):
    """Where trials run, how many at the same time, and what each may take."""

    name: str = "worker_process"
    """Name of a part under `engines/`."""
    workers: int = Field(default=1, ge=1)
    trial_timeout_s: float | None = Field(default=None, gt=0.0)
    """A trial that runs longer is killed."""
    trial_memory_mb: int | None = Field(default=None, ge=1)
    """A trial that takes more is killed; None: its share of what is free when the search begins."""
    scheduler: str | None = None
    """Address of a scheduler that is there already, for engines that have one."""


class StudySpec(_Strict):
    """Everything that defines a study."""

    name: str = Field(default="study", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)
    description: str = ""
    data: DataSpec = DataSpec()
    task: Literal["auto", "regression", "classification"] = "auto"
    score: Literal["auto", "r2", "f1", "f1_macro", "balanced_accuracy", "average_precision"] = "auto"
    split: SplitSpec = SplitSpec()
    space: str = "default"
    """Name of a file under `search_spaces/`, or a path."""
    search: SearchSpec = SearchSpec()
    objective: ObjectiveSpec = ObjectiveSpec()
    carbon: CarbonSpec = CarbonSpec()
    engine: EngineSpec = EngineSpec()
    seed: int = Field(default=0, ge=0, lt=2**31)
    threads: int = Field(default=1, ge=1)
    """Threads of one trial. One, because a second thread costs energy while it waits for the first."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where networks and XGBoost run."""

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return self.model_dump(mode="json")

    def question(self) -> dict[str, Any]:
        """What is asked, as JSON values: everything but how it is searched, where, and how long."""
        document = self.to_json()
        document.pop("description")
        document.pop("engine")
        for key in HOW_SEARCHED:
            document["search"].pop(key)
        return document

    def asks_the_same(self, other: StudySpec) -> bool:
        """Can results of the two studies stand in one table?"""
        return self.question() == other.question()


HOW_SEARCHED = (
    "trials",
    "timeout_s",
    "budget_g",
    "patience",
    "max_carbon_g",
    "min_score",
    "tolerance",
    "harvest",
    "stop_early",
    "cache_mb",
    "storage",
)
"""Keys of a search that change what it finds and spends, but not what a result means."""


def parse_study(document: object, where: str) -> StudySpec:
    """The study in a parsed YAML document. StudyError names the key at fault, and the nearest known one.

    >>> parse_study({"serch": {}}, "a.yaml")
    Traceback (most recent call last):
    cemai_opt.core.errors.StudyError: a.yaml: unknown key 'serch' (did you mean 'search'?)
    """
    if not isinstance(document, Mapping):
        raise StudyError(f"{where}: a study is a mapping of keys to values", "see studies/demo.yaml")
    try:
        return StudySpec.model_validate(document)
    except ValidationError as error:
        raise _readable(error, where) from error


def _readable(error: ValidationError, where: str) -> StudyError:
    fault = error.errors()[0]
    path = [str(step) for step in fault["loc"]]
    if fault["type"] == "extra_forbidden":
        return StudyError(f"{where}: unknown key {'.'.join(path)!r}", nearest(path[-1], _keys_at(path[:-1])))
    return StudyError(f"{where}: {'.'.join(path)}: {fault['msg']}", f"got {fault.get('input')!r}")


def _keys_at(path: list[str]) -> list[str]:
    model: Any = StudySpec
    for step in path:
        model = model.model_fields[step].annotation
    return list(model.model_fields)
