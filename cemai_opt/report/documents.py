"""The documents of a run as plain JSON values: front, summary, table rows."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cemai_opt.core.front import Front, Point, hypervolume_history
from cemai_opt.core.measurement import Cost
from cemai_opt.core.objective import objective_g, objective_j, objective_uncertainty_j, objective_unit
from cemai_opt.core.result import COMPLETE, FAILED, PRUNED, TrialResult
from cemai_opt.core.spec import StudySpec
from cemai_opt.meters import cpu_model

LIBRARIES = (
    "cemai-opt",
    "codecarbon",
    "numpy",
    "optuna",
    "pandas",
    "scikit-learn",
    "shap",
    "torch",
    "xgboost",
)


@dataclass(frozen=True)
class RunRecord:
    """Everything that a run found out."""

    study: StudySpec
    results: Sequence[TrialResult]
    finals: Mapping[int, TrialResult] = field(default_factory=dict)
    spent_j: Mapping[str, float] = field(default_factory=dict)
    baseline: int | None = None
    """The trial that stands for the libraries' defaults, tested beside the front."""
    footprints: Sequence[Mapping[str, Any]] = ()
    """One document for each session of this run."""
    ended: str = ""
    notes: Sequence[str] = ()

    @cached_property
    def points(self) -> list[Point]:
        """Complete trials in the plane of the objectives, repeats left out."""
        return [
            Point(result.trial, result.score, objective_g(self.study, result))
            for result in self.results
            if result.is_complete and result.score is not None and not result.is_repeat
        ]

    @cached_property
    def front(self) -> Front:
        """Non-dominated complete trials."""
        return Front.of(self.points)


def front_document(record: RunRecord) -> dict[str, Any]:
    """What `front.json` holds. TypeError-free JSON: a member without a test score has null there, with the reason."""
    by_trial = {result.trial: result for result in record.results}
    front = record.front
    history = hypervolume_history(record.points)
    ties = front.ties({p.trial: _uncertainty_g(record.study, by_trial[p.trial]) for p in front})
    return {
        "score": record.study.score,
        "unit": objective_unit(record.study.objective),
        "knee": front.knee.trial if len(front) else None,
        "members": [
            {**_member(record, by_trial[p.trial], record.finals.get(p.trial)), "ties": ties[p.trial]} for p in front
        ],
        "baseline": None
        if record.baseline is None
        else {**_member(record, by_trial[record.baseline], record.finals.get(record.baseline)), "ties": []},
        "search": {
            "trials": sum(not r.is_repeat for r in record.results),
            "failed": sum(r.state == FAILED for r in record.results),
            "carbon_g": record.study.carbon.grams(sum(record.spent_j.values())),
            "hypervolume": history[-1] if history else 0.0,
        },
    }


def _member(record: RunRecord, result: TrialResult, final: TrialResult | None) -> dict[str, Any]:
    carbon = record.study.carbon
    member: dict[str, Any] = {
        "trial": result.trial,
        "model": result.model,
        "validation": result.score,
        "test": final.score if final else None,
        "carbon_g": objective_g(record.study, result),
        "energy_j": objective_j(record.study.objective, result),
        "uncertainty_g": _uncertainty_g(record.study, result),
        "inference_g_per_1000": carbon.grams(result.inference.total_j) if result.inference else None,
        "duration_s": result.cost.duration_s,
        "repeats": len(result.repeats_j),
        "deviation_g": carbon.grams(statistics.stdev(result.repeats_j)) if len(result.repeats_j) > 1 else None,
        "foreign_load": result.foreign_load,
        "stages": stages_document(record.study, result.cost),
        "config": result.config.to_json(),
    }
    if final is not None:
        member["final"] = {
            "metrics": dict(final.metrics),
            "energy_j": final.cost.energy_j,
            "carbon_g": carbon.grams(final.cost.energy_j),
            "stages": stages_document(record.study, final.cost),
            "importances": dict(final.importances),
            "reason": final.reason,
        }
    return member


def _uncertainty_g(study: StudySpec, result: TrialResult) -> float:
    return study.carbon.grams(objective_uncertainty_j(study.objective, result))


