"""What to take from a front, in plain words: three pipelines, their scores, and what each costs in a year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cemai_opt.core.scores import error_of
from cemai_opt.core.study import ObjectiveSpec
from cemai_opt.core.units import readable_grams
from cemai_opt.runs.front import RunFront
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.payback import PER_READING

GOOD, BALANCED, BEST = "greenest good one", "balanced one", "best one"


@dataclass(frozen=True, kw_only=True)
class YearlyUse:
    """How often a pipeline is trained again, and how many rows it predicts, in a year."""

    retrainings: float
    predictions: float

    def grams(self, member: FrontMember) -> float:
        """Grams of a member in a year; without the cost of predictions where that was not measured."""
        per_prediction_g = (member.inference_g_per_1000 or 0.0) / PER_READING
        return self.retrainings * member.retraining_g + self.predictions * per_prediction_g

    def __str__(self) -> str:
        return f"{self.retrainings:,.10g} retrainings and {self.predictions:,.10g} predictions"


def yearly_use(objective: ObjectiveSpec) -> YearlyUse:
    """The use that a study assumes."""
    return YearlyUse(retrainings=objective.retrains_per_year, predictions=objective.predictions_per_year)


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """A pipeline with the reasons for which it is recommended: `names` are of `GOOD`, `BALANCED`, `BEST`."""

    names: tuple[str, ...]
    member: FrontMember

    @property
    def title(self) -> str:
        """The reasons as one phrase.

        >>> from cemai_opt.runs.recommendation import joined
        >>> joined(("greenest good one", "balanced one"))
        'the greenest good one and the balanced one'
        """
        return joined(self.names)


def joined(names: Sequence[str]) -> str:
    """Names as one phrase, each with its article. At least one."""
    *first, last = (f"the {name}" for name in names)
    return f"{', '.join(first)} and {last}" if first else last


SAME_SCORE = 0.0005
"""Less than this is 0.000 in print."""
NOT_BETTER = (
    "Nothing that the search found is, with 95 % confidence, better than this, or greener and as good: it would take "
    "more groups or rows to tell."
)


def recommendations_of(front: RunFront, use: YearlyUse) -> list[Recommendation]:
    """The good pipeline with the fewest grams a year, the knee and the best one of the front; equal ones as one.

    Good is what the rules of the front pick from: the untuned baseline, and what is better, or greener and as good. The
    scores are those less one standard error. Nothing is good if nothing beats a constant prediction.
    """
    good, knee, best = front.good, front.knee, front.best
    if not good or knee is None or best is None:
        return []
    greenest = min(good.values(), key=lambda member: (use.grams(member), -member.validation, member.trial))
    named = ((GOOD, greenest.trial), (BALANCED, knee.trial), (BEST, best.trial))
    return [
        Recommendation(names=tuple(name for name, other in named if other == trial), member=good[trial])
        for trial in dict.fromkeys(trial for _, trial in named)
    ]


def recommendation_lines(front: RunFront, use: YearlyUse) -> list[str]:
    """The recommendations as sentences, compared with no search and with a constant prediction."""
    recommended, baseline, dummy = recommendations_of(front, use), front.baseline, front.dummy
    if not recommended:
        return [f"Nothing is recommended: {front.why_none}."] if front.members else []
    lines = [f"{each.title.capitalize()}: {_described(front, each.member, use=use)}" for each in recommended]
    if baseline is not None and baseline.trial not in {each.member.trial for each in recommended}:
        lines.append(f"Without a search: {_described(front, baseline, use=use)}")
    elif baseline is not None and len(recommended) == 1 and set(front.by_trial) - {baseline.trial}:
        lines.append(NOT_BETTER)
    if dummy is not None:
        test = "" if dummy.test is None else f", on test rows {dummy.test:.3f}"
        lines.append(f"Always predicting {dummy.prediction}: {front.score} {dummy.validation:.3f}{test}")
        lines += _cautions(front, recommended)
    return [*lines, f"A year has {use} (--retrains-per-year, --predictions-per-year)."]


def _described(front: RunFront, member: FrontMember, *, use: YearlyUse) -> str:
    parts = [f"{member.name}, {front.score} {member.validation:.3f}"]
    if (interval := member.interval) is not None:
        parts[0] += f" (95 %: {interval[0]:.3f} to {interval[1]:.3f})"
    if (tested := _tested(front, member)) is not None:
        parts.append(f"on test rows {tested}")
    if (against := _against_baseline(front, member)) is not None:
        parts.append(against)
    return f"{', '.join(parts)}; {readable_grams(use.grams(member))} a year (--pick {member.trial})"


def _tested(front: RunFront, member: FrontMember) -> str | None:
    """The test score, or the error whose skill is the score."""
    error = error_of(front.score)
    if error is None:
        return None if member.test is None else f"{member.test:.3f}"
    found = member.final.metrics.get(error) if member.final is not None else None
    return None if found is None else f"{error} {found:.4g}"


def _against_baseline(front: RunFront, member: FrontMember) -> str | None:
    if front.baseline is None:
        return None
    if member.trial == front.baseline.trial:
        return "untuned"
    gain = member.validation - front.baseline.validation
    if abs(gain) < SAME_SCORE:
        return "as good as without a search"
    return f"{abs(gain):.3f} {'better' if gain >= 0.0 else 'worse'} than without a search"


def _cautions(front: RunFront, recommended: Sequence[Recommendation]) -> list[str]:
    """A warning for each recommended pipeline that the test rows do not confirm."""
    assert front.dummy is not None, "there is something to compare with"
    dummy_test = front.dummy.test
    return [
        f"Careful: on the test rows, {each.member.name} is no better than always predicting {front.dummy.prediction}."
        for each in recommended
        if dummy_test is not None and each.member.test is not None and each.member.test <= dummy_test
    ]
