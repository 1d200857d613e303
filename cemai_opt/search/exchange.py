"""What the drivers of one study tell each other, through the storage that they share."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.core.errors import StudyError
from cemai_opt.core.result import TrialResult
from cemai_opt.search.database import BEAT_S, PatientStorage
from cemai_opt.search.storage import Finished, settle

CLAIM, RESULT, DRIVER_J = "cemai:claim", "cemai:result", "cemai:driver_j"
"""User attributes: of a running trial who runs what; of a finished one what came of it, what its driver has spent."""
QUESTION = "cemai:question"
"""User attribute of the study: what it asks."""
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class Exchange:
    """One driver's view of a study that has others. `driver` names it, the same in every session of its run folder."""

    def __init__(
        self, study: optuna.Study, storage: PatientStorage, driver: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._study, self._storage, self._driver, self._clock = study, storage, driver, clock
        self._last_beat_s = -float(BEAT_S)

    def check_question(self, question: Mapping[str, Any]) -> None:
        """StudyError where the study asks another question than this driver does."""
        asked = self._study.user_attrs.get(QUESTION)
        if asked is None:
            self._study.set_user_attr(QUESTION, question)
        elif asked != json.loads(json.dumps(question)):
            raise StudyError(
                f"the storage holds a study {self._study.study_name!r} that asks another question",
                "drivers share data, options and search space; for another study give it another name",
            )

    def settle_own(self, finished: Finished) -> None:
        """Ends what this driver was running when an earlier session of it died."""
        for trial in self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            if _claim(trial).get("driver") == self._driver:
                settle(self._study, trial.number, finished)

    def claim(self, trial: optuna.Trial, digest: str) -> bool:
        """Says that this driver is about to run a pipeline; False where another one is running it, or has run it."""

        def claimed() -> bool:
            others = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING, *FINISHED))
            if any(_claim(other).get("digest") == digest and _is_run(other) for other in others):
                return False
            trial.set_user_attr(CLAIM, {"driver": self._driver, "digest": digest})
            self._storage.record_heartbeat(trial._trial_id)
            return True

        return self._storage.exclusively(self._study.study_name, claimed)

    def elsewhere(self) -> list[FrozenTrial]:
        """Trials that other drivers are running."""
        running = self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING])
        return [t for t in running if CLAIM in t.user_attrs and _claim(t)["driver"] != self._driver]

    def post(self, result: TrialResult, driver_j: float) -> dict[str, Any]:
        """The user attributes of a finished trial by which other drivers know it."""
        return {RESULT: result.to_json(), DRIVER_J: {self._driver: driver_j}}

    def news(self, known: Container[int]) -> list[TrialResult]:
        """Results of other drivers that are not among the `known` trial numbers."""
        finished = self._study.get_trials(deepcopy=False, states=FINISHED)
        fresh = [t for t in finished if t.number not in known and RESULT in t.user_attrs]
        return [replace(TrialResult.from_json(t.user_attrs[RESULT]), trial=t.number) for t in fresh]

    def post_member(self, why: str, result: TrialResult) -> None:
        """Tells the others of a front member that was measured again or tested."""
        self._study.set_user_attr(f"cemai:{why}:{result.trial}", result.to_json())

    def member(self, why: str, trial: int) -> TrialResult | None:
        """What another driver has found out about a front member."""
        document = self._study.user_attrs.get(f"cemai:{why}:{trial}")
        return None if document is None else TrialResult.from_json(document)

    def drivers_j(self) -> float:
        """Joules that other drivers have spent beside their trials, as they have said with their last ones."""
        spent_j: dict[str, float] = {}
        finished = self._study.get_trials(deepcopy=False, states=FINISHED)
        for trial in sorted(finished, key=lambda trial: trial.datetime_complete or datetime.min):
            spent_j |= trial.user_attrs.get(DRIVER_J, {})
        return sum(energy_j for driver, energy_j in spent_j.items() if driver != self._driver)

    def beat(self, running: Iterable[optuna.Trial]) -> None:
        """Says now and then that these trials still run, and takes up what others have left."""
        if self._clock() - self._last_beat_s < BEAT_S:
            return
        self._last_beat_s = self._clock()
        for trial in running:
            self._storage.record_heartbeat(trial._trial_id)
        fail_stale_trials(self._study)


def driver_of(folder: Path) -> str:
    """The name of the driver whose run folder this is."""
    return f"{platform.node()}:{folder.resolve()}"


def _is_run(trial: FrozenTrial) -> bool:
    """Is a trial that somebody has claimed running, or did it come to an end? One whose driver died did neither."""
    return trial.state == TrialState.RUNNING or RESULT in trial.user_attrs


def _claim(trial: FrozenTrial) -> dict[str, Any]:
    return dict(trial.user_attrs.get(CLAIM, {}))
