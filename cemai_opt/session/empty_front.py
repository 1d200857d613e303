"""Explains a run whose front is empty."""

from __future__ import annotations

from collections import Counter

from cemai_opt.core.errors import TrialError
from cemai_opt.core.objective import objective_g
from cemai_opt.core.result import PRUNED
from cemai_opt.core.units import readable_grams
from cemai_opt.runs import RunRecord


def refuse_empty_front(record: RunRecord) -> None:
    """TrialError if there is no front, with the most frequent reason of its trials."""
    if len(record.pareto):
        return
    complete = [result for result in record.results if result.is_complete and result.score is not None]
    max_g = record.study.search.max_carbon_g
    if not complete and max_g is not None and any(result.state == PRUNED for result in record.results):
        raise TrialError(f"no pipeline costs less than {readable_grams(max_g)}", "give a larger --max-grams")
    if complete:
        best = max(result.score or 0.0 for result in complete)
        greenest_g = min(objective_g(record.study, result) for result in complete)
        raise TrialError(
            f"none of {len(complete)} pipelines satisfies --max-grams and --min-score: the best scores {best:.3f}, "
            f"the greenest costs {readable_grams(greenest_g)}",
            "relax these constraints, or give more --trials; the same --out resumes the run",
        )
    reasons = Counter(result.reason for result in record.results)
    if not reasons:
        raise TrialError(
            f"no trial was run ({record.ended})", "give more --trials, a longer --timeout or a larger --budget-grams"
        )
    (reason, count), *_ = reasons.most_common(1)
    raise TrialError(
        f"none of {len(record.results)} trials was complete; the reason of {count}: {reason}", "see trials.jsonl"
    )
