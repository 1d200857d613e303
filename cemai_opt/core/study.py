"""The study: data, task, search and all other settings, as specified and as resolved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cemai_opt.core.errors import StudyError
from cemai_opt.core.front import Constraints
from cemai_opt.core.scores import Score
from cemai_opt.core.units import grams_co2eq, parsed_worth

OPTION = "option"
"""Key of a field's metadata for the command line and the Python API."""


def option(
    name: str,
    help: str,
    *,
    default: Any = None,
    metavar: str = "",
    default_text: str = "",
    **constraints: Any,
) -> Any:
    """A field of a study that is also an option: `--name` on the command line, `name=` in Python.

    `help` is its documentation everywhere. `default_text` describes the default if the default value itself does not;
    `constraints` are those of `pydantic.Field`.
    """
    extra: Any = {OPTION: {"name": name, "metavar": metavar, "default_text": default_text}}
    return Field(default, description=help, json_schema_extra=extra, **constraints)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataSpec(_Strict):
    """The source of the rows, and the target to predict."""

    source: str = Field(default="tabular", description="Name of a data source, a part under `datasets/`.")
    path: str | None = option(
        "data", "CSV or Parquet file (gzip too), or a folder in which each file is one group.", metavar="PATH"
    )
    test: str | None = option("test", "File or folder with the test rows.", metavar="PATH")
    target: str | None = option("target", "Column to predict.", metavar="COL")
    group: str | None = option("group", "Column of units, tools or experiments; a group is never split.", metavar="COL")
    time: str | None = option("time", "Column that orders the rows of a group; not an input.", metavar="COL")
    test_groups: tuple[str, ...] = option("test_groups", "Groups that are the test rows.", default=(), metavar="A,B")
    ignore: tuple[str, ...] = option("ignore", "Columns to leave out.", default=(), metavar="A,B")
    regime: tuple[str, ...] = option(
        "regime",
        "Columns by which operating regimes are told apart, where a pipeline normalises by regime.",
        default=(),
        metavar="A,B",
        default_text="all inputs",
    )
    encode: bool = option(
        "encode", "Encode text with many values, and use hour, weekday and month of dates.", default=True
    )
    missing: float | None = option("missing", 'A number that means "no value", such as -200.', metavar="VALUE")
    clip_target: float | None = option(
        "clip_target", "Upper limit of the target, as for remaining useful life.", metavar="MAX"
    )
    positive: str | None = option(
        "positive",
        "The positive class of two.",
        metavar="CLASS",
        default_text="the rarer label, or the larger number",
    )
    horizon: int = option(
        "horizon", "Predict the target H rows ahead, in the same group.", default=0, metavar="H", ge=0
    )


class SplitSpec(_Strict):
    """The split into training, validation and test rows; fixed once per study."""

    by: Literal["auto", "group", "time", "rows"] = option(
        "split",
        "Split by whole groups, by time, or by shuffled rows (these leak).",
        default="auto",
        default_text="groups if there are any, else time",
    )
    folds: int | None = option(
        "folds",
        "Validation folds; 1 is a single holdout.",
        metavar="K",
        default_text="5 with fewer than 20 groups, else 1",
        ge=1,
        le=50,
    )
    test_share: float = Field(
        default=0.2, gt=0.0, lt=1.0, description="Share of the groups (or rows) that are test rows."
    )
    validation_share: float = Field(
        default=0.2, gt=0.0, lt=1.0, description="Share of the rest that is the validation set of a holdout."
    )


class CarbonSpec(_Strict):
    """The conversion of joules to grams: one constant carbon intensity per study."""

    country: str | None = option("country", "Carbon intensity of a country, by ISO 3166 code (NOR).", metavar="ISO3")
    cloud: str | None = option("cloud", "Carbon intensity of a cloud region.", metavar="PROVIDER/REGION")
    live: str | None = Field(
        default=None,
        description='Intensity over time, for the footprint: a CSV file of time,g_per_kwh, or "cmd:" and a command.',
    )
    intensity_g_per_kwh: float | None = option(
        "intensity",
        "Carbon intensity: a number, a CSV file of time,g_per_kwh, or a command that prints a number.",
        metavar="G_PER_KWH|CSV|cmd:...",
        default_text="the world mean",
        gt=0.0,
    )
    origin: str = Field(default="", description="Origin of the intensity, in words.")
    pue: float = option(
        "pue", "Power usage effectiveness of the building.", default=1.0, metavar="FACTOR", ge=1.0, le=5.0
    )
    embodied_kg: float = option(
        "embodied_kg",
        "CO2eq of manufacturing the machine; the footprint includes a share.",
        default=0.0,
        metavar="KG",
        ge=0.0,
    )
    lifetime_years: float = option(
        "lifetime_years", "Lifetime over which embodied CO2eq is spread.", default=4.0, metavar="YEARS", gt=0.0
    )
    meter: str = option(
        "meter", "Source of CPU energy.", default="auto", metavar="NAME", default_text="the best readable"
    )


