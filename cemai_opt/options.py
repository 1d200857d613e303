"""Options by the names that the command line and Python share, and how they change a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.spec import StudySpec, parse_study

PLACES = {
    "data": "data.path",
    "test": "data.test",
    "target": "data.target",
    "group": "data.group",
    "time": "data.time",
    "test_groups": "data.test_groups",
    "ignore": "data.ignore",
    "missing": "data.missing",
    "clip_target": "data.clip_target",
    "horizon": "data.horizon",
    "positive": "data.positive",
    "task": "task",
    "score": "score",
    "split": "split.by",
    "folds": "split.folds",
    "space": "space",
    "sampler": "search.sampler",
    "trials": "search.trials",
    "timeout": "search.timeout_s",
    "population": "search.population",
    "budget_grams": "search.budget_g",
    "patience": "search.patience",
    "max_grams": "search.max_carbon_g",
    "min_score": "search.min_score",
    "tolerance": "search.tolerance",
    "cache_mb": "search.cache_mb",
    "storage": "search.storage",
    "harvest": "search.harvest",
    "stop_early": "search.stop_early",
    "explain": "search.explain",
    "confirm": "search.confirm",
    "country": "carbon.country",
    "intensity": "carbon.intensity_g_per_kwh",
    "pue": "carbon.pue",
    "cloud": "carbon.cloud",
    "embodied_kg": "carbon.embodied_kg",
    "lifetime_years": "carbon.lifetime_years",
    "objective": "objective.of",
    "retrains_per_year": "objective.retrains_per_year",
    "predictions_per_year": "objective.predictions_per_year",
    "meter": "carbon.meter",
    "engine": "engine.name",
    "workers": "engine.workers",
    "scheduler": "engine.scheduler",
    "trial_timeout": "engine.trial_timeout_s",
    "trial_memory": "engine.trial_memory_mb",
    "seed": "seed",
    "threads": "threads",
    "device": "device",
}
"""Where each option stands in a study file."""


INTENSITIES = {"country": ("country",), "cloud": ("cloud",), "intensity": ("intensity_g_per_kwh", "live")}
"""Options that each say what the carbon intensity is, and what they set in a study's `carbon`."""


def changed(study: StudySpec, options: Mapping[str, Any]) -> StudySpec:
    """The study with every given option in its place. StudyError where one is unknown or does not fit."""
    for name in options:
        if name not in PLACES:
            raise StudyError(f"there is no option {name!r}", nearest(name, PLACES))
    document = study.to_json()
    given = {name: value for name, value in options.items() if value is not None}
    if "intensity" in given:
        document["carbon"].update(_intensity(given["intensity"]))
    for name, value in given.items():
        if name == "intensity":
            continue
        *path, key = PLACES[name].split(".")
        place = document
        for step in path:
            place = place[step]
        if name in ("sampler", "score", "engine", "meter") and "." not in value:
            value = value.replace("-", "_")
        place[key] = None if value == "" else value  # --group "" takes a study's group away
    if "data" in given:
        document["data"]["source"] = "tabular"
        if "split" not in given:
            document["split"]["by"] = "auto"
        if "folds" not in given:
            document["split"]["folds"] = None
        if document["data"]["path"] != study.data.path and "test" not in given:
            document["data"]["test"] = None
    if given.keys() & INTENSITIES.keys():  # the newer word replaces the older one
        document["carbon"]["origin"] = ""
        for name in INTENSITIES.keys() - given.keys():
            document["carbon"].update(dict.fromkeys(INTENSITIES[name]))
    return parse_study(document, "options")


def _intensity(text: str) -> dict[str, float | str | None]:
    """A number is the study's one intensity; a file or a command tells it over time."""
    try:
        return {"intensity_g_per_kwh": float(text), "live": None}
    except ValueError:
        return {"intensity_g_per_kwh": None, "live": text}


def study_of_file(path: str) -> str:
    """A study's name from a data path: letters, digits, dots, dashes.

    >>> study_of_file("../my data/press line.csv.gz")
    'press_line'
    """
    stem = Path(path.rstrip("/")).name.split(".")[0]
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem).lstrip("_-")
    return name[:80] or "study"
