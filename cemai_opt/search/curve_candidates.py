"""Turns points of learning curves into trials: each smaller model that no known pipeline dominates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from cemai_opt.core.front import Constraints, ParetoFront, Point
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.objective import objective_g
from cemai_opt.core.result import TrialResult, curve_candidate
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.search.context import SearchContext
from cemai_opt.search.history import TrialHistory
from cemai_opt.search.samplers import PARENT


class CurveCandidates:
    """Reads learning curves and adds their candidates to Optuna's study."""

    def __init__(self, context: SearchContext) -> None:
        self._context, self._study, self._space = context, context.study, context.space
        self._optuna = context.optuna_study

    def of(self, parent: TrialResult, frozen: FrozenTrial, *, history: TrialHistory) -> list[TrialResult]:
        """Complete trials from the learning curve of `parent` (`frozen` in Optuna), added to Optuna's study.

        Configurations that `history` already holds and sizes outside the search space are left out.
        """
        if parent.curve is None or not self._study.search.harvest or self._study.search.explain == "every":
            return []  # explanations of models of different sizes are not comparable
        size_name = f"{parent.model}.{parent.curve.hyperparameter}"
        if size_name not in frozen.params:
            return []  # the search space fixes the size
        inside = [point for point in parent.curve.points if self._space.hyperparameters[size_name].holds(point.size)]
        candidates = [curve_candidate(parent, point, trial=-1 - i) for i, point in enumerate(inside)]
        fresh = {c.trial: c for c in candidates if c.config.digest not in history.by_digest}
        points = [Point(c.trial, c.score or 0.0, objective_g(self._study, c)) for c in fresh.values()]
        points = [point for point in points if self._study.constraints.violation(point) <= 0.0]
        chosen = [point for point in ParetoFront.of([*history.front, *points]) if point.trial in fresh]
        return [self._added(fresh[point.trial], point, parent=frozen, size_name=size_name) for point in chosen]

    def _added(self, candidate: TrialResult, point: Point, *, parent: FrozenTrial, size_name: str) -> TrialResult:
        """The candidate with its number in Optuna's study: the existing one if a killed session had added it."""
        size: Value = candidate.config.params("train")[size_name.split(".", 1)[1]]
        mark = {"parent": parent.number, "size": size}
        number = self._number(parent.number, mark)
        if number is None:
            self._optuna.add_trial(self._trial(candidate, point, parent=parent, params={size_name: size}, mark=mark))
            number = self._number(parent.number, mark)
        assert number is not None, "it was added just now"
        return replace(candidate, trial=number)

    def _number(self, after: int, mark: Mapping[str, Any]) -> int | None:
        trials = self._optuna.get_trials(deepcopy=False)[after:]
        return next((trial.number for trial in reversed(trials) if trial.user_attrs.get(PARENT) == mark), None)

    def _trial(
        self,
        candidate: TrialResult,
        point: Point,
        *,
        parent: FrozenTrial,
        params: Mapping[str, Value],
        mark: Mapping[str, Any],
    ) -> FrozenTrial:
        """A complete trial in its parent's generation, marked as its child."""
        coordinator, ledger = self._context.coordinator, self._context.ledger
        shared = coordinator.attributes_of(candidate, ledger.driver_j()) if coordinator else {}
        return optuna.trial.create_trial(
            params={**parent.params, **params},
            distributions=parent.distributions,
            values=[point.score, point.carbon_g],
            constraints=constraint_values(self._study, candidate),
            user_attrs={PARENT: mark, "cemai": trial_attributes(candidate), **shared},
            system_attrs={key: value for key, value in parent.system_attrs.items() if key != "fixed_params"},
        )


def constraint_values(study: ResolvedStudy, result: TrialResult) -> dict[str, float]:
    """How far a complete trial violates the constraints, in Optuna's terms: 0 or less is feasible."""
    constraints = study.constraints
    if constraints == Constraints() or not result.is_complete or result.score is None:
        return {}
    return {"wanted": constraints.violation(Point(result.trial, result.score, objective_g(study, result)))}


def trial_attributes(result: TrialResult) -> dict[str, object]:
    """What Optuna's dashboard shows of a trial in addition to its parameters."""
    return {
        "model": result.model,
        "energy_j": result.cost.energy_j,
        "duration_s": result.cost.duration_s,
        "uncertainty_j": result.cost.uncertainty_j,
        "reason": result.reason,
        "parent": result.parent,
    }