class ObjectiveSpec(_Strict):
    """The grams to minimise."""

    of: Literal["total", "train", "inference", "lifecycle"] = option(
        "objective",
        "Grams of all stages, of training, of 1,000 predictions, or of a year of both.",
        default="total",
    )
    retrains_per_year: float = option(
        "retrains_per_year", "Retrainings per year, for lifecycle.", default=12.0, metavar="N", ge=0.0
    )
    predictions_per_year: float = option(
        "predictions_per_year", "Predictions per year, for lifecycle.", default=1e6, metavar="N", ge=0.0
    )

    @property
    def needs_inference(self) -> bool:
        """Whether the cost of predictions must be measured in every trial."""
        return self.of in ("inference", "lifecycle")


OLD_SAMPLERS = {"auto": "nsga2", "sms_emoa": "nsga2"}
"""Samplers in studies of earlier versions, and their present names."""
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {"trials": 30},
    "balanced": {"trials": 100},
    "thorough": {"trials": 400, "confirm": 10},
}
"""Settings of a search by the name of a preset."""


class SearchSpec(_Strict):
    """The settings of the search."""

    sampler: str = option(
        "sampler",
        "nsga2, tpe, gp, random, nsga2-stock (Optuna's own), or a dotted class name.",
        default="nsga2",
        metavar="NAME",
    )
    preset: Literal["quick", "balanced", "thorough"] = option(
        "preset", "30, 100 or 400 trials (thorough: grams measured ten times), unless given.", default="balanced"
    )
    trials: int = option("trials", "Number of pipelines to run.", default=100, metavar="N", ge=1)
    timeout_s: float | None = option(
        "timeout", "Time limit for everything, testing the front included.", metavar="SECONDS", gt=0.0
    )
    population: int | None = option(
        "population",
        "Population size of evolutionary samplers.",
        metavar="N",
        default_text="trials/20, between 10 and 50",
        ge=2,
    )
    explain: Literal["front", "every", "never"] = option(
        "explain", "Which trials are explained (Shapley values).", default="front"
    )
    confirm: int = option(
        "confirm",
        "Measurements of each front candidate, at least one on each fold that confirms its score; 0: none.",
        default=3,
        metavar="N",
        ge=0,
        le=20,
    )
    budget_g: float | None = option(
        "budget_grams", "Grams that the whole run may spend, testing the front included.", metavar="G", gt=0.0
    )
    patience: int | None = option(
        "patience", "Stop after N trials in a row without a gain in hypervolume.", metavar="N", ge=1
    )
    worth: str | None = option(
        "worth",
        "What a gain in score is worth; stop when gains of late have cost more.",
        metavar="'0.01 = 5mg'",
    )
    max_carbon_g: float | None = option("max_grams", "Constraint: maximum grams of a pipeline.", metavar="G", gt=0.0)
    min_score: float | None = option("min_score", "Constraint: minimum score of a pipeline.", metavar="S")
    tolerance: float = option(
        "tolerance",
        "Scores this close to the best count as equally good.",
        default=0.01,
        metavar="T",
        ge=0.0,
    )
    portfolio: str = option(
        "portfolio",
        "Configurations to run first: default (learned from other data sets), none, or a YAML file.",
        default="default",
        metavar="NAME|FILE",
    )
    harvest: bool = option("harvest", "Count smaller models on a learning curve as trials.", default=True)
    stop_early: bool = option("stop_early", "Prune trials that can no longer reach the front.", default=True)
    cache_mb: int = option("cache_mb", "Disk space for shared stage results.", default=1000, metavar="MB", ge=0)
    storage: str | None = option(
        "storage",
        "Database shared by several drivers: postgresql+psycopg://...",
        metavar="URL",
        default_text="a file in the run folder",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, given: Any) -> Any:
        """Settings of a preset, where they are not given themselves."""
        return {**PRESETS.get(str(given.get("preset")), {}), **given} if isinstance(given, dict) else given

    @field_validator("sampler")
    @classmethod
    def _named_today(cls, sampler: str) -> str:
        return OLD_SAMPLERS.get(sampler, sampler)

    @field_validator("worth")
    @classmethod
    def _is_worth(cls, worth: str | None) -> str | None:
        if worth is not None:
            try:
                parsed_worth(worth)
            except StudyError as error:
                raise ValueError(str(error)) from error
        return worth

    @field_validator("storage")
    @classmethod
    def _has_no_password(cls, address: str | None) -> str | None:
        if address is not None and urlsplit(address).password:
            raise ValueError("a study must not contain a password; give it with --storage, which never writes it")
        return address


class EngineSpec(_Strict):
    """The execution of trials: engine, parallelism, and limits of time and memory."""

    name: str = option("engine", "Engine that runs the trials.", default="worker_process", metavar="NAME")
    workers: int = option("workers", "Number of concurrent trials.", default=1, metavar="N", ge=1)
    trial_timeout_s: float | None = option("trial_timeout", "Kill a trial that runs longer.", metavar="SECONDS", gt=0.0)
    trial_memory_mb: int | None = option(
        "trial_memory",
        "Kill a trial that uses more memory.",
        metavar="MB",
        default_text="its share of free memory",
        ge=1,
    )
    scheduler: str | None = option(
        "scheduler", "Dask scheduler, tcp://...", metavar="URL", default_text="a local cluster"
    )