def stages_document(study: StudySpec, cost: Cost) -> dict[str, dict[str, float]]:
    """Energy, grams and seconds by stage; with the overhead row they add up to the total."""
    return {
        row.stage: {
            "energy_j": row.total_j,
            "carbon_g": study.carbon.grams(row.total_j),
            "uncertainty_g": study.carbon.grams(row.uncertainty_j),
            "duration_s": row.duration_s,
        }
        for row in cost.rows
    }


def trial_document(study: StudySpec, result: TrialResult) -> dict[str, Any]:
    """One line of `trials.jsonl`; it holds all that is needed to rebuild the result."""
    document = result.to_json()
    document["carbon_g"] = objective_g(study, result) if result.is_complete else None
    document["uncertainty_g"] = _uncertainty_g(study, result) if result.is_complete else None
    document["noisy"] = result.is_noisy
    document["spent_g"] = study.carbon.grams(result.spent.energy_j)
    return document


def summary_document(record: RunRecord) -> dict[str, Any]:
    """What `summary.json` holds."""
    carbon, results = record.study.carbon, [r for r in record.results if not r.is_repeat]
    history = hypervolume_history(record.points)
    return {
        "study": record.study.name,
        "ended": record.ended,
        "notes": list(record.notes),
        "search": {
            "trials": len(results),
            "repeats": len(record.results) - len(results),
            **{state: sum(r.state == state for r in results) for state in (COMPLETE, PRUNED, FAILED)},
            "energy_j": sum(record.spent_j.values()),
            "carbon_g": carbon.grams(sum(record.spent_j.values())),
            "carbon_g_by": {name: carbon.grams(joules) for name, joules in record.spent_j.items()},
            "energy_j_by": dict(record.spent_j),
            "hypervolume": history[-1] if history else 0.0,
            "hypervolume_history": [
                {"trial": point.trial, "hypervolume": value}
                for point, value in zip(record.points, history, strict=True)
            ],
        },
        "carbon": {
            "intensity_g_per_kwh": carbon.intensity_g_per_kwh,
            "pue": carbon.pue,
            "sources": sorted({row.source for result in results for row in result.cost.rows}),
        },
        "footprint": _footprint_document(record.footprints),
        "machine": machine_document(),
        "versions": versions_document(),
    }


def _footprint_document(sessions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What all sessions drew, idle included; never to be mixed with the objective's grams."""
    totals = ("dynamic_j", "idle_j", "energy_j", "wall_s", "operation_g", "embodied_g", "carbon_g")
    return {**{key: sum(session[key] for session in sessions) for key in totals}, "sessions": list(sessions)}


def machine_document() -> dict[str, Any]:
    """The machine that ran the study."""
    return {
        "cpu": cpu_model(),
        "threads": os.cpu_count(),
        "usable_threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def versions_document() -> dict[str, str]:
    """Versions of the libraries that results depend on."""
    versions = {}
    for library in LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


CSV_COLUMNS = ("trial", "model", "validation", "test", "carbon_g", "uncertainty_g", "energy_j", "duration_s")


def front_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Front members as flat rows, grams by stage in columns of their own."""
    stages = dict.fromkeys(name for member in document["members"] for name in member["stages"])
    return [
        {
            **{column: member[column] for column in CSV_COLUMNS},
            **{f"{s}_carbon_g": member["stages"].get(s, {}).get("carbon_g", 0.0) for s in stages},
        }
        for member in document["members"]
    ]


def marks_of(document: Mapping[str, Any]) -> dict[int, str]:
    """Which trial is the knee, the best, the greenest."""
    front = picks(document)
    if not len(front):
        return {}
    marks: dict[int, list[str]] = {}
    for name, point in (("knee", front.knee), ("best", front.best), ("greenest", front.greenest)):
        marks.setdefault(point.trial, []).append(name)
    return {trial: ", ".join(names) for trial, names in marks.items()}


def picks(document: Mapping[str, Any]) -> Front:
    """The front of a document, for picking members by rule."""
    return Front.of(Point(m["trial"], m["validation"], m["carbon_g"]) for m in document["members"])
