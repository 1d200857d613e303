"""Results made by hand, and the records and views of runs that consist of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cemai_opt.core.average import AVERAGE, NO_TRIAL, Average, Part
from cemai_opt.core.ledger_entry import LedgerEntry
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import Config
from cemai_opt.core.result import COMPLETE, Confirmation, TrialResult
from cemai_opt.runs import RunRecord, RunView
from cemai_opt.testing.searches import study_of

J_PER_G = 3.6e6 / 400.0
"""Joules in a gram at the carbon intensity of these studies."""


def stage(name: str, carbon_g: float, uncertainty_g: float = 0.0) -> Measurement:
    """The cost of one stage, in grams."""
    return Measurement(
        stage=name,
        duration_s=0.5,
        cpu_s=0.5,
        energy_j={"cpu": carbon_g * J_PER_G},
        uncertainty_j=uncertainty_g * J_PER_G,
        source="test",
    )


def trial(
    number: int, score: float | None, carbon_g: float, *, model: str = "ridge", uncertainty_g: float = 0.0, **more: Any
) -> TrialResult:
    """A trial that has spent a quarter of its grams on cleaning and the rest on training."""
    cost = Cost((stage("clean", carbon_g / 4), stage("train", carbon_g * 3 / 4, uncertainty_g)))
    fields: dict[str, Any] = {
        "state": COMPLETE,
        "config": Config({"clean": {"limit": 3.0}, "train": {"model": model, "size": number}}),
        "cost": cost,
        "spent": cost,
        **more,
    }
    return TrialResult(trial=number, score=score, **fields)


def confirmed(
    number: int,
    score: float,
    carbon_g: float = 1.0,
    *,
    searched: float = 1.0,
    error: float = 0.0,
    without: tuple[float, ...] = (),
    dof: int = 0,
    **more: Any,
) -> TrialResult:
    """A trial whose score was confirmed on five folds."""
    confirmation = Confirmation(searched=searched, folds=5, n_folds=5, error=error, without=without, dof=dof)
    return trial(number, score, carbon_g, confirmation=confirmation, **more)


def run_of(*results: TrialResult, rules: dict[str, Any] | None = None, **more: Any) -> RunRecord:
    """The record of a run with these results; `rules` are keys of its study's `search`."""
    spent = [
        LedgerEntry(entry=result.state, model=result.model, stage=row.stage, energy_j=row.total_j)
        for result in results
        for row in result.spent.rows
    ]
    return RunRecord(**{"study": study_of(**(rules or {})), "results": results, "spent": spent, **more})


def view_of(record: RunRecord) -> RunView:
    """The view of a run that is in no folder."""
    results: Sequence[TrialResult] = record.results
    return RunView(study=record.study, front=record.front, summary=record.summary, results=results)


def averaged(gain: float, *, carbon_g: float = 3.0, candidates: tuple[int, ...] = (0, 1, 2)) -> Average:
    """An average of the first two members of `FRONT` that is this much better than the best one."""
    parts = (Part(trial=0, weight=0.25), Part(trial=1, weight=0.75))
    validated, tested = (trial(NO_TRIAL, score, carbon_g, model=AVERAGE) for score in (0.9 + gain, 0.88))
    return Average(parts=parts, candidates=candidates, validated=validated, tested=tested)


FRONT = (
    trial(0, 0.5, 1.0, model="ridge"),
    trial(1, 0.8, 2.0, model="decision_tree", uncertainty_g=0.1),
    trial(2, 0.9, 100.0, model="xgboost", uncertainty_g=5.0),
    trial(3, 0.4, 50.0, model="xgboost"),
)
"""Three members, of which the second is the knee, and a trial that is none."""
