"""Which trials compete for the front, and which are hopeless."""

from __future__ import annotations

import numpy as np

from cemai_opt.core.front import Point
from cemai_opt.core.result import ScoredRows
from cemai_opt.pipeline.validation import pooled_score
from cemai_opt.search.race import Contender, Race, contenders
from cemai_opt.testing.searches import study_of
from tests.results import confirmed, trial

POINTS = [Point(0, 0.5, 1.0), Point(1, 0.8, 2.0), Point(2, 0.9, 100.0), Point(3, 0.79, 3.0), Point(4, 0.2, 50.0)]
MODELS = {0: "ridge", 1: "ridge", 2: "xgboost", 3: "dnn", 4: "dnn"}
RNG = np.random.default_rng(0)


def test_the_front_competes_then_the_best_of_other_models() -> None:
    """With their distance from the front; a trial that its own model dominates does not compete."""
    found = contenders(POINTS, models=MODELS, untuned=[], tolerance=0.01)
    assert [contender.trial for contender in found] == [2, 1, 0, 3]
    assert [round(contender.gap, 3) for contender in found] == [0.0, 0.0, 0.0, 0.01]


def test_the_best_untuned_trial_competes() -> None:
    """Also if it is far from the front: nothing is recommended that is not better."""
    assert 4 in [contender.trial for contender in contenders(POINTS, models=MODELS, untuned=[4], tolerance=0.01)]
    assert contenders([], models={}, untuned=[], tolerance=0.01) == []


def test_one_on_the_front_is_untuned_all_the_same() -> None:
    """So that it is confirmed to the end."""
    for untuned in ([0, 1, 2, 3], []):
        found = contenders(POINTS, models=MODELS, untuned=untuned, tolerance=0.01)
        on_front = [contender for contender in found if contender.gap == 0.0]
        assert any(contender.is_untuned for contender in on_front) == bool(untuned)


def test_the_untuned_are_represented_by_their_best_as_well() -> None:
    """A greener one that counts as good in the search may fail on other folds; then nothing is hard to beat."""
    points = [Point(0, 0.5, 1.0), Point(1, 0.942, 2.0), Point(2, 0.950, 5.0), Point(3, 0.6, 1.5)]
    found = contenders(points, models=dict.fromkeys(range(4), "ridge"), untuned=range(4), tolerance=0.01)
    assert {1, 2} <= {contender.trial for contender in found if contender.is_untuned}


def test_fewer_compete_where_a_run_on_all_rows_is_dear() -> None:
    """Two members besides the picks, one untuned trial, and one of each model beside the front."""
    points = [Point(i, 0.5 + 0.02 * i, 2.0**i) for i in range(20)]
    models = {**dict.fromkeys(range(20), "ridge"), **dict.fromkeys(range(20, 24), "dnn")}
    points += [Point(20 + i, 0.4 + 0.05 * i, 2.0**i + 0.5) for i in range(4)]
    many, few = (
        contenders(points, models=models, untuned=[20, 23], tolerance=0.01, is_explored=explored)
        for explored in (False, True)
    )
    assert len(few) < len(many)
    assert sum(not contender.is_certain for contender in few) <= 2
    assert sum(contender.is_untuned for contender in few) == 1
    assert sum(contender.gap == 0.0 for contender in few) <= 3 + 2


def test_a_little_more_is_not_worth_hours_on_all_rows() -> None:
    """What costs ten times as much as one that counts as good does not compete there; what is better than that does."""
    points = [Point(0, 0.5, 1.0), Point(1, 0.90, 2.0), Point(2, 0.905, 21.0)]
    models = dict.fromkeys(range(3), "ridge")
    for tolerance, explored, expected in ((0.01, True, {0, 1}), (0.01, False, {0, 1, 2}), (0.001, True, {0, 1, 2})):
        found = contenders(points, models=models, untuned=[], tolerance=tolerance, is_explored=explored)
        assert {contender.trial for contender in found} == expected


def test_a_gap_that_splits_explain_is_no_gap() -> None:
    """As far as scores of confirmed contenders changed between the search and the folds that confirm them."""
    race = Race(study_of())
    assert not race.may_win(Contender(trial=9, gap=0.01))
    assert race.may_win(Contender(trial=9))
    for number, shift in enumerate((0.1, 0.0)):
        race.enter(confirmed(number, 0.9 - shift, searched=0.9))
    assert race.may_win(Contender(trial=9, gap=0.04))
    assert not race.may_win(Contender(trial=9, gap=0.06))


def rows(noise: float) -> ScoredRows:
    """Predictions of ten groups that miss their targets by this much."""
    y = np.random.default_rng(1).normal(size=200)
    return ScoredRows(y=y, group=np.repeat(np.arange(10.0), 20), value=y + noise * RNG.normal(size=200))


def test_what_is_worse_for_no_fewer_grams_is_hopeless() -> None:
    """Beyond the uncertainty of the difference on the same folds; what is cheaper, or unclear, goes on."""
    race, study = Race(study_of()), study_of()
    known = confirmed(0, 0.9, 1.0)
    race.enter(known, [rows(0.3), rows(0.3)])
    cost_j = known.cost.energy_j
    bad, fine = pooled_score([rows(1.0)], study), pooled_score([rows(0.3)], study)
    assert race.is_hopeless(bad, cost_j, n_folds=1)
    assert not race.is_hopeless(bad, cost_j / 2, n_folds=1)
    assert not race.is_hopeless(fine, cost_j, n_folds=1)


def test_a_trial_that_was_dropped_sets_no_standard() -> None:
    """Nor does one whose rows are not known any more."""
    race = Race(study_of())
    race.enter(trial(0, 0.9, 1.0), [rows(0.1)])
    race.enter(confirmed(1, 0.9, 1.0))
    assert not race.is_hopeless(pooled_score([rows(1.0)], study_of()), 1e9, n_folds=1)
