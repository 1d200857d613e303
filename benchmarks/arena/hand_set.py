"""Hand-set defaults without a search: every model with its library's defaults, on raw columns and on full features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.arena.pipelines import Bench, OverBudgetError, cpu_limit
from benchmarks.arena.result import Member, Result
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.space import MODEL
from cemai_opt.models import MODELS
from cemai_opt.stages import STAGES

MAX_SHARE = 0.5
"""A fit that takes more than this share of the budget of a search is given up."""


def full_features() -> dict[str, Value]:
    """Rolling mean, standard deviation and range over 30 and 120 rows, and the change since the start of the group."""
    wanted: dict[str, Value] = {
        "rolling": "mean_std_range",
        "scales": "short_long",
        "window_rows": 30,
        "long_rows": 120,
        "since_start": True,
    }
    known = {h.name for h in STAGES.find("featurize").hyperparameters()}
    return {f"featurize.{name}": value for name, value in wanted.items() if name in known}


def hand_set(study: Path, *, seed: int, budget_mg: float, is_independent: bool) -> Result:
    """All models by all features; nothing is validated, so `validation` is None."""
    bench = Bench(study, seed=seed)
    variants: list[Mapping[str, Value]] = [{}] if is_independent else [{}, full_features()]
    wished = [(model, variant) for model in _models(bench) for variant in variants]
    limit_s = bench.cpu_s(MAX_SHARE * budget_mg / 1e3)
    tested = [_fitted(bench, {**MODELS.find(m).design, **variant, MODEL: m}, limit_s=limit_s) for m, variant in wished]
    return Result(
        set=study.parent.name,
        arm="hand_set",
        seed=seed,
        budget_mg=budget_mg,
        score=bench.study.score,
        members=tuple(member for member in tested if isinstance(member, Member)),
        trials=len(tested),
        run_grams=bench.spent_g,
        notes=tuple(reason for reason in tested if isinstance(reason, str)),
    )


def _models(bench: Bench) -> list[str]:
    """Installed models that solve the task, cheapest first."""
    task = bench.study.task
    able = [name for name in MODELS.available() if task in getattr(MODELS.find(name), "tasks", (task,))]
    return sorted(able, key=lambda name: (MODELS.find(name).cost_rank, name))


def _fitted(bench: Bench, params: Mapping[str, Value], *, limit_s: float) -> Member | str:
    """The tested member, or why there is none."""
    try:
        with cpu_limit(limit_s):
            return bench.tested(bench.space.active(params))
    except OverBudgetError:
        return f"{params[MODEL]}: more than {limit_s:.0f} CPU seconds"
