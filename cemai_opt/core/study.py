"""The study: data, task, search and all other settings, as specified and as resolved."""

from __future__ import annotations

import math
from typing import Any, Literal, Self

from pydantic import Field

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.front import Constraints
from cemai_opt.core.option import Strict, option
from cemai_opt.core.scores import Score
from cemai_opt.core.search_spec import SearchSpec
from cemai_opt.core.table_spec import TableSpec
from cemai_opt.core.units import grams_co2eq, parsed_worth


class SplitSpec(Strict):
    """The split into training, validation and test rows; fixed once per study."""

    by: Literal["auto", "group", "time", "blocks", "rows"] = option(
        "split",
        "Split by whole groups, by time, by blocks of successive rows, or by shuffled rows (these leak if neighbours "
        "are alike).",
        default="auto",
        default_text="groups if there are any, else time; without both, blocks, or rows if their order tells nothing",
    )
    folds: int | None = option(
        "folds",
        "Validation folds; 1 is a single holdout.",
        metavar="K",
        default_text="5 with fewer than 20 groups, 3 with shuffled rows and fewer than 2,000 of them, else 1",
        ge=1,
        le=50,
    )
    explore_rows: int | None = option(
        "explore_rows",
        "Rows that trials run on; candidates for the front then run on all rows. 0: trials run on all.",
        metavar="N",
        default_text="200000 if the search has more than a million",
        ge=0,
    )
    test_share: float = Field(
        default=0.2, gt=0.0, lt=1.0, description="Share of the groups (or rows) that are test rows."
    )
    validation_share: float = Field(
        default=0.2, gt=0.0, lt=1.0, description="Share of the rest that is the validation set of a holdout."
    )


BOUND = {
    "search.storage": "--storage",
    "search.sampler": "--sampler",
    "engine.scheduler": "--scheduler",
    "carbon.live": "--intensity",
}
"""Settings that a file which travels must not make, and the options that make them."""
COMMAND = "cmd:"
"""Prefix of a live intensity that is a command: `cmd:./intensity.sh` prints one number, grams per kWh."""


class CarbonSpec(Strict):
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


class ObjectiveSpec(Strict):
    """The grams to minimise."""

    of: Literal["total", "train", "inference", "lifecycle"] = option(
        "objective",
        "Grams of all stages, of training, of 1,000 predictions, or of a year of both.",
        default="total",
    )
    retrains_per_year: float = option(
        "retrains_per_year",
        "Fits a year, for lifecycle and for what is recommended.",
        default=12.0,
        metavar="N",
        ge=0.0,
    )
    predictions_per_year: float = option(
        "predictions_per_year", "Rows a year, for the same.", default=1e6, metavar="N", ge=0.0
    )

    @property
    def needs_inference(self) -> bool:
        """Whether the cost of predictions must be measured in every trial."""
        return self.of in ("inference", "lifecycle")


class EngineSpec(Strict):
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


class StudySpec(Strict):
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
    space: str = option(
        "space",
        "Search space by name, or a YAML file.",
        default="auto",
        metavar="NAME|FILE",
        default_text="default; tabular for shuffled rows without group and time",
    )
    search: SearchSpec = SearchSpec()
    objective: ObjectiveSpec = ObjectiveSpec()
    carbon: CarbonSpec = CarbonSpec()
    engine: EngineSpec = EngineSpec()
    seed: int = option("seed", "Seed of splits, samplers and models.", default=0, metavar="N", ge=0, lt=2**31)
    threads: int = option(
        "threads", "Threads of one trial; a second one costs energy while it waits.", default=1, metavar="N", ge=1
    )
    device: Literal["cpu", "cuda"] = option("device", "Device of networks and XGBoost.", default="cpu")
    table: TableSpec | None = Field(default=None, description="Pipelines that `table` measures; a search ignores it.")

    def to_json(self) -> dict[str, Any]:
        """The study as JSON values."""
        document = self.model_dump(mode="json")
        if self.table is None:
            del document["table"]
        return document

    def comparable_settings(self) -> dict[str, Any]:
        """The settings that determine what a result means, as JSON values.

        Left out: the description, the table, the engine, the origin of the intensity, and `SEARCH_ONLY_KEYS`.
        """
        document = self.to_json()
        document.pop("table", None)
        document.pop("description")
        document.pop("engine")
        document["carbon"].pop("origin")
        for key in ("encode", "calendar", "past_target"):
            document["data"].pop(key)  # the digest of the data tells whether it made a difference
        for key in SEARCH_ONLY_KEYS:
            document["search"].pop(key)
        return document

    @property
    def bound_to_machine(self) -> dict[str, str]:
        """Settings that run a command, import code or connect to a host, by key: the options that set them.

        They are taken from the command line (or from Python) only. In a file that travels they are information.
        """
        found = {"search.storage": self.search.storage, "engine.scheduler": self.engine.scheduler}
        if self.carbon.live is not None and self.carbon.live.startswith(COMMAND):
            found["carbon.live"] = self.carbon.live
        if "." in self.search.sampler:
            found["search.sampler"] = self.search.sampler
        return {key: BOUND[key] for key, value in found.items() if value}

    def without_bound(self) -> Self:
        """This study without those settings."""
        bound = self.bound_to_machine
        is_command, sampler = "carbon.live" in bound, "nsga2" if "search.sampler" in bound else self.search.sampler
        return self.model_copy(
            update={
                "search": self.search.model_copy(update={"storage": None, "sampler": sampler}),
                "engine": self.engine.model_copy(update={"scheduler": None}),
                "carbon": self.carbon.model_copy(update={"live": None}) if is_command else self.carbon,
            }
        )

    def is_comparable_to(self, other: StudySpec) -> bool:
        """Whether results of the two studies are comparable."""
        return self.comparable_settings() == other.comparable_settings()


class ResolvedSplit(SplitSpec):
    """A split without open choices."""

    by: Literal["group", "time", "blocks", "rows"]
    folds: int = Field(ge=1, le=50)
    explore_rows: int = Field(default=0, ge=0)


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
    "warm_start",
)
"""Keys of `search` that affect the results and cost of a search, but not the meaning of a single result."""
