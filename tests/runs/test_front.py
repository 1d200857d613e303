"""The front of a run, and how a member is picked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.errors import StudyError
from cemai_opt.core.result import FAILED, PRUNED, REPEAT, SKIPPED
from cemai_opt.runs.front import counts_of, paybacks_of
from tests.results import FRONT, run_of, stage, trial


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
    members = run_of(*(trial(i, score, grams) for i, (score, grams) in enumerate(pairs))).front.members
    knee, within = paybacks_of(members, 1.0, tolerance=tolerance)
    assert within.score_given_up <= tolerance + 1e-12
    for payback in (knee, within):
        assert payback.score_given_up >= 0.0
        assert payback.saves_g_per_retraining >= 0.0


def test_predictions_count_only_if_both_were_measured() -> None:
    """An unknown cost is not zero."""
    measured = {"inference": stage("inference", 0.5)}
    cheap = trial(0, 0.5, 1.0, inference=stage("inference", 0.1))
    both = run_of(cheap, trial(1, 0.9, 2.0, **measured)).front.payback[0]
    one = run_of(cheap, trial(1, 0.9, 2.0)).front.payback[0]
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
