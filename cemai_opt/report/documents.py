"""The documents of a run as plain JSON values: front, summary, table rows."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.front import Front, Point, hypervolume_history
from cemai_opt.core.measurement import Cost
from cemai_opt.core.objective import objective_g, objective_j, objective_uncertainty_j, objective_unit, wanted_of
from cemai_opt.core.result import COMPLETE, FAILED, PRUNED, TrialResult
from cemai_opt.core.spec import StudySpec
from cemai_opt.core.spending import Spending, joules_by
from cemai_opt.meters import cpu_model
from cemai_opt.report.payback import payback_document

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
    spent: Sequence[Spending] = ()
    baseline: int | None = None
    """The trial that stands for the libraries' defaults, tested beside the front."""
    footprints: Sequence[Mapping[str, Any]] = ()
    """One document for each session of this run."""
    ended: str = ""
    notes: Sequence[str] = ()

    @cached_property
    def points(self) -> list[Point]:
        """Complete trials that keep what the user asks of them, in the plane of the objectives; repeats left out."""
        wanted = wanted_of(self.study)
        points = [
            Point(result.trial, result.score, objective_g(self.study, result))
            for result in self.results
            if result.is_complete and result.score is not None and not result.is_repeat
        ]
        return [point for point in points if wanted.violation(point) <= 0.0]

    @property
    def spent_g(self) -> float:
        """Grams of everything that ran, and of the driver."""
        return self.study.carbon.grams(sum(spending.energy_j for spending in self.spent))

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
    members = {
        p.trial: {**_member(record, by_trial[p.trial], record.finals.get(p.trial)), "ties": ties[p.trial]}
        for p in front
    }
    tolerance = record.study.search.tolerance
    return {
        "score": record.study.score,
        "unit": objective_unit(record.study.objective),
        "knee": front.knee.trial if len(front) else None,
        "tolerance": tolerance,
        "members": list(members.values()),
        "payback": payback_document(front, members, record.spent_g, tolerance),
        "baseline": None
        if record.baseline is None
        else {**_member(record, by_trial[record.baseline], record.finals.get(record.baseline)), "ties": []},
        "search": {
            **_counts(record.results),
            "carbon_g": record.spent_g,
            "hypervolume": history[-1] if history else 0.0,
        },
    }


def _member(record: RunRecord, result: TrialResult, final: TrialResult | None) -> dict[str, Any]:
    carbon, inference = record.study.carbon, result.inference or (final.inference if final else None)
    member: dict[str, Any] = {
        "trial": result.trial,
        "parent": result.parent,
        "host": result.host,
        "model": result.model,
        "validation": result.score,
        "test": final.score if final else None,
        "carbon_g": objective_g(record.study, result),
        "energy_j": objective_j(record.study.objective, result),
        "uncertainty_g": _uncertainty_g(record.study, result),
        "retraining_g": carbon.grams(result.cost.energy_j),
        "inference_g_per_1000": carbon.grams(inference.total_j) if inference else None,
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
    carbon, results = record.study.carbon, [r for r in record.results if r.has_run]
    history = hypervolume_history(record.points)
    return {
        "study": record.study.name,
        "ended": record.ended,
        "notes": list(record.notes),
        "search": {
            **_counts(record.results),
            "energy_j": sum(spending.energy_j for spending in record.spent),
            "carbon_g": record.spent_g,
            "carbon_g_by": {
                key: {name: carbon.grams(joules) for name, joules in joules_by(key, record.spent).items()}
                for key in ("entry", "model", "stage")
            },
            "payback": front_document(record)["payback"],
            "ledger": [dataclasses.asdict(spending) for spending in record.spent],
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
        "versions": dict(versions_document()),
    }


def _counts(results: Sequence[TrialResult]) -> dict[str, int]:
    """How many trials ran and how they ended, and how many results cost nothing."""
    ran = [result for result in results if result.has_run]
    return {
        "trials": len(ran),
        **{state: sum(r.state == state for r in ran) for state in (COMPLETE, PRUNED, FAILED)},
        "harvested": sum(r.parent is not None and not r.is_repeat for r in results),
        "not_run": sum(r.is_skipped for r in results),
        "repeats": sum(r.is_repeat for r in results),
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


@cache
def versions_document() -> Mapping[str, str]:
    """Versions of the libraries that results depend on; read once, for each trial tells one of them."""
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
    """Which trial is the knee, the best, the greenest, the greenest that is as good as the best."""
    front = picks(document)
    if not len(front):
        return {}
    marks: dict[int, list[str]] = {}
    tolerance = float(document["tolerance"])
    picked = (
        ("knee", front.knee),
        ("best", front.best),
        (f"within {tolerance:g}", front.within(tolerance)),
        ("greenest", front.greenest),
    )
    for name, point in picked:
        marks.setdefault(point.trial, []).append(name)
    return {trial: ", ".join(names) for trial, names in marks.items()}


def picks(document: Mapping[str, Any]) -> Front:
    """The front of a document, for picking members by rule."""
    return Front.of(Point(m["trial"], m["validation"], m["carbon_g"]) for m in document["members"])


RULES = ("knee", "best", "within", "greenest")
"""Words that pick a front member."""


def picked_member(document: Mapping[str, Any], rule: str, tolerance: float | None = None) -> Mapping[str, Any]:
    """The member of a front document that a rule or a trial's number names. StudyError where there is none."""
    members: dict[int, Mapping[str, Any]] = {member["trial"]: member for member in document["members"]}
    if not members:
        raise StudyError("the front has no member", "no trial of this run was complete; see trials.jsonl for why")
    points = picks(document)
    if rule == "within":
        return members[points.within(document["tolerance"] if tolerance is None else tolerance).trial]
    if rule in RULES:
        return members[getattr(points, rule).trial]
    if rule.isdecimal() and int(rule) in members:
        return members[int(rule)]
    raise StudyError(f"there is no front member {rule!r} to pick", nearest(rule, [*RULES, *map(str, members)]))


def with_tolerance(document: Mapping[str, Any], tolerance: float) -> dict[str, Any]:
    """The front document with another idea of "as good as the best"."""
    members = {member["trial"]: member for member in document["members"]}
    payback = payback_document(picks(document), members, document["search"]["carbon_g"], tolerance)
    return {**document, "tolerance": tolerance, "payback": payback}
