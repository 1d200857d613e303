"""What the sampler keeps of a study is what the study holds, and the fittest are those of non-dominated sorting."""

from __future__ import annotations

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from cemai_opt.core.front import Box, Constraints, ParetoFront, Point
from cemai_opt.core.space import MODEL
from cemai_opt.search.samplers._known_trials import KnownTrials

MODELS = ("ridge", "dnn")
POINTS = st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.7, 0.9]), st.sampled_from([1.0, 2.0, 4.0, 8.0])), max_size=30)


def trial_of(score: float, grams: float, *, model: str = "ridge") -> FrozenTrial:
    """A complete trial."""
    return create_trial(
        values=[score, grams], params={MODEL: model}, distributions={MODEL: CategoricalDistribution(MODELS)}
    )


def sorted_by_front(points: list[Point], n_wanted: int) -> list[int]:
    """Non-dominated sorting as in the paper: front after front; within one, greenest first."""
    chosen: list[int] = []
    while points and len(chosen) < n_wanted:
        front = ParetoFront.of(points)
        chosen += [point.trial for point in front]
        points = [point for point in points if point.trial not in chosen]
    return chosen[:n_wanted]


def greenest_first(front: ParetoFront, _: Box) -> list[Point]:
    """Keeps members in their order."""
    return list(front)


def largest_first(front: ParetoFront, box: Box) -> list[Point]:
    """By contribution to the hypervolume, which changes with the neighbours and with the box."""
    return sorted(front, key=lambda point: -front.contributions(box)[point.trial])


@given(values=POINTS, n_wanted=st.integers(1, 12))
def test_the_fittest_are_those_of_front_after_front(values: list[tuple[float, float]], n_wanted: int) -> None:
    """With many equal scores and costs."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    study.add_trials([trial_of(*value) for value in values])
    known = KnownTrials(Constraints(), greenest_first)
    known.update(study)
    points = [Point(i, *value) for i, value in enumerate(values)]
    found = [trial.number for trial in known.fittest(n_wanted)]
    assert found == sorted_by_front(points, n_wanted)


@given(values=POINTS, n_wanted=st.integers(1, 12))
def test_the_order_within_a_front_is_that_of_all_trials_so_far(
    values: list[tuple[float, float]], n_wanted: int
) -> None:
    """It is kept only while neither the front nor the box around all trials changes."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    kept = KnownTrials(Constraints(), largest_first)
    for value in values:
        study.add_trial(trial_of(*value))
        kept.update(study)
        anew = KnownTrials(Constraints(), largest_first)
        anew.update(study)
        assert [t.number for t in kept.fittest(n_wanted)] == [t.number for t in anew.fittest(n_wanted)]


def test_what_breaks_a_constraint_comes_last() -> None:
    """In order of its violation."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    study.add_trials([trial_of(0.2, 1.0), trial_of(0.4, 1.0), trial_of(0.6, 2.0), trial_of(0.7, 1.0)])
    known = KnownTrials(Constraints(min_score=0.5), greenest_first)
    known.update(study)
    assert [trial.number for trial in known.fittest(4)] == [3, 2, 1, 0]


@given(order=st.permutations(range(8)), steps=st.lists(st.integers(1, 8), min_size=1, max_size=4))
def test_trials_that_end_out_of_order_are_all_known(order: list[int], steps: list[int]) -> None:
    """Whenever it looks, and each only once."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    asked = [study.ask({MODEL: CategoricalDistribution(MODELS)}) for _ in order]
    known, told = KnownTrials(Constraints(), greenest_first), 0
    for step in steps:
        for number in order[told : told + step]:
            study.tell(asked[number], [number / 10, 1.0 + number])
        told = min(told + step, len(order))
        known.update(study)
        assert len(known) == told
        for trial in study.get_trials(states=[TrialState.COMPLETE]):
            assert known.point_of(trial) == Point(trial.number, *trial.values)


def test_another_study_is_read_anew() -> None:
    """A sampler may be used again; a study of one objective has no parents."""
    first, second = (optuna.create_study(directions=["maximize", "minimize"]) for _ in range(2))
    first.add_trials([trial_of(0.5, 1.0), trial_of(0.7, 2.0, model="dnn")])
    second.add_trial(trial_of(0.9, 3.0))
    single = optuna.create_study()
    single.add_trial(create_trial(value=1.0))
    known = KnownTrials(Constraints(), greenest_first)
    for study, n_known in ((first, 2), (second, 1), (single, 0)):
        known.update(study)
        assert len(known) == n_known
    known.update(first)
    assert [trial.values for trial in known.front_of("dnn")] == [pytest.approx([0.7, 2.0])]
    assert known.front_of("lstm") == []