class StudySpec(_Strict):
    """A study as specified by the user: "auto" and None leave a choice to `compose.prepare`."""

    name: str = Field(default="study", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)
    description: str = ""
    data: DataSpec = DataSpec()
    task: Literal["auto", "regression", "classification"] = option(
        "task", "Type of the target.", default="auto", default_text="inferred from the target"
    )
    score: Literal[
        "auto", "r2", "rmse", "mae", "mape", "rmse_last", "f1", "f1_macro", "balanced_accuracy", "average_precision"
    ] = option(
        "score",
        "Score to maximise; of an error, its skill.",
        default="auto",
        default_text="r2, f1, or f1_macro for several classes",
    )
    split: SplitSpec = SplitSpec()
    space: str = option("space", "Search space by name, or a YAML file.", default="default", metavar="NAME|FILE")
    search: SearchSpec = SearchSpec()
    objective: ObjectiveSpec = ObjectiveSpec()
    carbon: CarbonSpec = CarbonSpec()
    engine: EngineSpec = EngineSpec()
    seed: int = option("seed", "Seed of splits, samplers and models.", default=0, metavar="N", ge=0, lt=2**31)
    threads: int = option(
        "threads", "Threads of one trial; a second one costs energy while it waits.", default=1, metavar="N", ge=1
    )
    device: Literal["cpu", "cuda"] = option("device", "Device of networks and XGBoost.", default="cpu")

    def to_json(self) -> dict[str, Any]:
        """The study as JSON values."""
        return self.model_dump(mode="json")

    def comparable_settings(self) -> dict[str, Any]:
        """The settings that determine what a result means, as JSON values.

        Left out: the description, the engine, the origin of the intensity, and `SEARCH_ONLY_KEYS`.
        """
        document = self.to_json()
        document.pop("description")
        document.pop("engine")
        document["carbon"].pop("origin")
        document["data"].pop("encode")  # the digest of the data tells whether it made a difference
        for key in SEARCH_ONLY_KEYS:
            document["search"].pop(key)
        return document

    def is_comparable_to(self, other: StudySpec) -> bool:
        """Whether results of the two studies are comparable."""
        return self.comparable_settings() == other.comparable_settings()


class ResolvedSplit(SplitSpec):
    """A split without open choices."""

    by: Literal["group", "time", "rows"]
    folds: int = Field(ge=1, le=50)


class ResolvedCarbon(CarbonSpec):
    """Carbon settings with the constant intensity by which the objective is computed."""

    intensity_g_per_kwh: float = Field(gt=0.0)

    def grams(self, energy_j: float) -> float:
        """Grams of CO2 equivalent of `energy_j` joules."""
        return grams_co2eq(energy_j, self.intensity_g_per_kwh, pue=self.pue)


class ResolvedStudy(StudySpec):
    """A study without open choices, as used by all engines, stages and readers of a run.

    A field that may still be None means "none" (no group column, no budget), never "undecided".
    """

    task: Literal["regression", "classification"]
    score: Score
    split: ResolvedSplit
    carbon: ResolvedCarbon

    @property
    def constraints(self) -> Constraints:
        """The user's constraints on a pipeline."""
        max_g, min_score = self.search.max_carbon_g, self.search.min_score
        return Constraints(
            max_carbon_g=math.inf if max_g is None else max_g,
            min_score=-math.inf if min_score is None else min_score,
        )

    @property
    def budget_j(self) -> float:
        """Joules that the whole run may spend; infinite without a budget."""
        budget_g = self.search.budget_g
        return math.inf if budget_g is None else budget_g / self.carbon.grams(1.0)

    @property
    def time_limit_s(self) -> float:
        """Seconds that the whole run may take; infinite without a time limit."""
        return math.inf if self.search.timeout_s is None else self.search.timeout_s

    @property
    def worth_j(self) -> float:
        """Joules that one unit of score is worth; infinite if nothing is said about it."""
        worth = self.search.worth
        return math.inf if worth is None else parsed_worth(worth) / self.carbon.grams(1.0)

    @property
    def max_pipeline_j(self) -> float:
        """Joules that a pipeline may cost; infinite without a constraint."""
        return self.constraints.max_carbon_g / self.carbon.grams(1.0)


SEARCH_ONLY_KEYS = (
    "trials",
    "timeout_s",
    "budget_g",
    "patience",
    "preset",
    "worth",
    "max_carbon_g",
    "min_score",
    "tolerance",
    "harvest",
    "stop_early",
    "cache_mb",
    "storage",
    "portfolio",
)
"""Keys of `search` that affect the results and cost of a search, but not the meaning of a single result."""
