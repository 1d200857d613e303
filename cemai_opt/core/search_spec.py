"""The settings of a search, and presets of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from cemai_opt.core.errors import StudyError
from cemai_opt.core.option import Strict, option
from cemai_opt.core.units import parsed_worth

OLD_SAMPLERS = {"auto": "nsga2", "sms_emoa": "nsga2"}
"""Samplers in studies of earlier versions, and their present names."""
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {"trials": 30},
    "balanced": {"trials": 100},
    "thorough": {"trials": 400, "confirm": 10},
}
"""Settings of a search by the name of a preset."""
BUDGETED_TRIALS = 1000
"""Number of trials if a budget in grams is given and they are not: the budget ends the search."""


def implied_settings(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings that follow from a preset, or else from a budget."""
    if given.get("preset") is not None:
        return PRESETS.get(str(given["preset"]), {})
    return {"trials": BUDGETED_TRIALS} if given.get("budget_g") is not None else {}


class SearchSpec(Strict):
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
    trials: int = option(
        "trials",
        "Number of pipelines to run.",
        default=100,
        metavar="N",
        default_text=f"100; {BUDGETED_TRIALS} with --budget-grams, which ends the search",
        ge=1,
    )
    timeout_s: float | None = option(
        "timeout", "Time limit for everything, testing the front included.", metavar="SECONDS", gt=0.0
    )
    population: int | None = option(
        "population",
        "Population size of evolutionary samplers.",
        metavar="N",
        default_text="10, or a twentieth of the trials so far",
        ge=2,
    )
    explain: Literal["front", "every", "never"] = option(
        "explain", "Which trials are explained (Shapley values).", default="front"
    )
    confirm: int = option(
        "confirm",
        "Measurements of each front candidate: one on each fold at least, fewer if they hardly differ; 0: none.",
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
    warm_start: tuple[str, ...] = option(
        "warm_start",
        "Folders of earlier runs: their fronts are tried first, their costs are learned from.",
        default=(),
        metavar="RUN,RUN",
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
        """Settings that follow from others, where they are not given themselves."""
        return {**implied_settings(given), **given} if isinstance(given, dict) else given

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
        if address is not None and (urlsplit(address).password or "pass" in urlsplit(address).query.lower()):
            raise ValueError("a study must not contain a password; give it with --storage, which never writes it")
        return address
