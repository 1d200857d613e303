"""Tries an average of front members, from the predictions that they have made when they were measured and tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cemai_opt.core.average import Average, Part
from cemai_opt.core.front import ParetoFront
from cemai_opt.core.result import TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.pipeline.average import average_of, best_weights, with_costs_of
from cemai_opt.search.ledger import CONFIRM, FINAL
from cemai_opt.search.member_log import MemberLog
from cemai_opt.search.remeasurement import Remeasurement

MIN_PARTS = 2


class Averaging:
    """Selects an average of the front members on their validation rows, and scores it on test rows.

    `members` keep it for a later session, which takes it over if the front is the same by then.
    """

    def __init__(self, study: ResolvedStudy, remeasurement: Remeasurement, *, members: MemberLog) -> None:
        self._study, self._remeasurement, self._members = study, remeasurement, members

    def best(
        self, front: ParetoFront, results: Sequence[TrialResult], *, finals: Mapping[int, TrialResult]
    ) -> Average | None:
        """The best average of the members that are better than a constant, whether or not it is better than they are.

        None if there are fewer than two such members, if the study does not measure members again, or without budget.
        """
        by_trial = {result.trial: result for result in results}
        useful = [by_trial[point.trial] for point in front if point.score > 0.0]
        average = self._members.average
        if average is None or set(average.candidates) != {result.trial for result in useful}:
            average = self._selected(useful)
        if average is None:
            return None
        parts = [by_trial[part.trial] for part in average.parts]
        average = replace(
            average, validated=with_costs_of(average.validated, parts), tested=self._tested(average, finals)
        )
        self._members.keep_average(average)
        return average

    def _selected(self, members: Sequence[TrialResult]) -> Average | None:
        """The average with the best validation score."""
        if len(members) < MIN_PARTS or not self._study.search.confirm:
            return None
        known = self._with_rows(CONFIRM, members)
        if len(known) < MIN_PARTS:
            return None
        weights = best_weights(known, study=self._study)
        used = [(result, weight) for result, weight in zip(known, weights, strict=True) if weight > 0.0]
        chosen, shares = [result for result, _ in used], [weight for _, weight in used]
        return Average(
            parts=tuple(Part(trial=result.trial, weight=weight) for result, weight in used),
            candidates=tuple(result.trial for result in known),
            validated=average_of(chosen, shares, study=self._study, phase="search"),
        )

    def _tested(self, average: Average, finals: Mapping[int, TrialResult]) -> TrialResult | None:
        """The average on test rows; None unless all of its parts were tested."""
        tested = [finals[part.trial] for part in average.parts if part.trial in finals]
        if average.tested is not None and len(tested) == len(average.parts):
            return with_costs_of(average.tested, tested)
        known = self._with_rows(FINAL, tested)
        if len(known) < len(average.parts):
            return None
        weights = [part.weight for part in average.parts]
        threshold = average.validated.threshold
        return average_of(known, weights, study=self._study, phase="final", threshold=threshold)

    def _with_rows(self, why: str, results: Sequence[TrialResult]) -> list[TrialResult]:
        """The results for which there are scored rows, with these."""
        found = [(result, self._remeasurement.scored_rows(why, result)) for result in results if result.is_complete]
        return [replace(result, scored_rows=rows) for result, rows in found if rows is not None]
