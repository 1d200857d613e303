"""A storage that forwards every operation."""

from __future__ import annotations

import inspect
from typing import Any

import optuna
import pytest
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import TrialState

from cemai_opt.search.storage.delegating import OPERATIONS, DelegatingStorage


class Counting(DelegatingStorage):
    """Keeps the names of the operations."""

    def __init__(self, inner: BaseStorage) -> None:
        super().__init__(inner)
        self.called: set[str] = set()

    def call(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        self.called.add(operation)
        return super().call(operation, *args, **kwargs)


def study_in(storage: BaseStorage) -> optuna.Study:
    """A finished study of two objectives, with failed and enqueued trials, attributes and constraints."""
    sampler = optuna.samplers.NSGAIISampler(seed=0, population_size=5)
    study = optuna.create_study(
        storage=storage, study_name="s", directions=["maximize", "minimize"], sampler=sampler, load_if_exists=True
    )
    study.set_user_attr("asked", {"a": 1})
    study.enqueue_trial({"x": 0.5})
    for i in range(20):
        trial = study.ask()
        x, n = trial.suggest_float("x", 0.0, 1.0), trial.suggest_int("n", 1, 9)
        trial.set_user_attr("i", i)
        if i == 7:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, [x, x * n])
    return study


def test_a_study_is_the_same_as_in_the_inner_storage() -> None:
    """Trials, values, attributes and the best ones; and the inner storage holds all of it."""
    inner = InMemoryStorage()
    plain, forwarded = study_in(InMemoryStorage()), study_in(DelegatingStorage(inner))

    def content(study: optuna.Study) -> list[tuple[object, ...]]:
        return [(t.number, t.state, t.params, t.values, t.user_attrs, t.system_attrs) for t in study.trials]

    assert content(plain) == content(forwarded) == content(optuna.load_study(study_name="s", storage=inner))
    assert [t.number for t in plain.best_trials] == [t.number for t in forwarded.best_trials]
    assert forwarded.user_attrs == {"asked": {"a": 1}}


def test_every_operation_that_optuna_needs_goes_through_call() -> None:
    """So that a subclass can retry each of them."""
    storage = Counting(InMemoryStorage())
    study_in(storage)
    assert storage.called >= {"create_new_study", "create_new_trial", "set_trial_param", "set_trial_state_values"}
    assert storage.called <= set(OPERATIONS)
    optuna.delete_study(study_name="s", storage=storage)
    assert "delete_study" in storage.called


def test_no_abstract_operation_is_missing() -> None:
    """Those that a later Optuna adds are there as well."""
    assert BaseStorage.__abstractmethods__ <= set(OPERATIONS)
    assert not inspect.isabstract(DelegatingStorage)
    for name in OPERATIONS:
        assert getattr(DelegatingStorage, name) is not getattr(BaseStorage, name)


def test_operations_that_a_database_overrides_are_forwarded_too() -> None:
    """The base class has them, but does nothing, or less than the inner storage."""
    storage = Counting(InMemoryStorage())
    study_id = storage.get_study_id_from_name(study_in(storage).study_name)
    storage.called.clear()
    storage.remove_session()
    storage.check_trial_is_updatable(0, TrialState.RUNNING)
    assert storage.called == {"remove_session", "check_trial_is_updatable"}
    with pytest.raises(UpdateFinishedTrialError):
        storage.check_trial_is_updatable(0, TrialState.COMPLETE)
    assert storage.get_n_trials(study_id) == storage.inner.get_n_trials(study_id) == 20
    assert storage.get_all_trials(study_id) == storage.inner.get_all_trials(study_id)
