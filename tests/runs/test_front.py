"""The front of a run, and how a member is picked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.errors import StudyError
from cemai_opt.core.result import FAILED, PRUNED, REPEAT, SKIPPED
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.runs.front import counts_of, score_ties_of
from tests.results import FRONT, confirmed, run_of, stage, trial


@pytest.mark.parametrize(
    ("rule", "number"), [("knee", 1), ("best", 2), ("greenest", 0), ("within", 2), ("2", 2), ("0", 0)]
)
def test_a_rule_or_a_number_picks_a_member(rule: str, number: int) -> None:
    """Every rule by its definition."""
    assert run_of(*FRONT).front.pick(rule).trial == number


def test_within_takes_the_tolerance_that_is_given() -> None:
    """Else that of the study."""
    front = run_of(*FRONT).front
    assert front.pick("within", 0.1 + 1e-9).trial == 1
    assert front.pick("within", 0.0).trial == 2
    assert run_of(*FRONT, rules={"tolerance": 0.5}).front.pick("within").trial == 0


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("3", "no front member '3'"),
        ("nee", "did you mean 'knee'"),
        ("-1", "no front member"),
        ("", "no front member ''"),
    ],
)
def test_what_picks_no_member_is_refused(rule: str, said: str) -> None:
    """Also the number of a trial that is dominated."""
    with pytest.raises(StudyError, match=said):
        run_of(*FRONT).front.pick(rule)


def test_an_empty_front_says_where_the_reasons_are() -> None:
    """No member, no rule, no mark."""
    front = run_of(trial(0, None, 1.0, state=FAILED)).front
    assert (len(front), front.knee_trial, front.knee, front.best, front.picks) == (0, None, None, None, {})
    assert front.payback == ()
    with pytest.raises(StudyError, match=r"see trials\.jsonl"):
        front.pick("knee")


def test_a_member_is_marked_with_every_rule_that_picks_it() -> None:
    """And as untuned, if it is the baseline."""
    front = run_of(*FRONT, baseline=0).front
    assert [front.mark_of(member) for member in front.members] == ["greenest untuned", "knee", "best, within 0.01"]


def test_ties_and_noise_come_first_among_the_marks() -> None:
    """They are about the grams beside them."""
    close = (trial(0, 0.5, 1.0, uncertainty_g=0.2), trial(1, 0.6, 1.1, foreign_load=0.5), trial(2, 0.9, 50.0))
    front = run_of(*close).front
    assert [front.mark_of(member).split()[0] for member in front.members[:2]] == ["~", "~"]
    assert front.mark_of(front.members[1]).startswith("~ !")


def test_a_baseline_that_is_no_member_has_a_row_of_its_own() -> None:
    """Below the members; a baseline on the front is there once."""
    assert [member.trial for member in run_of(*FRONT, baseline=3).front.table_members] == [0, 1, 2, 3]
    assert [member.trial for member in run_of(*FRONT, baseline=0).front.table_members] == [0, 1, 2]


def test_another_tolerance_changes_the_pick_and_its_payback() -> None:
    """And nothing else."""
    front = run_of(*FRONT).front
    wider = front.with_tolerance(0.2)
    assert (wider.tolerance, wider.pick("within").trial) == (0.2, 1)
    assert [payback.trial for payback in wider.payback] == [1, 1]
    assert replace(wider, tolerance=front.tolerance, payback=front.payback) == front


@given(st.lists(st.tuples(st.floats(0.01, 1.0), st.floats(1e-6, 1e3)), min_size=1, max_size=12), st.floats(0.0, 1.0))
def test_a_greener_choice_never_costs_more_than_the_best(pairs: list[tuple[float, float]], tolerance: float) -> None:
    """It gives up no more than the tolerance, and saves grams in each retraining."""
    front = run_of(*(trial(i, score, grams) for i, (score, grams) in enumerate(pairs))).front
    knee, within = front.with_tolerance(tolerance).payback
    assert within.score_given_up <= tolerance + 1e-12
    for payback in (knee, within):
        assert payback.score_given_up >= 0.0
        assert payback.saves_g_per_retraining >= 0.0


def test_predictions_count_only_if_both_were_measured() -> None:
    """An unknown cost is not zero."""
    measured = {"inference": stage("inference", 0.5)}
    cheap = trial(0, 0.5, 1.0, inference=stage("inference", 0.1))
    both = run_of(cheap, trial(1, 0.9, 200.0, **measured)).front.payback[0]
    one = run_of(cheap, trial(1, 0.9, 200.0)).front.payback[0]
    assert (both.trial, both.instead_of) == (0, 1)
    assert both.saves_g_per_1000_predictions == pytest.approx(0.4)
    assert one.saves_g_per_1000_predictions is None


def test_every_result_is_counted_once() -> None:
    """What ran by its state, what did not by its reason."""
    results = [
        trial(0, 0.5, 1.0),
        trial(1, None, 1.0, state=PRUNED, reason="too expensive"),
        trial(2, None, 1.0, state=FAILED, reason="train: ValueError"),
        trial(3, 0.5, 1.0, reason=f"{REPEAT}0"),
        trial(4, None, 1.0, state=PRUNED, reason=f"{SKIPPED}useless"),
        trial(5, 0.4, 0.5, parent=0),
        trial(6, 0.4, 0.5, parent=0, reason=f"{REPEAT}5"),
    ]
    counts = counts_of(results)
    assert vars(counts) == {
        "trials": 3,
        "complete": 1,
        "pruned": 1,
        "failed": 1,
        "curve_candidates": 1,
        "not_run": 1,
        "repeats": 2,
    }


SURE = (0.1, 0.101, 0.1, 0.099) * 5
"""Scores without each of twenty groups, which hardly differ."""


def test_only_what_is_better_than_the_baseline_is_recommended() -> None:
    """With 95 % confidence on the same groups; or greener, and at most 0.05 worse with the same confidence.

    The best on validation (2) is not: its gain is uncertain. Nor is the greenest (0), which is too much worse.
    """
    unsure = tuple(0.1 + 0.02 * i for i in range(20))
    results = [
        confirmed(0, 0.5, 1.0, without=SURE, dof=19),
        confirmed(1, 0.79, 2.0, without=SURE, dof=19),
        confirmed(2, 0.83, 50.0, without=unsure, dof=19, error=0.1),
        confirmed(3, 0.8, 40.0, without=SURE, dof=19),
    ]
    front = run_of(*results, baseline=3).front
    assert [m.is_convincing for m in front.members] == [False, True, True, False]
    assert {rule: front.pick(rule).trial for rule in ("knee", "best", "within", "greenest")} == {
        "knee": 1,
        "best": 3,
        "within": 1,
        "greenest": 0,
    }
    better = confirmed(2, 0.83, 50.0, without=SURE, dof=19)
    assert run_of(*results[:2], better, results[3], baseline=3).front.pick("best").trial == 2


def test_two_groups_convince_nobody() -> None:
    """One degree of freedom: a gain would have to be fourteen times its standard error."""
    results = [
        confirmed(0, 0.8, 2.0, without=(0.8, 0.82), dof=1),
        confirmed(1, 0.9, 50.0, without=(0.9, 0.94), dof=1),
    ]
    front = run_of(*results, baseline=0).front
    assert front.pick("best").trial == front.pick("knee").trial == 0
    assert [member.trial for member in front.members] == [0, 1]


@pytest.mark.parametrize(("dof", "recommended"), [(1, 0), (3, 1)])
def test_two_groups_do_not_show_how_a_model_extrapolates(dof: int, recommended: int) -> None:
    """However certain a gain looks: a ridge is not recommended over trees; with four groups it is."""
    trees = confirmed(0, 0.8, 2.0, without=SURE, dof=dof, model="xgboost")
    results = [trees, confirmed(1, 0.9, 50.0, without=SURE, dof=dof)]
    assert run_of(*results, baseline=0).front.pick("best").trial == recommended


def test_a_baseline_that_is_no_member_may_be_recommended() -> None:
    """If nothing on the front is better than it is."""
    results = [confirmed(0, 0.3, 1.0), confirmed(1, 0.8, 2.0, without=(0.1, 0.9), dof=1), confirmed(2, 0.8, 3.0)]
    front = run_of(*results, baseline=2).front
    assert [member.trial for member in front.members] == [0, 1]
    assert front.pick("best").trial == 1  # fewer grams for the same score
    results[1] = replace(results[1], score=0.801)
    unsure = run_of(replace(results[1], trial=1), results[0], replace(results[2], score=0.8), baseline=2).front
    assert unsure.knee is not None


def test_only_confirmed_trials_are_on_the_front() -> None:
    """What was dropped, or never competed, keeps the score of the search, which is the best of many."""
    dropped = confirmed(1, 0.99, 2.0)
    assert dropped.confirmation is not None
    dropped = replace(dropped, confirmation=replace(dropped.confirmation, folds=2))
    front = run_of(trial(0, 0.95, 1.0), dropped, confirmed(2, 0.8, 3.0, error=0.02)).front
    assert [(member.trial, member.validation, member.error) for member in front.members] == [(2, 0.8, 0.02)]
    assert front.members[0].searched == 1.0


def test_scores_tie_like_grams() -> None:
    """Where the difference on the same groups is smaller than its uncertainty."""
    a = confirmed(0, 0.80, 1.0, without=SURE, dof=19)
    b = confirmed(1, 0.805, 2.0, without=tuple(reversed(SURE)), dof=19)
    c = confirmed(2, 0.90, 3.0, without=SURE, dof=19)
    assert score_ties_of([a, b, c]) == {0: [1], 1: [0], 2: []}
    assert score_ties_of([trial(0, 0.8, 1.0), trial(1, 0.8, 1.0)]) == {0: [], 1: []}
    front = run_of(a, b, c).front
    assert [front.mark_of(member).split()[0] for member in front.members[:2]] == ["~s", "~s"]


def test_the_greenest_is_better_than_a_constant() -> None:
    """The cheapest member may be one; it is on the front, but no rule picks it."""
    dummy = DummyScore(prediction="'good'", validation=0.5)
    record = run_of(trial(0, 0.5, 1.0), trial(1, 0.8, 2.0), trial(2, 0.9, 3.0), dummy=dummy)
    assert [member.trial for member in record.front.members] == [0, 1, 2]
    assert record.front.pick("greenest").trial == 1
