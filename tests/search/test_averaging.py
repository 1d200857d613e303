"""An average of front members is tried from predictions that they have made already."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cemai_opt.core.average import Average
from cemai_opt.core.front import ParetoFront
from cemai_opt.core.ledger_entry import joules_by
from cemai_opt.core.measurement import sum_of
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import ScoredRows, TrialResult
from cemai_opt.engines import Engine
from cemai_opt.search import AVERAGE, Averaging, MemberLog, Remeasurement, Search
from cemai_opt.search.race import Contender
from cemai_opt.testing.searches import FormulaEngine, run_search

RULES = {"confirm": 1}
Y = np.sin(np.arange(50.0))


class Predicting(Engine):
    """`FormulaEngine` with predictions, each wrong in its own way; a better score has smaller errors."""

    def __init__(self) -> None:
        self.formula = FormulaEngine()

    @property
    def plans(self) -> list[TrialPlan]:
        """Every plan that was run."""
        return self.formula.plans

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        result = self.formula.run(plan).result()
        if plan.keeps_rows and result.score is not None:
            errors = np.random.default_rng(plan.trial).normal(size=len(Y)) * (1.0 - result.score)
            rows = ScoredRows(y=Y, group=np.arange(float(len(Y))), value=Y + errors)
            result = replace(result, scored_rows=rows)
        done: Future[TrialResult] = Future()
        done.set_result(result)
        return done


def ended(
    folder: Path, members: MemberLog, engine: Engine | None = None
) -> tuple[Search, Averaging, list[TrialResult]]:
    """A search whose members were measured and tested, and what tries an average of them."""
    search = run_search(folder, trials=12, engine=engine or Predicting(), rules=RULES)
    remeasurement = Remeasurement(search.context, members)
    results = remeasurement.confirmed(search.results, [Contender(trial=point.trial) for point in search.front])
    remeasurement.tested(results, [point.trial for point in search.front])
    return search, Averaging(search.context.study, remeasurement, members=members), results


def best_of(search: Search, averaging: Averaging, members: MemberLog, results: list[TrialResult]) -> Average | None:
    return averaging.best(search.front, results, finals=members.tested)


def n_plans(search: Search) -> int:
    engine = search.context.engine
    assert isinstance(engine, Predicting)
    return len(engine.plans)


def test_it_costs_no_further_run(tmp_path: Path) -> None:
    """Members have predicted their rows when they were measured and tested."""
    members = MemberLog()
    search, averaging, results = ended(tmp_path, members)
    before = n_plans(search)
    average = best_of(search, averaging, members, results)
    assert average is not None
    assert n_plans(search) == before
    assert AVERAGE not in joules_by("entry", search.context.ledger.spent())
    assert {part.trial for part in average.parts} <= set(average.candidates) == {p.trial for p in search.front}
    assert average.tested is not None
    by_trial = {result.trial: result for result in results}
    assert average.validated.cost.energy_j == pytest.approx(
        sum(by_trial[part.trial].cost.energy_j for part in average.parts)
    )
    assert len(average.parts) > 1
    assert average.validated.score is not None


def test_a_later_session_takes_it_over(tmp_path: Path) -> None:
    """If the front is the same; if not, members of the earlier session run once more, under an entry of their own."""
    members = MemberLog()
    search, averaging, results = ended(tmp_path, members)
    average = best_of(search, averaging, members, results)
    resumed = MemberLog(list(members.measured.values()), list(members.tested.values()), average=members.average)
    again = Averaging(search.context.study, Remeasurement(search.context, resumed), members=resumed)
    before = n_plans(search)
    assert best_of(search, again, resumed, results) == average
    assert n_plans(search) == before
    resumed.keep_average(None)
    redone = best_of(search, again, resumed, results)
    assert redone == average
    assert n_plans(search) > before
    assert joules_by("entry", search.context.ledger.spent())[AVERAGE] > 0.0
    assert resumed.average == redone


def test_there_is_none_without_measurements_budget_or_predictions(tmp_path: Path) -> None:
    """Each for its own reason; none of them is an error."""
    members = MemberLog()
    search, _, results = ended(tmp_path / "a", members)
    unmeasured = search.context.study.model_copy(
        update={"search": search.context.study.search.model_copy(update={"confirm": 0})}
    )
    remeasurement = Remeasurement(search.context, members)
    assert (
        Averaging(unmeasured, remeasurement, members=members).best(search.front, results, finals=members.tested) is None
    )
    members = MemberLog()
    silent, averaging, results = ended(tmp_path / "b", members, FormulaEngine())
    assert averaging.best(silent.front, results, finals=members.tested) is None


def test_a_part_that_was_not_tested_leaves_it_untested(tmp_path: Path) -> None:
    """A later session tests it."""
    members = MemberLog()
    search, averaging, results = ended(tmp_path, members)
    untested = averaging.best(search.front, results, finals={})
    assert untested is not None
    assert untested.tested is None
    tested = best_of(search, averaging, members, results)
    assert tested is not None
    assert (tested.parts, tested.tested is None) == (untested.parts, False)


def test_one_that_was_chosen_from_fewer_members_is_chosen_again(tmp_path: Path) -> None:
    """A session with a small budget had no more; and grams are those of the present measurements."""
    members = MemberLog()
    search, averaging, results = ended(tmp_path, members)
    average = best_of(search, averaging, members, results)
    assert average is not None
    members.keep_average(replace(average, parts=average.parts[:1], candidates=average.candidates[:1]))
    assert best_of(search, averaging, members, results) == average
    dearer = [replace(result, cost=sum_of([result.cost, result.cost])) for result in results]
    again = averaging.best(search.front, dearer, finals=members.tested)
    assert again is not None
    assert again.parts == average.parts
    assert again.validated.cost.energy_j == pytest.approx(2.0 * average.validated.cost.energy_j)


def test_none_of_a_front_without_members_forgets_none(tmp_path: Path) -> None:
    """A session whose constraints nothing satisfies keeps what was found before."""
    members = MemberLog()
    search, averaging, results = ended(tmp_path, members)
    average = best_of(search, averaging, members, results)
    assert averaging.best(ParetoFront(()), results, finals={}) is None
    assert members.average == average
