"""What the script of the page needs: trials, members with their stages, and test rows, as one JSON document."""

from __future__ import annotations

import json
from typing import Any

from cemai_opt.core.serialization import to_json
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.recommendation import yearly_use
from cemai_opt.runs.run_view import RunView

DIGITS = 5
"""Significant digits of grams and scores."""


def page_data(view: RunView) -> str:
    """The document as text that is safe between the tags of a script."""
    front, families = view.front, view.families
    pipelines = {member.trial: member for member in (*view.beside, *view.candidates)}
    document = {
        "score": front.score,
        "unit": front.unit,
        "intensity": view.summary.carbon.intensity_g_per_kwh,
        "searchGrams": front.search.carbon_g,
        "use": {**vars(yearly_use(view.study.objective))},
        "knee": front.knee_trial,
        "baseline": front.baseline.trial if front.baseline is not None else None,
        "dummy": to_json(front.dummy) if front.dummy is not None else None,
        "families": families,
        "trials": [
            [point.trial, families.index(point.model), _rounded(point.score), _rounded(point.carbon_g)]
            for point in (*view.complete, *view.curve_candidates)
        ],
        "members": [_member(view, member) for member in pipelines.values()],
        "rows": to_json(view.test_rows) if view.test_rows is not None else None,
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _member(view: RunView, member: FrontMember) -> dict[str, Any]:
    return {
        "trial": member.trial,
        "name": member.name,
        "model": member.model,
        "validation": _rounded(member.validation),
        "error": _rounded(member.error),
        "interval": None if member.interval is None else [_rounded(end) for end in member.interval],
        "test": None if member.test is None else _rounded(member.test),
        "grams": member.carbon_g,
        "uncertainty": member.uncertainty_g,
        "retraining": member.retraining_g,
        "per1000": member.inference_g_per_1000,
        "seconds": _rounded(member.duration_s),
        "isGood": member.trial in view.front.good,
        "mark": view.front.mark_of(member),
        "stages": {stage: _rounded(member.stage_g(stage)) for stage in view.stages},
        "config": {name: value for name, value in member.config.flat().items() if value is not None},
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
