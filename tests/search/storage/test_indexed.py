"""Looking for trials of a state without going through all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.search.storage.indexed import IndexedStorage

STATES = [tuple(chosen) for n in range(1, 6) for chosen in combinations(TrialState, n)]


class Watched(InMemoryStorage):
    """Counts how often all trials are read."""

    n_reads = 0

    def get_all_trials(self, *args: object, **kwargs: object) -> list[FrozenTrial]:
        """The trials."""
        self.n_reads += 1
        return super().get_all_trials(*args, **kwargs)  # type: ignore[arg-type]  # passed on


def steps(study: optuna.Study, seed: int) -> Iterator[None]:
    """Enqueues, asks, tells and adds trials at random."""
    rng, running = random.Random(seed), []
    for _ in range(60):
        what = rng.choice(["enqueue", "ask", "ask", "tell", "tell", "add"])
        if what == "enqueue":
            study.enqueue_trial({"x": rng.random()})
        elif what == "ask":
            running.append(study.ask())
            running[-1].suggest_float("x", 0.0, 1.0)
        elif what == "tell" and running:
            state = rng.choice([TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL])
            trial = running.pop(rng.randrange(len(running)))
            study.tell(trial, rng.random() if state is TrialState.COMPLETE else None, state=state)
        elif what == "add":
            study.add_trial(optuna.trial.create_trial(value=rng.random()))
        yield


@pytest.mark.parametrize("seed", range(5))
def test_it_answers_what_the_storage_would(seed: int) -> None:
    """After any sequence of calls, for any states; the first call comes when there are trials already."""
    inner = InMemoryStorage()
    study = optuna.create_study(storage=IndexedStorage(inner), sampler=optuna.samplers.RandomSampler(0))
    study_id = inner.get_study_id_from_name(study.study_name)
    for number, _ in enumerate(steps(study, seed)):
        if number < 10 or number % 5:
            continue
        for states in (None, *STATES):
            found = study.get_trials(deepcopy=False, states=states)
            assert found == inner.get_all_trials(study_id, deepcopy=False, states=states)
    assert study.get_trials() == inner.get_all_trials(study_id)


def test_all_trials_are_read_once() -> None:
    """Whatever is asked for, and however often."""
    inner = Watched()
    study = optuna.create_study(storage=IndexedStorage(inner), sampler=optuna.samplers.RandomSampler(0))
    for _ in steps(study, 0):
        study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    assert inner.n_reads == 1


def test_two_studies_of_a_storage_are_kept_apart() -> None:
    """And one that was deleted is forgotten."""
    storage = IndexedStorage(InMemoryStorage())
    one, two = (optuna.create_study(storage=storage, study_name=name) for name in ("one", "two"))
    one.add_trial(optuna.trial.create_trial(value=1.0))
    assert [len(study.get_trials(deepcopy=False)) for study in (one, two, one)] == [1, 0, 1]
    optuna.delete_study(study_name="one", storage=storage)
    again = optuna.create_study(storage=storage, study_name="one")
    assert again.get_trials(deepcopy=False) == []
