"""All results of a run, and what follows from them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.average import Average, Part
from cemai_opt.core.errors import StudyError
from cemai_opt.core.result import FAILED, PRUNED, REPEAT
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.core.study import CarbonSpec, ResolvedCarbon
from cemai_opt.runs import RunFront, RunSummary
from cemai_opt.runs.footprint import Footprint
from cemai_opt.runs.record import TrialLine
from cemai_opt.testing.searches import study_of
from tests.results import FRONT, J_PER_G, averaged, run_of, trial

trials = st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(1e-6, 1e3)), max_size=12).map(
    lambda pairs: [trial(i, score, grams) for i, (score, grams) in enumerate(pairs)]
)


def test_only_complete_trials_within_the_constraints_are_points() -> None:
    """A repeat would count twice."""
    results = [
        trial(0, 0.5, 1.0),
        trial(1, None, 1.0, state=PRUNED),
        trial(2, None, 1.0, state=FAILED),
        trial(3, 0.5, 1.0, reason=f"{REPEAT}0"),
        trial(4, 0.2, 1.0),
        trial(5, 0.9, 20.0),
    ]
    assert [point.trial for point in run_of(*results).points] == [0, 4, 5]
    bounded = run_of(*results, rules={"min_score": 0.3, "max_carbon_g": 10.0})
    assert [point.trial for point in bounded.points] == [0]


@given(trials)
def test_front_and_summary_tell_the_same(results: list) -> None:  # type: ignore[type-arg]  # of trials
    """The grams of the ledger, the hypervolume, and the numbers of trials."""
    record = run_of(*results)
    summary = record.summary
    assert summary.search.carbon_g == record.front.search.carbon_g == record.spent_g
    assert summary.search.energy_j == pytest.approx(record.spent_g * J_PER_G)
    for view in (summary.search.carbon_g_by.entry, summary.search.carbon_g_by.model, summary.search.carbon_g_by.stage):
        assert sum(view.values()) == pytest.approx(record.spent_g)
    history = [point.hypervolume for point in summary.search.hypervolume_history]
    assert history == sorted(history)
    assert (history[-1] if history else 0.0) == record.front.search.hypervolume
    assert summary.search.trials == record.front.search.trials == len(results)


def test_front_and_summary_are_documents() -> None:
    """What a reader gets back from the files is equal."""
    footprint = Footprint.of(
        ResolvedCarbon.model_validate({**CarbonSpec().model_dump(), "intensity_g_per_kwh": 400.0}),
        dynamic_j=1.0,
        idle_j=2.0,
        wall_s=3.0,
        intensity_g_per_kwh=400.0,
        idle_source="idle",
    )
    record = run_of(*FRONT, baseline=3, finals={1: trial(1, 0.7, 2.0)}, footprints=[footprint], notes=["a note"])
    assert from_json(RunFront, json.loads(json.dumps(to_json(record.front)))) == record.front
    assert from_json(RunSummary, json.loads(json.dumps(to_json(record.summary)))) == record.summary
    assert record.summary.footprint.energy_j == 3.0


def test_a_tested_member_has_its_test_and_its_cost() -> None:
    """The others have none; the baseline is tested along."""
    front = run_of(*FRONT, baseline=3, finals={1: trial(1, 0.7, 2.5), 3: trial(3, 0.3, 1.0)}).front
    assert [member.test for member in front.members] == [None, 0.7, None]
    tested = front.members[1].final
    assert tested is not None
    assert tested.carbon_g == pytest.approx(2.5)
    assert front.baseline is not None
    assert front.baseline.test == 0.3


def test_members_that_cannot_be_told_apart_are_tied_both_ways() -> None:
    """By the uncertainty of their difference."""
    close = [trial(0, 0.5, 1.0, uncertainty_g=0.1), trial(1, 0.6, 1.1, uncertainty_g=0.1), trial(2, 0.9, 9.0)]
    assert [member.ties for member in run_of(*close).front.members] == [(1,), (0,), ()]


def test_a_line_tells_the_grams_and_gives_the_result_back() -> None:
    """A trial that was not complete has none of the objective, but it has spent some."""
    study = study_of()
    failed = trial(1, None, 2.0, state=FAILED, reason="train: ValueError", foreign_load=0.5)
    for result, carbon_g in ((FRONT[1], 2.0), (failed, None)):
        line = TrialLine.of(study, result, driver_j=3.0)
        assert line.carbon_g == (None if carbon_g is None else pytest.approx(carbon_g))
        assert line.spent_g == pytest.approx(2.0)
        assert line.noisy == result.is_noisy
        back = from_json(TrialLine, json.loads(json.dumps(to_json(line))))
        assert (back, back.result, type(back.result)) == (line, result, type(result))


def test_an_average_is_kept_if_it_gains_more_than_the_tolerance() -> None:
    """Beside the members, with the sum of their grams; `average` picks it."""
    record = run_of(*FRONT, average=averaged(0.02))
    front = record.front
    average = front.average
    assert average is not None
    assert front.pick("average") is average
    assert [member.trial for member in front.members] == [0, 1, 2]
    assert front.table_members[-1] is average
    assert (average.test, average.carbon_g) == (0.88, pytest.approx(3.0))
    assert average.formula == "0.25 x 0 + 0.75 x 1"
    assert front.mark_of(average) == "= 0.25 x 0 + 0.75 x 1"
    assert front.parts_of(average) == [(0.25, front.by_trial[0]), (0.75, front.by_trial[1])]
    assert front.parts_of(front.members[2]) == [(1.0, front.members[2])]
    assert "adds 0.0200 to the best validation score: kept" in record.average_line
    assert from_json(RunFront, to_json(front)) == front
    assert front.with_tolerance(0.01).average is average
    assert front.with_tolerance(0.03).average is None


@pytest.mark.parametrize(
    ("average", "rules", "said"),
    [
        (averaged(0.009), {}, "no more than the tolerance of 0.01"),
        (averaged(0.02), {"tolerance": 0.05}, "no more than the tolerance of 0.05"),
        (averaged(0.02, candidates=(0, 9)), {}, "no average of front members is better"),
        (averaged(-0.1), {}, "no average of front members is better"),
        (replace(averaged(0.0), parts=(Part(trial=2, weight=1.0),)), {}, "no average of front members is better"),
        (averaged(0.05, carbon_g=101.0), {"max_carbon_g": 100.5}, "breaks a constraint"),
    ],
)
def test_any_other_average_is_left_out(average: Average, rules: dict[str, float], said: str) -> None:
    """With too small a gain, of other members than the present ones, or too expensive; the reason is said."""
    record = run_of(*FRONT, average=average, rules=rules)
    assert record.front.average is None
    assert said in record.average_line
    with pytest.raises(StudyError, match="keeps no average"):
        record.front.pick("average")
