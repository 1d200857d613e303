"""An Optuna storage in which looking for trials of a state costs the same after many trials as after few."""

from __future__ import annotations

from bisect import insort
from collections.abc import Container
from typing import Any

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.search.storage.delegating import DelegatingStorage


class IndexedStorage(DelegatingStorage):
    """Remembers the finished trials of a study, which do not change any more.

    Optuna looks for waiting trials before each new one, and a sampler for complete ones; a storage goes through all
    trials each time. Every trial must be created through this object, as where one process searches.
    """

    def __init__(self, inner: BaseStorage) -> None:
        super().__init__(inner)
        self._study_id: int | None = None
        self._trials: list[FrozenTrial] = []
        """By number; those that are open may be out of date."""
        self._open: dict[int, int] = {}
        """Trial ids of trials that are waiting or running, by number."""
        self._finished: dict[TrialState, list[FrozenTrial]] = {}

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Creates a trial and returns its id."""
        trial_id: int = self.inner.create_new_trial(study_id, template_trial)
        if study_id == self._study_id:
            self._add(self.inner.get_trial(trial_id), trial_id)
        return trial_id

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """The trials of a study by number, those of some states only if these are given."""
        if deepcopy:
            return self.inner.get_all_trials(study_id, deepcopy, states)
        self._update(study_id)
        if states is None:
            return list(self._trials)
        found = [trial for number in self._open if (trial := self._trials[number]).state in states]
        kept = [trials for state, trials in self._finished.items() if state in states]
        if len(kept) == 1 and not found:
            return list(kept[0])
        return sorted([*found, *(trial for trials in kept for trial in trials)], key=_number)

    def _update(self, study_id: int) -> None:
        if study_id != self._study_id:
            self._study_id, self._trials, self._open, self._finished = study_id, [], {}, {}
            for trial in self.inner.get_all_trials(study_id, deepcopy=False):
                self._add(trial, self.inner.get_trial_id_from_study_id_trial_number(study_id, trial.number))
            return
        for number, trial_id in list(self._open.items()):
            self._trials[number] = trial = self.inner.get_trial(trial_id)
            if trial.state.is_finished():
                del self._open[number]
                self._keep(trial)

    def _add(self, trial: FrozenTrial, trial_id: int) -> None:
        self._trials.append(trial)
        if trial.state.is_finished():
            self._keep(trial)
        else:
            self._open[trial.number] = trial_id

    def _keep(self, trial: FrozenTrial) -> None:
        insort(self._finished.setdefault(trial.state, []), trial, key=_number)

    def delete_study(self, study_id: int) -> Any:
        """Deletes a study."""
        self._study_id = None
        return self.inner.delete_study(study_id)


def _number(trial: FrozenTrial) -> int:
    return trial.number
